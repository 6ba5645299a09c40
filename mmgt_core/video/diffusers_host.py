"""The adapter on diffusers' UNet2DConditionModel: hooks at the sites, processors in the attentions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from .adapter import Adapter
from .mutual_attention import mutual_attention
from .sites import Site
from .state import RunState


class Attachment:
    """An adapter attached to a UNet. Without a state in use the UNet computes exactly as before."""

    def __init__(self, unet: nn.Module, adapter: Adapter):
        self.adapter = adapter
        self.state: RunState | None = None
        self._handles: list[Any] = []
        self._processors: list[tuple[Any, Any]] = []
        for site in adapter.sites.values():
            self._handles.append(site_module(unet, site).register_forward_hook(self._hook(site)))
            if site.reference:
                for name in ("attn1", "attn2"):
                    attention = getattr(transformer_block(unet, site), name)
                    self._processors.append((attention, attention.processor))
                    processor = _SelfAttention if name == "attn1" else _CrossAttention
                    attention.set_processor(processor(self, site, attention.processor))

    @contextmanager
    def use(self, state: RunState) -> Iterator[Attachment]:
        """Apply `state` to the UNet calls inside the block (with activation checkpointing, to
        backward as well).
        """
        before, self.state = self.state, state
        try:
            yield self
        finally:
            self.state = before

    def detach(self) -> None:
        """Give the UNet back as it was: its own processors, no hooks. Safe to call twice."""
        for handle in self._handles:
            handle.remove()
        for attention, processor in self._processors:
            attention.set_processor(processor)
        self._handles, self._processors = [], []

    def __enter__(self) -> Attachment:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def _hook(self, site: Site) -> Any:
        def run(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            if self.state is None:
                return None
            hidden: Tensor = output[0] if isinstance(output, tuple) else output
            if site.name == "stem":
                changed = self.adapter.stem(hidden, self.state)
            else:
                changed = self.adapter.after(site.name, hidden, self.state)
            return (changed, *output[1:]) if isinstance(output, tuple) else changed

        return run


def attach(unet: nn.Module, adapter: Adapter) -> Attachment:
    """Attach the adapter to a diffusers UNet2DConditionModel of the same sizes; undo with
    `.detach()` or `with`.
    """
    return Attachment(unet, adapter)


def transformer_block(unet: Any, site: Site) -> Any:
    """The BasicTransformerBlock of a site that has one."""
    return site_module(unet, site).transformer_blocks[0]


def site_module(unet: Any, site: Site) -> Any:
    """The UNet's module behind whose output the site lies: its attention if it has one, else its ResBlock."""
    if site.name == "stem":
        return unet.conv_in
    if site.name == "mid":
        return unet.mid_block.attentions[0]
    way, block, layer = site.name.split(".")
    parent = (unet.down_blocks if way == "down" else unet.up_blocks)[int(block)]
    return (parent.attentions if site.reference else parent.resnets)[int(layer)]


class _SelfAttention:
    """attn1: reads the reference bank too, where the row's state says so."""

    def __init__(self, attachment: Attachment, site: Site, original: Any):
        self.attachment, self.site, self.original = attachment, site, original

    def __call__(self, attn: Any, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        state = self.attachment.state
        if state is None or state.bank is None:
            return self.original(attn, hidden_states, *args, **kwargs)
        query, key, value = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        mixed = mutual_attention(
            query,
            key,
            value,
            self.site.name,
            state,
            lambda bank: (attn.to_k(bank), attn.to_v(bank)),
            attn.heads,
        )
        return attn.to_out[0](mixed)


class _CrossAttention:
    """attn2: with a single context token the softmax is 1, so the result is one vector per
    row (docs/method.md 2.3).
    """

    def __init__(self, attachment: Attachment, site: Site, original: Any):
        self.attachment, self.site, self.original = attachment, site, original

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        state = self.attachment.state
        if state is None or encoder_hidden_states is None or encoder_hidden_states.shape[1] != 1:
            return self.original(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        # Every frame of a row has the same token: project once per row.
        frames = state.frames(hidden_states)
        vector = attn.to_out[0](attn.to_v(encoder_hidden_states[::frames]))
        return vector.repeat_interleave(frames, dim=0).expand(-1, hidden_states.shape[1], -1)
