"""Shortcuts of sampling that were tried and measured (candidates.py); the engine has none of them.

- Deep features kept over steps, as DeepCache: in most steps only the outermost blocks of the UNet are
  computed, on what the deeper ones gave last for the same window and the same sides of the guidance.
- Fewer keys and values in the self-attentions of the highest resolution: averages of 2 x 2 tokens.
- Token merging: there half of the tokens, those most alike to one in their neighborhood, share its attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmgt_core.video import diffusers_host, window_calls
from mmgt_core.video.model import VideoModel

HIGHEST = ("down.0.", "up.3.")  # sites of the highest resolution
MERGED = 0.5  # of the tokens


class DeepFeatures:
    """What the deep blocks of a UNet gave last, by what it belongs to.

    Args:
        unet: of diffusers.
        outer: blocks on each side that are always computed, from the outside.
    """

    def __init__(self, unet: Any, outer: int):
        self.unet, self.outer = unet, outer
        self.kept: dict[Any, Tensor] = {}

    @contextmanager
    def computed(self, name: Any) -> Iterator[None]:
        """Inside the block the UNet is computed whole, and what its deep blocks give is kept under `name`."""

        def keep(_module: nn.Module, _args: Any, given: dict[str, Any]) -> None:
            self.kept[name] = given["hidden_states"]

        handle = self.unet.up_blocks[-self.outer].register_forward_pre_hook(keep, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()

    @contextmanager
    def reused(self, name: Any) -> Iterator[None]:
        """Inside the block the deep blocks give what is kept under `name`."""
        unet, kept, outer = self.unet, self.kept[name], self.outer
        stand_ins: list[tuple[Any, Callable[..., Any]]] = [(unet.mid_block, _same)]
        for block in unet.down_blocks[outer:]:
            count = len(block.resnets) + (block.downsamplers is not None)
            stand_ins.append((block, lambda hidden_states, count=count, **_: _repeated(hidden_states, count)))
        stand_ins.append((unet.down_blocks[outer - 1].downsamplers[0], _same))
        stand_ins += [(block, lambda **_: kept) for block in unet.up_blocks[:-outer]]
        for module, forward in stand_ins:
            module.forward = forward
        try:
            yield
        finally:
            for module, _ in stand_ins:
                del module.forward


def _same(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return x


def _repeated(x: Tensor, count: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    return x, (x,) * count


@contextmanager
def deep_features(model: VideoModel, every: int, outer: int) -> Iterator[None]:
    """Inside the block the sampler computes the deep blocks in each `every`-th step, and where the sides of
    the guidance change.
    """
    deep, steps = DeepFeatures(model.unet, outer), []
    original = window_calls.predict_windows

    def predict(model, conditions, config, windows, timestep, latents, conditional):  # noqa: ANN001, ANN202
        if timestep not in steps:
            steps.append(timestep)
        name = (tuple(map(tuple, windows)), conditional)
        full = (len(steps) - 1) % every == 0 or name not in deep.kept
        with deep.computed(name) if full else deep.reused(name):
            return original(model, conditions, config, windows, timestep, latents, conditional)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_calls, "predict_windows", predict)
        yield


@contextmanager
def fewer_keys() -> Iterator[None]:
    """Inside the block keys and values of the highest resolution, of a frame and of the reference, are
    averages of 2 x 2 tokens.
    """

    def shorter(query, key, value, site, project, rest):  # noqa: ANN001, ANN202
        return rest(query, _pooled(key), _pooled(value), lambda bank: tuple(map(_pooled, project(bank))))

    with _highest_attentions(shorter):
        yield


@contextmanager
def merged_tokens() -> Iterator[None]:
    """Inside the block half of a frame's tokens of the highest resolution share their self-attention."""

    def shorter(query, key, value, site, project, rest):  # noqa: ANN001, ANN202
        merge = Merge(key)
        return merge.undone(rest(merge.done(query), merge.done(key), merge.done(value), project))

    with _highest_attentions(shorter):
        yield


@contextmanager
def _highest_attentions(around: Callable[..., Tensor]) -> Iterator[None]:
    original = diffusers_host.mutual_attention

    def mutual(query, key, value, site, state, project, heads):  # noqa: ANN001, ANN202
        def rest(q: Tensor, k: Tensor, v: Tensor, project: Any) -> Tensor:
            return original(q, k, v, site, state, project, heads)

        if not site.startswith(HIGHEST):
            return rest(query, key, value, project)
        return around(query, key, value, site, project, rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diffusers_host, "mutual_attention", mutual)
        yield


def _pooled(x: Tensor) -> Tensor:
    """Square images of tokens (n, tokens, C) -> (n, tokens / 4, C)."""
    side = round(x.shape[1] ** 0.5)
    image = x.transpose(1, 2).unflatten(2, (side, side))
    return F.avg_pool2d(image, 2).flatten(2).transpose(1, 2)


class Merge:
    """Which tokens are merged: of each 2 x 2 the first stays, and of the others those go that are most alike
    to one that stays (Bolya and Hoffman, "Token Merging for Fast Stable Diffusion").

    Args:
        key: (n, tokens, C) of square images.
    """

    def __init__(self, key: Tensor):
        n, tokens, _ = key.shape
        side, count = round(tokens**0.5), int(tokens * MERGED)
        first = torch.zeros(side, side, dtype=torch.bool)
        first[::2, ::2] = True
        place = torch.arange(tokens)
        self.target, others = (place[chosen.flatten()].to(key.device) for chosen in (first, ~first))
        unit = F.normalize(key, dim=-1)
        likeness, nearest = (unit[:, others] @ unit[:, self.target].transpose(1, 2)).max(dim=-1)
        order = likeness.argsort(dim=-1, descending=True)
        self.into = nearest.gather(1, order[:, :count])  # of the targets
        self.merged, self.kept = others[order[:, :count]], others[order[:, count:]]
        self.shape = (n, tokens)

    def done(self, x: Tensor) -> Tensor:
        """(n, tokens, C) -> (n, those that are left, C): the kept ones, then the targets."""
        targets = x[:, self.target].scatter_reduce(
            1, _wide(self.into, x), x.gather(1, _wide(self.merged, x)), "mean"
        )
        return torch.cat([x.gather(1, _wide(self.kept, x)), targets], dim=1)

    def undone(self, x: Tensor) -> Tensor:
        """(n, those that are left, C) -> (n, tokens, C)."""
        kept, targets = x[:, : self.kept.shape[1]], x[:, self.kept.shape[1] :]
        whole = x.new_empty(*self.shape, x.shape[-1])
        whole[:, self.target] = targets
        whole.scatter_(1, _wide(self.kept, x), kept)
        return whole.scatter_(1, _wide(self.merged, x), targets.gather(1, _wide(self.into, x)))


def _wide(index: Tensor, x: Tensor) -> Tensor:
    return index.unsqueeze(-1).expand(-1, -1, x.shape[-1])
