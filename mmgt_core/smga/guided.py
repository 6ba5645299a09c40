"""SMGA in a sampler: what does not change from step to step is computed once a run (docs/method.md 1.4, 1.5).

The same numbers as `SMGA.denoise` on both sides of the guidance, but for rounding, with less work:

- Time tokens and FiLM depend on the step alone, or on the step and the pooled audio: one product for all
  steps instead of a narrow one at each.
- The self-attention of the body stream does not see the audio, nor does that of the first face layer: both
  sides of the guidance share it.
- Without audio all windows attend to the same tokens: one attention of all their queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base.packed_linear import pack_linear
from .layers import FiLM, KeyValue, sinusoid
from .network import SMGA, TIME_TOKENS, Branch, DecoderLayer

TABLE_BYTES = 2**27  # of the FiLM of all steps that one group of windows may keep


@dataclass(frozen=True)
class Windows:
    """Some windows' audio and first poses, ready for all steps.

    Attributes:
        keys: for each decoder layer and branch the keys and values (rows, heads, frames + 2, d); the last
            two tokens are those of the step at hand.
        conditions: (rows, steps, width) the activated condition of every FiLM.
        films: by FiLM, in the network's order, (rows, steps, 2 width); empty where they are too large.
    """

    keys: list[list[KeyValue]]
    conditions: Tensor
    films: list[Tensor]

    @property
    def rows(self) -> int:
        return self.conditions.shape[0]

    @property
    def bytes(self) -> int:
        """Memory of these windows."""
        kept = [part for layer in self.keys for memory in layer for part in memory]
        return sum(tensor.nbytes for tensor in (*kept, *self.films, self.conditions))

    def film(self, number: int, film: FiLM, step: int) -> Tensor:
        """(rows, 1, 2 width) scale and shift of a FiLM at a step."""
        if self.films:
            return self.films[number][:, step, None]
        return film.linear(self.conditions[:, step])[:, None]


class Guided:
    """u + w (k - u), with and without audio, for the times of one run; w = 1 skips the side without.

    Args:
        model: in eval mode.
        times: diffusion times of the run, 0 to 999.
        guidance: w.
    """

    def __init__(self, model: SMGA, times: Sequence[int], guidance: float):
        self.model, self.guidance = model, guidance
        self._layers = [cast(DecoderLayer, layer) for layer in model.decoder]
        self._projections = [
            [
                (
                    b.self_attention.own_projections(pack_linear),
                    b.cross_attention.query_projection(pack_linear),
                )
                for b in layer.branches
            ]
            for layer in self._layers
        ]
        time = torch.tensor(times, device=model.device)
        self._hidden = F.mish(model.time_hidden(sinusoid(time, model.config.width)))  # (steps, 4 width)
        tokens = model.time_tokens(self._hidden).unflatten(-1, (TIME_TOKENS, -1))
        self._tokens = model.project_memory(tokens, model.config.frames)
        self._silence: Windows | None = None
        if guidance != 1:
            self._silence = self._windows(model.null_audio, model.null_pooled)

    def windows(self, audio: Tensor, copies: int = 1) -> Windows:
        """Windows of audio (rows, frames, channels), each `copies` times, the copies outermost."""
        tokens, pooled = self.model.audio_tokens(audio)
        return self._windows(tokens.repeat(copies, 1, 1), pooled.repeat(copies, 1))

    def __call__(self, x: Tensor, first: Tensor, windows: Windows, step: int) -> Tensor:
        """x0 (rows, frames, 402) of noisy windows x with the first poses `first` (rows, 402)."""
        model = self.model
        sides = [windows] if self._silence is None else [windows, self._silence]
        for side in sides:
            self._set_time(side, step)
        s, body = model.streams(x, first)
        number = 0
        for index, layer in enumerate(self._layers):
            merged = None
            for place, branch in enumerate(layer.branches):
                given = s if place == 0 else body
                made = self._branch(branch, given, sides, index, place, number, step)
                number += 2
                merged = made if merged is None else merged.add_(made)
            assert merged is not None
            y = layer.feed_forward(layer.norm(merged))
            s = merged + _modulated(y, self._film(sides, number, layer.film, step, windows.rows))
            number += 1
        x0 = model.motion_out(s)
        if len(sides) == 1:
            return x0
        known, unknown = x0.chunk(2)
        return unknown + self.guidance * (known - unknown)

    def _branch(
        self, branch: Branch, x: Tensor, sides: list[Windows], layer: int, place: int, number: int, step: int
    ) -> Tensor:
        """B(x) for all sides; x with the rows of one side stands for both."""
        rows, rotary = sides[0].rows, self.model.rotary
        own, query = self._projections[layer][place]
        y = branch.norm1(x)
        y = branch.self_attention.to_itself(rotary(y), y, own)
        if x.shape[0] < rows * len(sides):
            x, y = x.repeat(len(sides), 1, 1), y.repeat(len(sides), 1, 1)
        x = x + _modulated(y, self._film(sides, number, branch.film1, step, rows))
        attention = branch.cross_attention
        queries = query(rotary(branch.norm2(x)))
        attended = [attention.attend(queries[:rows], sides[0].keys[layer][place])]
        if len(sides) == 2:  # all rows in one: they attend to the same tokens
            silent = queries[rows:].reshape(1, -1, queries.shape[-1])
            attended.append(attention.attend(silent, sides[1].keys[layer][place]).view_as(queries[rows:]))
        y = attention.out_proj(torch.cat(attended) if len(sides) == 2 else attended[0])
        return x + _modulated(y, self._film(sides, number + 1, branch.film2, step, rows))

    def _film(self, sides: list[Windows], number: int, film: FiLM, step: int, rows: int) -> Tensor:
        parts = [side.film(number, film, step) for side in sides]
        return parts[0] if len(parts) == 1 else torch.cat((parts[0], parts[1].expand(rows, -1, -1)))

    def _windows(self, tokens: Tensor, pooled: Tensor) -> Windows:
        rows = pooled.shape[0]
        conditions = F.mish(self.model.time_condition(self._hidden) + pooled[:, None])
        films = [
            film
            for layer in self._layers
            for film in (*(f for b in layer.branches for f in (b.film1, b.film2)), layer.film)
        ]
        size = 2 * conditions.nbytes * len(films)
        keys = []
        for layer in self.model.project_memory(tokens):
            room = [_with_room(memory, rows) for memory in layer]
            keys.append(room[: len(self._layers[0].branches)])
        table = [film.linear(conditions) for film in films] if size <= TABLE_BYTES else []
        return Windows(keys, conditions, table)

    def _set_time(self, windows: Windows, step: int) -> None:
        """Write the step's time tokens behind the audio tokens."""
        for layer, tokens in zip(windows.keys, self._tokens, strict=True):
            for memory, added in zip(layer, tokens[: len(layer)], strict=True):
                for kept, new in zip(memory, added, strict=True):
                    kept[:, :, -TIME_TOKENS:] = new[step]


def _with_room(memory: KeyValue, rows: int) -> KeyValue:
    """Keys and values (rows, heads, length + 2, d), with room for the time tokens."""
    return KeyValue(*(F.pad(part.expand(rows, -1, -1, -1), (0, 0, 0, TIME_TOKENS)) for part in memory))


def _modulated(x: Tensor, film: Tensor) -> Tensor:
    scale, shift = film.chunk(2, dim=-1)
    return torch.addcmul(x + shift, x, scale)
