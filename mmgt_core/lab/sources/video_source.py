"""What measurements need of models: motion of windows of sound, and images of a motion."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ...pose.motion import Motion


class MotionSource(Protocol):
    """What makes motion from sound: the model under test, or in tests the truth itself."""

    def __call__(
        self, features: Tensor, first_pose: Tensor, *, seed: int, first_pose_ramp: bool = True
    ) -> Tensor:
        """features (B, 80, channels), first_pose (B, 134, 3) -> keypoints (B, 80, 134, 3)."""
        ...


class VideoSource(Protocol):
    """What makes images: the model under test, or in tests the presenter itself.

    Attributes:
        size: pixels of a side. radius: frames of sound to both sides of each frame.
    """

    size: int
    radius: int

    def render(
        self,
        portrait: Tensor,
        motion: Motion,
        audio: Tensor,
        *,
        seed: int,
        masked: Motion | None = None,
        steps: int | None = None,
        cfg: float | None = None,
    ) -> Tensor:
        """Frames (F, size, size, 3) in [0, 1].

        Args:
            portrait: (size, size, 3) in [0, 1].
            motion: what the pose images show, F frames.
            audio: (F, 5, blocks, channels).
            masked: the motion whose boxes are the motion masks; default the one that is shown.
            steps, cfg: of the sampler; default the model's own.
        """
        ...

    def through_autoencoder(self, frames: Tensor) -> Tensor:
        """The frames (F, size, size, 3), encoded and decoded: what no video of this model can surpass."""
        ...
