"""The adapter behind the layers of hosts without layer patches (before 0.20): their `forward` on the
instance.

The state dict keeps its keys, and what is injected is taken out again without a trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from comfy.ldm.modules.attention import SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import ResBlock
from comfy.patcher_extension import PatcherInjection
from torch import Tensor

from ...mmgt_core.video.sites import Site
from .clip_run import UNetCall
from .sites import MIDDLE, STEM, Block

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher


class CurrentCall:
    """The UNet call that is running: a ResBlock's `forward` is given nothing else that could tell."""

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
    """The injection that wraps the layer of each site; injecting or ejecting twice is harmless."""

    def inject(patcher: ModelPatcher) -> None:
        eject(patcher)
        for layer, site in _layers(patcher.model.diffusion_model, places):
            layer.forward = _Behind(layer, site, current)

    def eject(patcher: ModelPatcher) -> None:
        for layer, _ in _layers(patcher.model.diffusion_model, places):
            injected = layer.__dict__.get("forward")
            if isinstance(injected, _Behind):
                injected.restore(layer)

    return PatcherInjection(inject, eject)


class _Behind:
    """A layer's `forward` and what the adapter does behind it."""

    def __init__(self, layer: Any, site: Site, current: CurrentCall):
        self.found = layer.__dict__.get("forward")  # somebody else's, if any
        self.inner, self.site, self.current = layer.forward, site, current

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        x, call = self.inner(*args, **kwargs), self.current.call
        return x if call is None else call.adapter.after(self.site.name, x, call.state)

    def restore(self, layer: Any) -> None:
        del layer.forward
        if self.found is not None:
            layer.forward = self.found


def _layers(unet: Any, places: Mapping[Block, Site]) -> Iterator[tuple[Any, Site]]:
    """The layer behind which each site lies: its SpatialTransformer if it has one, else its ResBlock."""
    for place, site in places.items():
        if place == STEM:
            continue
        way, number = place
        block = unet.middle_block if place == MIDDLE else getattr(unet, f"{way}_blocks")[number]
        wanted = SpatialTransformer if site.reference else ResBlock
        yield next(layer for layer in block if isinstance(layer, wanted)), site
