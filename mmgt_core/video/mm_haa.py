"""MM-HAA, motion-masked hierarchical audio attention, as it is trained (Eq. 19-24; docs/method.md 2.7)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .config import AudioContext, MaskPlace
from .layers import Attention, FeedForward, Layers, to_map, to_tokens
from .sites import Site
from .state import RunState

BRANCHES = ("full", "face", "lips")


class MMHAABlock(nn.Module):
    """Self-attention, three masked audio cross-attentions behind zero-initialized adapters, feed-forward.

    x <- x + attn1(LN1 x);  n = LN2 x;  y_m = zero_m(M_m * cross_m(n, a));
    x <- x + k_full y_full + k_face y_face + k_lips y_lips;  x <- x + FF(LN3 x)

    Ablations: with `audio_context` "self" the branches attend to n in place of a; with `mask_place` "input"
    y_m = zero_m(cross_m(M_m * n, a)), as Eq. 20-22 are printed.
    """

    def __init__(
        self,
        layers: Layers,
        width: int,
        heads: int,
        audio_dim: int,
        audio_context: AudioContext = "audio",
        mask_place: MaskPlace = "output",
    ):
        super().__init__()
        self.audio_context, self.mask_place = audio_context, mask_place
        audio_dim = width if audio_context == "self" else audio_dim
        self.norm1, self.norm2, self.norm3 = (layers.layer_norm(width) for _ in range(3))
        self.self_attention = Attention(layers, width, heads)
        self.cross = nn.ModuleDict({name: Attention(layers, width, heads, audio_dim) for name in BRANCHES})
        # 1x1 convolutions in the paper; on tokens they are linear maps.
        self.zero = nn.ModuleDict({name: layers.linear(width, width) for name in BRANCHES})
        self.ff = FeedForward(layers, width)

    def forward(self, x: Tensor, audio: Tensor, masks: Tensor, weights: tuple[float, float, float]) -> Tensor:
        """x (n, pixels, width), audio (n, tokens, audio_dim), masks (n, 3, pixels) as in BRANCHES."""
        x = x + self.self_attention(self.norm1(x))
        n = self.norm2(x)
        for index, (name, weight) in enumerate(zip(BRANCHES, weights, strict=True)):
            mask = masks[:, index, :, None]
            before = self.mask_place == "input"
            attended = self.cross[name](
                mask * n if before else n, audio if self.audio_context == "audio" else n
            )
            x = x + weight * self.zero[name](attended if before else mask * attended)
        return x + self.ff(self.norm3(x))


class AudioModule(nn.Module):
    """MM-HAA at one site: group norm, projection to the inner width, the block, projection back, residual.

    `block` is either form: `MMHAABlock`, which is trained and saved, or `FoldedMMHAABlock`,
    its exact rewrite.
    """

    def __init__(self, layers: Layers, site: Site, groups: int, block: nn.Module, width: int):
        super().__init__()
        self.site, channels = site, site.channels
        self.norm = layers.group_norm(groups, channels)
        self.proj_in = layers.linear(channels, width)
        self.block = block
        self.proj_out = layers.linear(width, channels)

    def forward(self, x: Tensor, state: RunState) -> Tensor:
        """x (rows * frames, channels, h, w) -> the same shape."""
        height, width = x.shape[-2:]
        tokens = self.proj_in(to_tokens(self.norm(x)))
        masks = site_masks(state, self.site.level, x)
        if isinstance(self.block, MMHAABlock):
            tokens = self.block(tokens, frame_audio(state, tokens), masks, state.region_weights)
        else:
            tokens = self.block(tokens, masks, state, self.site.name)
        return x + to_map(self.proj_out(tokens), height, width)


def site_masks(state: RunState, level: int, x: Tensor) -> Tensor:
    """The masks (n, 3, pixels) of a site, in the order of BRANCHES; without masks full is 1, face and
    lips are 0.
    """
    if state.masks is None:
        empty = x.new_zeros(x.shape[0], len(BRANCHES), x.shape[-2] * x.shape[-1])
        empty[:, 0] = 1
        return empty
    return state.masks.at(level, *x.shape[-2:]).to(x).flatten(2)


def frame_audio(state: RunState, x: Tensor) -> Tensor:
    """The audio tokens (n, tokens, dim) of every frame of every row, zeros for rows without audio."""
    if state.audio_tokens is None:
        raise ValueError("the audio modules are on, but the state holds no audio tokens")
    tokens = state.audio_tokens
    if state.audio_index is not None:
        tokens = tokens.index_select(0, state.audio_index.to(tokens.device))
    tokens = tokens.to(x)
    if all(state.uses_audio):
        return tokens
    frames = state.frames(x)
    rows = state.once(("uses_audio", x.device), lambda: torch.tensor(state.uses_audio, device=x.device))
    return tokens * rows.repeat_interleave(frames)[:, None, None]
