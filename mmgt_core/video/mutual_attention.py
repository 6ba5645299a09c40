"""Self-attention that also reads the reference bank, on projected values (docs/method.md 2.3)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .layers import AttentionFunction, attend
from .state import RunState

Projection = Callable[[Tensor], tuple[Tensor, Tensor]]


def mutual_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    site: str,
    state: RunState,
    project: Projection,
    heads: int,
    attention: AttentionFunction = attend,
) -> Tensor:
    """Attention of every frame to its own tokens and, in rows that read a reference, to the
    bank's tokens too.

    Args:
        query, key, value: (rows * frames, tokens, C), already projected from the frame's own norm1 output.
        site: which entry of the bank belongs here.
        project: maps bank features (bank rows, tokens, C) to the keys and values of this attention layer.

    Returns:
        (rows * frames, tokens, C) before the output projection.
    """
    readers = tuple(row for row, source in enumerate(state.reading) if source is not None)
    if state.bank is None or not readers:
        return attention(query, key, value, heads)

    features = state.bank[site].to(query)
    reference = state.kept(("reference", site), lambda: project(features))
    sources = tuple(source for source in state.reading if source is not None)
    frames = state.frames(query)

    def with_reference(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        extra = (_per_frame(part, sources, frames, state) for part in reference)
        k, v = (torch.cat([own, more.to(own.dtype)], dim=1) for own, more in zip((k, v), extra, strict=True))
        return attention(q, k, v, heads)

    def without(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return attention(q, k, v, heads)

    if len(readers) == state.rows:
        return with_reference(query, key, value)
    others = tuple(row for row in range(state.rows) if row not in readers)
    reading, alone = (
        compute(_take(query, rows, state), _take(key, rows, state), _take(value, rows, state))
        for compute, rows in ((with_reference, readers), (without, others))
    )
    order = tuple((readers + others).index(row) for row in range(state.rows))
    return _take(torch.cat([reading, alone]), order, state)


def _per_frame(reference: Tensor, sources: tuple[int, ...], frames: int, state: RunState) -> Tensor:
    """Bank rows (bank rows, tokens, C) -> one copy per frame of each reading row."""
    each = sources.count(0)
    if each and sources == tuple(row // each for row in range(len(sources))):
        copies = reference[: sources[-1] + 1].repeat_interleave(each * frames, dim=0)
        return copies[: len(sources) * frames]
    reference = reference.index_select(0, state.index(sources, reference.device))
    return reference.repeat_interleave(frames, dim=0)


def _take(x: Tensor, rows: tuple[int, ...], state: RunState) -> Tensor:
    """The given rows of a batch (rows * frames, ...), in that order."""
    if rows == tuple(range(state.rows)):
        return x
    by_row = x.unflatten(0, (state.rows, -1))
    if rows == tuple(range(rows[0], rows[0] + len(rows))):
        return by_row[rows[0] : rows[-1] + 1].flatten(0, 1)
    return by_row.index_select(0, state.index(rows, x.device)).flatten(0, 1)
