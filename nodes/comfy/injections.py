"""Attaches the adapter on hosts without layer patches (before 0.20): replaces `forward` of single layers.

The keys of the state dict do not change, and ejecting restores every layer completely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from comfy.ldm.modules.attention import SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import ResBlock
from comfy.patcher_extension import PatcherInjection
from torch import Tensor, nn

from ...mmgt_core.video.sites import Site
from .clip_run import UNetCall
from .sites import MIDDLE, STEM, Block

if TYPE_CHECKING:
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
    from comfy.model_patcher import ModelPatcher


class CurrentCall:
    """The current UNet call, which the arguments of a ResBlock's `forward` do not contain."""

    def __init__(self) -> None:
        self.call: UNetCall | None = None

    @contextmanager
    def use(self, call: UNetCall) -> Iterator[None]:
        before, self.call = self.call, call
        try:
            yield
        finally:
            self.call = before


def site_injection(places: Mapping[Block, Site], current: CurrentCall) -> PatcherInjection:
    """The injection that wraps the layer of each site; injecting and ejecting are idempotent."""

    def inject(patcher: ModelPatcher) -> None:
        eject(patcher)
        for layer, site in _layers(patcher.model.diffusion_model, places):
            layer.forward = _WithAdapter(layer, site, current)

    def eject(patcher: ModelPatcher) -> None:
        for layer, _ in _layers(patcher.model.diffusion_model, places):
            injected = layer.__dict__.get("forward")
            if isinstance(injected, _WithAdapter):
                injected.restore(layer)

    return PatcherInjection(inject, eject)


class _WithAdapter:
    """A layer's `forward`, followed by the adapter."""

    def __init__(self, layer: nn.Module, site: Site, current: CurrentCall):
        self.found = layer.__dict__.get("forward")  # another pack's, or None
        self.inner, self.site, self.current = layer.forward, site, current

    def __call__(self, *args: object, **kwargs: object) -> Tensor:
        x, call = self.inner(*args, **kwargs), self.current.call
        return x if call is None else call.adapter.after(self.site.name, x, call.state)

    def restore(self, layer: nn.Module) -> None:
        del layer.forward
        if self.found is not None:
            layer.forward = self.found


def _layers(unet: UNetModel, places: Mapping[Block, Site]) -> Iterator[tuple[nn.Module, Site]]:
    """The layer that each site follows: the block's SpatialTransformer if it has one, else its ResBlock."""
    for place, site in places.items():
        if place == STEM:
            continue
        way, number = place
        block = unet.middle_block if place == MIDDLE else getattr(unet, f"{way}_blocks")[number]
        wanted = SpatialTransformer if site.reference else ResBlock
        yield next(layer for layer in block if isinstance(layer, wanted)), site
