"""Everything about one clip that the denoiser needs and that does not change while it
runs (docs/method.md 2.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from ..base.errors import InputError
from .bank import Bank
from .by_frame import ByFrame
from .mask_pyramid import MaskPyramid
from .state import Cache, ReferenceOnly, RunState

FrameTensor = Callable[[Sequence[int]], Tensor]
FrameMasks = Callable[[Sequence[int]], MaskPyramid]
PoseImages = Tensor | FrameTensor
POSES_AT_ONCE = 8  # frames in the pose guider
TOKENS_AT_ONCE = 32  # frames in the audio projection


class ConditionNetworks(Protocol):
    """What is computed once for each clip; `VideoModel` offers it, and so does the binding to ComfyUI.

    Attributes:
        device, dtype: where and in what the UNet computes.
    """

    @property
    def device(self) -> torch.device: ...
    @property
    def dtype(self) -> torch.dtype: ...
    def context(self, image_embeds: Tensor | None) -> Tensor:
        """CLIP embeddings (rows, cross_dim), or None -> cross-attention tokens (rows, 1, cross_dim)."""
        ...

    def write_bank(self, latents: Tensor, context: Tensor) -> Bank:
        """The reference bank of scaled latents (rows, 4, h, w)."""
        ...

    def pose_features(self, images: Tensor) -> Tensor:
        """Pose images (n, height, width, 3) in [0, 1] or uint8 -> (n, C, height/8, width/8)."""
        ...

    def audio_tokens(self, windows: Tensor) -> Tensor:
        """Audio features around each frame (n, window, blocks, channels) -> (n, tokens, dim)."""
        ...


def clip_token(image_embeds: Tensor | None, cross_dim: int) -> Tensor:
    """The cross-attention token (rows, 1, cross_dim) of CLIP embeddings (rows, cross_dim); without them a
    zero token (1, 1, cross_dim), float32 on the CPU.
    """
    return torch.zeros(1, 1, cross_dim) if image_embeds is None else image_embeds.reshape(-1, 1, cross_dim)


@dataclass(frozen=True)
class ClipConditions:
    """The conditions of one clip; nothing on the model's device grows with its length.

    Attributes:
        frames: length of the clip.
        latent_size: (height, width) of the latents.
        context: (1, 1, cross_dim) of the conditional rows; unconditional rows get zeros.
        bank: one row; None: no reference.
        pose: frame indices -> pose features (n, C, h, w).
        audio: frame indices -> audio tokens (n, tokens, dim); None: no audio.
        masks: frame indices -> their masks.
        cache: projected keys and values of the reference, which the calls of this clip share.
        frames_kept: pose features and audio tokens that were made already.
    """

    frames: int
    latent_size: tuple[int, int]
    context: Tensor
    bank: Bank | None
    pose: FrameTensor
    audio: FrameTensor | None
    masks: FrameMasks
    cache: Cache = field(default_factory=Cache, repr=False)
    frames_kept: tuple[ByFrame, ...] = field(default=(), repr=False)

    @classmethod
    @torch.no_grad()
    def build(
        cls,
        networks: ConditionNetworks,
        reference: Tensor | None,
        pose_images: PoseImages,
        frames: int,
        *,
        latent_size: tuple[int, int],
        audio: Tensor | FrameTensor | None = None,
        masks: MaskPyramid | FrameMasks | None = None,
        image_embeds: Tensor | None = None,
    ) -> ClipConditions:
        """Run the reference UNet; pose guider and audio projection run when a window needs them.

        Args:
            reference: scaled latent of the portrait (1, 4, h, w); None drops the portrait.
            pose_images: (frames, H, W, 3), [0, 1] or uint8, or a function of frame indices that draws them
                when a window needs them.
            latent_size: height and width of the latents, an eighth of the image's.
            audio: features around each frame (frames, window, blocks, channels), or a function of frame
                indices that gives them; None: silence, like a row without audio.
            masks: the clip's motion masks, or a function of frame indices; None: full branch everywhere.
            image_embeds: CLIP embedding (1, cross_dim) of the portrait for models with image_context "clip".

        Raises InputError when the inputs differ in length or size.
        """
        _check_lengths(frames, pose_images, audio, masks)
        if reference is not None and tuple(reference.shape[-2:]) != tuple(latent_size):
            raise InputError(
                f"the portrait's latent is {tuple(reference.shape[-2:])}, the video's {tuple(latent_size)}",
                fix="scale and crop the portrait to the size of the video",
            )
        context = networks.context(image_embeds)
        bank = None
        if reference is not None:
            bank = networks.write_bank(reference.to(networks.device, networks.dtype), context).rounded()
        pose = _pose_features(networks, pose_images, frames, latent_size)
        tokens = None if audio is None else _audio_tokens(networks, audio, frames)
        return cls(
            frames=frames,
            latent_size=latent_size,
            context=context,
            bank=bank,
            pose=_only(pose),
            audio=None if tokens is None else _only(tokens),
            masks=_masks(masks, latent_size),
            frames_kept=(pose,) if tokens is None else (pose, tokens),
        )

    def drop_frames(self) -> str | None:
        """Give up the kept pose features and audio tokens, which each window makes again from now on, bit for
        bit -> what they are; None: there are none (any more).
        """
        dropped = [kept.drop() for kept in self.frames_kept]
        return "pose features and audio tokens" if any(dropped) else None

    def drop(self) -> str | None:
        """As `drop_frames`, and in a later call give up keys and values of the reference: what frees most and
        costs least goes first (docs/quality.md).
        """
        named = self.drop_frames()
        if named is None and self.bank is not None and self.cache.drop():
            named = "keys and values of the reference"
        return named

    def state(
        self,
        windows: Sequence[Sequence[int]],
        conditional: Sequence[bool],
        region_weights: tuple[float, float, float],
    ) -> RunState:
        """The state of one UNet call: one row for each window under each condition, conditions outermost.

        Args:
            windows: frame indices, all of one length.
            conditional: for example (False, True) for guidance, (True,) without.
        """
        indices = [frame for window in windows for frame in window]
        device = self.context.device
        flags = tuple(flag for flag in conditional for _ in windows)
        pose = self.pose(indices)
        audio = None if self.audio is None else self.audio(indices)
        masks = self.masks(indices).to(device, pose.dtype)
        return RunState(
            rows=len(flags),
            bank=self.bank,
            bank_rows=tuple(0 if flag else None for flag in flags),
            audio_tokens=audio,
            audio_index=torch.arange(len(indices), device=device).repeat(len(conditional)),
            audio_rows=flags,
            masks=masks.repeat(len(conditional)),
            region_weights=region_weights,
            pose_features=pose.repeat(len(conditional), 1, 1, 1),
            cache=self.cache if audio is None else ReferenceOnly(self.cache),
        )

    def contexts(self, windows: int, conditional: Sequence[bool]) -> Tensor:
        """The cross-attention tokens (rows, 1, cross_dim) that belong to `state`."""
        rows = [self.context if flag else torch.zeros_like(self.context) for flag in conditional]
        return torch.cat([row.expand(windows, -1, -1) for row in rows])


def _pose_features(
    networks: ConditionNetworks, images: PoseImages, frames: int, latent_size: tuple[int, int]
) -> ByFrame:
    @torch.no_grad()
    def compute(indices: list[int]) -> tuple[Tensor]:
        drawn = images(indices) if callable(images) else images[indices]
        features = networks.pose_features(drawn)
        if tuple(features.shape[-2:]) != tuple(latent_size):
            raise InputError(
                f"pose images give features of {tuple(features.shape[-2:])}, not of {tuple(latent_size)}",
                fix="draw the pose at the size of the video",
            )
        return (features,)

    by_frame = ByFrame(compute, frames, POSES_AT_ONCE)
    by_frame([0])  # complains before long work
    return by_frame


def _audio_tokens(networks: ConditionNetworks, audio: Tensor | FrameTensor, frames: int) -> ByFrame:
    @torch.no_grad()
    def compute(indices: list[int]) -> tuple[Tensor]:
        features = audio(indices) if callable(audio) else audio[indices]
        return (networks.audio_tokens(features),)

    return ByFrame(compute, frames, TOKENS_AT_ONCE)


def _only(by_frame: ByFrame) -> FrameTensor:
    """The single tensor of its frames."""
    return lambda indices: by_frame(indices)[0]


def _masks(masks: MaskPyramid | FrameMasks | None, latent_size: tuple[int, int]) -> FrameMasks:
    if masks is None:
        return lambda indices: MaskPyramid.empty(len(indices), *latent_size)
    return masks.window if isinstance(masks, MaskPyramid) else masks


def _check_lengths(
    frames: int,
    pose: PoseImages,
    audio: Tensor | FrameTensor | None,
    masks: MaskPyramid | FrameMasks | None,
) -> None:
    lengths = {
        "pose images": pose.shape[0] if isinstance(pose, Tensor) else None,
        "audio features": audio.shape[0] if isinstance(audio, Tensor) else None,
        "motion masks": masks.frames if isinstance(masks, MaskPyramid) else None,
    }
    for name, length in lengths.items():
        if length is not None and length != frames:
            raise InputError(
                f"there are {length} frames of {name} for a clip of {frames}", fix="make them equally long"
            )
