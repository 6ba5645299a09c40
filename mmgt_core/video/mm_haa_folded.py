"""MM-HAA for inference, rewritten exactly: fewer matrices, no work without audio (docs/method.md 2.7)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .layers import Attention, FeedForward, Layers
from .mm_haa import BRANCHES
from .state import RunState


class FoldedMMHAABlock(nn.Module):
    """The same function as `MMHAABlock` with the output maps folded.

    With A_m the attention before its output projection (Wo, bo), the adapter (Wc, bc) and the region weight
    k_m: k_m y_m = Wc Wo (k_m M_m A_m) + (Wc bo) k_m M_m + bc k_m. So each branch needs one matrix (`out`);
        the other two
    terms of all branches are one linear map (`rest`) of the six numbers k_m M_m, k_m; the three queries are
    one product, keys and values depend on the audio alone, and a row without audio has A_m = 0.
    """

    def __init__(self, layers: Layers, width: int, heads: int, audio_dim: int):
        super().__init__()
        self.heads, self.attention = heads, layers.attention
        branches = len(BRANCHES)
        self.norm1, self.norm2, self.norm3 = (layers.layer_norm(width) for _ in range(3))
        self.self_attention = Attention(layers, width, heads)
        self.to_q = layers.linear(width, branches * width, bias=False)
        self.to_kv = layers.linear(audio_dim, 2 * branches * width, bias=False)
        self.out = nn.ModuleList(layers.linear(width, width, bias=False) for _ in BRANCHES)
        self.rest = layers.linear(2 * branches, width, bias=False)
        self.ff = FeedForward(layers, width)

    def forward(self, x: Tensor, masks: Tensor, state: RunState, site: str) -> Tensor:
        """x (rows * frames, pixels, width), masks (rows * frames, 3, pixels); `site` names the cached
        keys and values.
        """
        x = x + self.self_attention(self.norm1(x))
        weights = state.once(
            ("weights", x.device), lambda: torch.tensor(state.region_weights, device=x.device)
        )
        weighted = masks.transpose(1, 2) * weights.to(x)  # (n, pixels, 3)
        delta = self.rest(torch.cat([weighted, weights.to(x).expand_as(weighted)], dim=-1))
        rows = tuple(row for row, uses in enumerate(state.uses_audio) if uses)
        if len(rows) == state.rows:
            delta = delta + self._audio(self.norm2(x), weighted, self._keys_values(x, state, site))
        elif rows:
            frames = state.frames(x)
            chosen = state.index(
                tuple(row * frames + frame for row in rows for frame in range(frames)), x.device
            )
            keys_values = self._keys_values(x, state, site).index_select(0, chosen)
            attended = self._audio(
                self.norm2(x.index_select(0, chosen)), weighted.index_select(0, chosen), keys_values
            )
            delta = delta.index_add(0, chosen, attended.to(delta))
        x = x + delta
        return x + self.ff(self.norm3(x))

    def _keys_values(self, x: Tensor, state: RunState, site: str) -> Tensor:
        """(rows * frames, tokens, 6 width): keys of the three branches, then their values."""
        tokens = state.audio_tokens
        assert tokens is not None
        projected = state.kept(("audio", site), lambda: self.to_kv(tokens.to(x)))
        return (
            projected
            if state.audio_index is None
            else projected.index_select(0, state.audio_index.to(x.device))
        )

    def _audio(self, n: Tensor, weighted: Tensor, keys_values: Tensor) -> Tensor:
        """The sum over the branches of Wc Wo (k_m M_m A_m)."""
        branches = len(BRANCHES)
        queries = self.to_q(n).chunk(branches, dim=-1)
        keys, values = (part.chunk(branches, dim=-1) for part in keys_values.chunk(2, dim=-1))
        total = torch.zeros_like(n)
        for branch, out in enumerate(self.out):
            attended = self.attention(queries[branch], keys[branch], values[branch], self.heads)
            total = total + out(attended * weighted[..., branch, None])
        return total


def fold_block(state: Mapping[str, Tensor], dtype: torch.dtype | None = None) -> dict[str, Tensor]:
    """The weights of a `FoldedMMHAABlock` from those of a `MMHAABlock`; products are formed in
    float32 or better, one at a time, so that no second copy of the weights is held.

    Args:
        dtype: of the result; None: that of the state.
    """
    dtype = dtype or state["norm1.weight"].dtype
    precise = torch.promote_types(state["norm1.weight"].dtype, torch.float32)
    folded = {
        name: tensor.to(dtype)
        for name, tensor in state.items()
        if name.split(".")[0] in ("norm1", "norm2", "norm3", "self_attention", "ff")
    }

    def branch_weights(name: str) -> list[Tensor]:
        return [state[name.format(branch)].to(dtype) for branch in BRANCHES]

    folded["to_q.weight"] = torch.cat(branch_weights("cross.{}.to_q.weight"))
    keys, values = branch_weights("cross.{}.to_k.weight"), branch_weights("cross.{}.to_v.weight")
    folded["to_kv.weight"] = torch.cat(keys + values)
    under_mask = []
    for index, branch in enumerate(BRANCHES):
        adapter = state[f"zero.{branch}.weight"].to(precise)
        output = state[f"cross.{branch}.to_out.weight"].to(precise)
        folded[f"out.{index}.weight"] = (adapter @ output).to(dtype)
        under_mask.append((adapter @ state[f"cross.{branch}.to_out.bias"].to(precise)).to(dtype))
    folded["rest.weight"] = torch.stack(under_mask + branch_weights("zero.{}.bias"), dim=1)
    return folded
