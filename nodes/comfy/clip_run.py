"""One sampling run: what the networks compute once per clip, and the state of every UNet call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import comfy.model_management
import torch
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.adapter import Adapter
from ...mmgt_core.video.bank import Bank
from ...mmgt_core.video.conditions import ClipConditions, clip_token
from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.memory import Halving
from ...mmgt_core.video.state import RunState
from .conditions import Clip, ClipBatch
from .reference_net import write_bank
from .sites import sites_by_block, transformer_block
from .window_progress import WindowProgress

if TYPE_CHECKING:
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
    from comfy.model_base import BaseModel

RUN, CALL = "mmgt_run", "mmgt_call"
"""Names in `transformer_options` of the `ClipRun` and of the `UNetCall`."""


class LoadedNetworks:
    """The adapter and the reference UNet while they are loaded: `ConditionNetworks` on the host.

    Attributes:
        device, dtype: of the UNet's computation; weights may have another device and dtype.
    """

    def __init__(
        self,
        config: VideoConfig,
        adapter: Adapter,
        reference: BaseModel,
        device: torch.device,
        dtype: torch.dtype,
    ):
        self.config, self.networks, self.reference = config, adapter, reference
        self.device, self.dtype = device, dtype

    def pose_features(self, images: Tensor) -> Tensor:
        """(n, height, width, 3) in [0, 1] or uint8 -> (n, C, height/8, width/8)."""
        comfy.model_management.throw_exception_if_processing_interrupted()
        scaled = images.to(self.device, self.dtype) / (255 if images.dtype == torch.uint8 else 1)
        return self.networks.pose_guider(scaled.permute(0, 3, 1, 2))

    def audio_tokens(self, windows: Tensor) -> Tensor:
        """(n, window, blocks, channels) -> (n, tokens, dim)."""
        return self.networks.audio_projection(windows.to(self.device, self.dtype))

    def context(self, image_embeds: Tensor | None) -> Tensor:
        """The cross-attention tokens (rows, 1, cross_dim); see `clip_token`."""
        return clip_token(image_embeds, self.config.cross_dim).to(self.device, self.dtype)

    def write_bank(self, latents: Tensor, context: Tensor) -> Bank:
        return write_bank(self.reference, latents, context, sites_by_block(self.config))


@dataclass(frozen=True, eq=False)
class UNetCall:
    """What the patches read during one call of the UNet."""

    adapter: Adapter
    state: RunState


class ClipRun:
    """The state of one sampling run; the host's option dicts refer to it and never copy it.

    Attributes:
        progress: the progress bar, updated with every window.
        device: where the networks compute.
        batches: number of windows per batch; None before the first call.
        others: the same run on further GPUs, of the host's MultiGPU nodes.
    """

    def __init__(
        self, networks: LoadedNetworks, model: BaseModel, clips: Iterable[Clip], progress: WindowProgress
    ):
        self._networks, self.progress, self.device = networks, progress, networks.device
        self.batches: Halving | None = None
        self._sites = sites_by_block(networks.config)
        self.others: dict[torch.device, ClipRun] = {}
        self._conditions = {id(clip): (clip, self._prepare(clip, model)) for clip in clips}

    def on(self, device: torch.device | None) -> ClipRun:
        """The run on the device of a UNet call; None: the host uses one device."""
        return self if device is None else self.others.get(device, self)

    def call(self, unet: UNetModel, rows: int, batch: ClipBatch | None, window: int | None) -> UNetCall:
        """The state of one UNet call on a batch of `rows` latents.

        Args:
            window: frames per window if the batch contains several windows; None for one sequence.

        Raises InputError if the batch does not come from MMGT conditioning.
        """
        if batch is None or id(batch.clip) not in self._conditions:
            raise InputError(
                "the MODEL was patched by MMGT, but the conditioning does not come from MMGT",
                where="positive, negative",
                fix="connect positive and negative of MMGT Apply, or use the MODEL without MMGT",
            )
        if rows != len(batch.frames) * len(batch.conditional):
            raise InputError(
                f"{rows} latents do not match {len(batch.conditional)} x {len(batch.frames)} frames"
            )
        clip, conditions = self._conditions[id(batch.clip)]
        length = window or len(batch.frames)
        windows = [batch.frames[start : start + length] for start in range(0, len(batch.frames), length)]
        state = conditions.state(windows, batch.conditional, clip.region_weights)
        self._project_reference(unet, state)
        return UNetCall(self._networks.networks, state)

    def drop(self) -> str | None:
        """Give up pose features and audio tokens of all clips; see `ClipConditions.drop_frames`. Keys and
        values of the reference stay: here all of them are made ahead of each call.
        """
        named = [conditions.drop_frames() for _, conditions in self._conditions.values()]
        return next((name for name in named if name is not None), None)

    def _project_reference(self, unet: UNetModel, state: RunState) -> None:
        """Keys and values of the reference, once per clip and outside of what the host may compile."""
        if state.bank is None or state.cache is None or not state.cache.empty:
            return
        if all(source is None for source in state.reading):
            return
        for block, site in self._sites.items():
            if site.reference:
                layer = transformer_block(unet, block).attn1
                bank = state.bank[site.name].to(self.device, self._networks.dtype)
                state.kept(("reference", site.name), lambda a=layer, b=bank: (a.to_k(b), a.to_v(b)))

    def _prepare(self, clip: Clip, model: BaseModel) -> ClipConditions:
        return ClipConditions.build(
            self._networks,
            model.process_latent_in(clip.portrait),
            clip.pose_images,
            clip.frames,
            latent_size=clip.latent_size,
            audio=clip.audio,
            masks=clip.masks,
            image_embeds=clip.image_embeds,
        )
