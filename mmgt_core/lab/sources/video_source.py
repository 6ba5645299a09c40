"""What Stage II's measurements ask for images."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ...pose.motion import Motion


class VideoSource(Protocol):
    """What makes images: the model under test, or in tests the presenter itself."""

    size: int

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
