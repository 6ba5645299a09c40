"""The equations of Stage II as the paper writes them, without the exact rewrites of the product.

Rows are computed one by one, the bank is projected for every frame, the audio modules are those that were
trained, and cross-attention is computed in full.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch

from mmgt_core.video import diffusers_host
from mmgt_core.video.adapter import Adapter
from mmgt_core.video.layers import attend


def mutual_attention(query, key, value, site, state, project, heads, attention=attend):
    """As `mmgt_core.video.mutual_attention.mutual_attention`, one row at a time."""
    if state.bank is None:
        return attention(query, key, value, heads)
    features = state.bank[site].to(query)
    frames, out = state.frames(query), []
    for row, source in enumerate(state.reading):
        q, k, v = (x.unflatten(0, (state.rows, frames))[row] for x in (query, key, value))
        if source is not None:
            more_k, more_v = project(features[source].expand(frames, -1, -1))
            k, v = torch.cat([k, more_k], dim=1), torch.cat([v, more_v], dim=1)
        out.append(attention(q, k, v, heads))
    return torch.cat(out)


def cross_attention(self, attn, hidden_states, encoder_hidden_states=None, *args, **kwargs):
    """The UNet's own cross-attention."""
    return self.original(attn, hidden_states, encoder_hidden_states, *args, **kwargs)


@contextmanager
def as_published():
    """Inside the block the diffusers host computes the published form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diffusers_host, "mutual_attention", mutual_attention)
        patch.setattr(diffusers_host._CrossAttention, "__call__", cross_attention)
        patch.setattr(Adapter, "fold", lambda self: self)
        yield
