"""The 22 places of an SD1.5 UNet where the adapter acts, by neutral names (docs/method.md 2.6)."""

from __future__ import annotations

from dataclasses import dataclass

from .config import VideoConfig


@dataclass(frozen=True)
class Site:
    """One place behind the output of an existing module of the UNet.

    Attributes:
        name: "stem", "down.b.l", "mid" or "up.b.l" (block b, layer l).
        channels: width of the feature map here.
        level: how often the latent has been halved here (0..3); also the level of the mask pyramid.
        reference: the site's self-attention reads the reference bank.
        audio_width: inner width of the MM-HAA module here, which is the width *entering* the layer's
            ResBlock; None where there is no audio module.
        motion: there is a motion module here.
    """

    name: str
    channels: int
    level: int
    reference: bool = False
    audio_width: int | None = None
    motion: bool = True

    @property
    def key(self) -> str:
        """The name as a module key ("down_0_1")."""
        return self.name.replace(".", "_")


def sites(config: VideoConfig) -> tuple[Site, ...]:
    """All sites in the order in which the UNet runs through them: stem, down, mid, up."""
    widths, layers = config.block_channels, config.layers_per_block
    last = len(widths) - 1
    found = [Site("stem", widths[0], 0, motion=False)]
    for block, width in enumerate(widths):
        for layer in range(layers):
            entering = width if layer else widths[max(block - 1, 0)]
            has_attention = block < last
            audio_width = entering if has_attention else None
            found.append(Site(f"down.{block}.{layer}", width, block, has_attention, audio_width))
    found.append(Site("mid", widths[-1], last, reference=True))
    for block, width in enumerate(reversed(widths)):
        for layer in range(layers + 1):
            found.append(Site(f"up.{block}.{layer}", width, last - block, reference=block > 0))
    return tuple(found)
