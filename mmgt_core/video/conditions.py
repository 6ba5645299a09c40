"""Everything about one clip that the denoiser needs and that does not change while it runs (stage2.md section
0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import InputError
from .bank import Bank
from .mask_pyramid import MaskPyramid
from .state import Cache, RunState

if TYPE_CHECKING:
    from .model import VideoModel

PoseFeatures = Callable[[Sequence[int]], Tensor]
PoseImages = Tensor | Callable[[Sequence[int]], Tensor]
KEPT_FEATURES = 2**28  # values of pose features that are kept for the whole clip (1 GiB in float32)
KEPT_AUDIO_FRAMES = 512  # clips up to this length keep their projected audio keys and values


@dataclass(frozen=True)
class ClipConditions:
    """The conditions of one clip.

    Attributes:
        frames: length of the clip.
        latent_size: (height, width) of the latents.
        context: (1, 1, cross_dim) of the conditional rows; unconditional rows get zeros.
        bank: one row; None: no reference.
        pose: frame indices -> pose features (n, C, h, w).
        audio: (frames, tokens, dim); None: nothing is heard.
        masks: of all frames.
        cache: projected keys and values that the calls of this clip share.
    """

    frames: int
    latent_size: tuple[int, int]
    context: Tensor
    bank: Bank | None
    pose: PoseFeatures
    audio: Tensor | None
    masks: MaskPyramid
    cache: Cache = field(default_factory=Cache, repr=False)

    @classmethod
    @torch.no_grad()
    def build(
        cls,
        model: VideoModel,
        reference: Tensor | None,
        pose_images: PoseImages,
        frames: int,
        *,
        latent_size: tuple[int, int],
        audio: Tensor | None = None,
        masks: MaskPyramid | None = None,
        image_embeds: Tensor | None = None,
        chunk: int = 8,
        round_bank: bool = True,
    ) -> ClipConditions:
        """Run the networks that are needed once: reference UNet, audio projection, pose guider.

        Args:
            reference: scaled latent of the portrait (1, 4, h, w); None drops the portrait.
            pose_images: (frames, H, W, 3), [0, 1] or uint8, or a function of frame indices that draws them
                when a window needs them.
            latent_size: height and width of the latents, an eighth of the picture's.
            audio: features around each frame (frames, window, blocks, channels); None: silence, as an
                unheard row.
            masks: the clip's motion masks; None: full branch everywhere.
            image_embeds: CLIP embedding (1, cross_dim) of the portrait for models with image_context "clip".
            round_bank: round the bank to float16 as the reference code does.

        Raises InputError when the inputs differ in length or size.
        """
        _check_lengths(frames, pose_images, audio, masks)
        if reference is not None and tuple(reference.shape[-2:]) != tuple(latent_size):
            raise InputError(
                f"the portrait's latent is {tuple(reference.shape[-2:])}, the video's {tuple(latent_size)}",
                fix="scale and crop the portrait to the size of the video",
            )
        context = model.context(image_embeds)
        bank = None
        if reference is not None:
            bank = model.write_bank(reference.to(model.device, model.dtype), context)
            bank = bank.rounded() if round_bank else bank
        return cls(
            frames=frames,
            latent_size=latent_size,
            context=context,
            bank=bank,
            pose=_pose_features(model, pose_images, frames, latent_size, chunk),
            audio=None if audio is None else model.adapter.audio_tokens(audio.to(model.device)),
            masks=masks if masks is not None else MaskPyramid.empty(frames, *latent_size),
        )

    def state(
        self,
        windows: Sequence[Sequence[int]],
        conditional: Sequence[bool],
        region_weights: tuple[float, float, float],
        *,
        plain: bool = False,
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
        index = torch.tensor(indices, device=device)
        keeps_audio = self.audio is not None and self.frames <= KEPT_AUDIO_FRAMES
        audio = self.audio if keeps_audio or self.audio is None else self.audio.index_select(0, index)
        own = index if keeps_audio else torch.arange(len(indices), device=device)
        cache = self.cache if keeps_audio or self.audio is None else _BankOnly(self.cache)
        masks = self.masks.window(indices).to(device, pose.dtype)
        return RunState(
            rows=len(flags),
            bank=self.bank,
            bank_rows=tuple(0 if flag else None for flag in flags),
            audio_tokens=audio,
            audio_index=own.repeat(len(conditional)),
            audio_rows=flags,
            masks=masks.repeat(len(conditional)),
            region_weights=region_weights,
            pose_features=pose.repeat(len(conditional), 1, 1, 1),
            cache=cache,
            plain=plain,
        )

    def contexts(self, windows: int, conditional: Sequence[bool]) -> Tensor:
        """The cross-attention tokens (rows, 1, cross_dim) that belong to `state`."""
        rows = [self.context if flag else torch.zeros_like(self.context) for flag in conditional]
        return torch.cat([row.expand(windows, -1, -1) for row in rows])


class _BankOnly(Cache):
    """Shares what a clip's cache holds of the reference; audio of a long clip is projected anew for each
    window.
    """

    def __init__(self, shared: Cache):
        super().__init__()
        self._shared = shared

    def get(self, name, make):  # noqa: ANN001, ANN201 - as the base class
        return self._shared.get(name, make) if name[0] == "reference" else make()


def _pose_features(
    model: VideoModel, images: PoseImages, frames: int, latent_size: tuple[int, int], chunk: int
) -> PoseFeatures:
    """Features of all frames at once where they fit, else drawn and computed for each window."""

    def compute(indices: Sequence[int]) -> Tensor:
        parts = []
        for start in range(0, len(indices), chunk):
            some = list(indices[start : start + chunk])
            drawn = images(some) if callable(images) else images[some]
            with torch.no_grad():
                features = model.adapter.pose_features(drawn.to(model.device))
            if tuple(features.shape[-2:]) != tuple(latent_size):
                raise InputError(
                    f"pose images give features of {tuple(features.shape[-2:])}, not of {tuple(latent_size)}",
                    fix="draw the pose at the size of the video",
                )
            parts.append(features)
        return torch.cat(parts)

    if frames * model.config.block_channels[0] * latent_size[0] * latent_size[1] > KEPT_FEATURES:
        return compute
    kept = compute(range(frames))
    return lambda indices: kept[list(indices)]


def _check_lengths(frames: int, pose: PoseImages, audio: Tensor | None, masks: MaskPyramid | None) -> None:
    lengths = {
        "pose images": None if callable(pose) else pose.shape[0],
        "audio features": None if audio is None else audio.shape[0],
        "motion masks": None if masks is None else masks.frames,
    }
    for name, length in lengths.items():
        if length is not None and length != frames:
            raise InputError(
                f"there are {length} frames of {name} for a clip of {frames}", fix="make them equally long"
            )
