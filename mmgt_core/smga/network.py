"""SMGA: from a noisy motion window, a first pose and the audio to the clean window (docs/method.md 1.4).

The plain forward pass, for training and as the reference of `guided.Guided`, which samplers use.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..base.packed_layers import packed
from ..pose.gesture_track import neutral_track
from ..pose.skeleton import FACE_COLUMNS
from .config import SMGAConfig
from .layers import Attention, EncoderLayer, FeedForward, FiLM, KeyValue, Rotary, sinusoid

TIME_TOKENS = 2


class LayerMemory(NamedTuple):
    """Keys and values of one decoder layer's two cross-attentions."""

    face: KeyValue
    body: KeyValue

    def append_tokens(self, other: LayerMemory) -> LayerMemory:
        return LayerMemory(self.face.append_tokens(other.face), self.body.append_tokens(other.body))


class Branch(nn.Module):
    """B(x): self-attention over the motion, then cross-attention to the audio, each with a FiLM."""

    def __init__(self, config: SMGAConfig):
        super().__init__()
        width = config.width
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attention = Attention(width, config.heads, config.dropout)
        self.cross_attention = Attention(width, config.heads, config.dropout)
        self.film1, self.film2 = FiLM(width), FiLM(width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, memory: KeyValue, condition: Tensor, rotary: Rotary) -> Tensor:
        y = self.norm1(x)
        y = self.self_attention.to_itself(rotary(y), y)
        x = x + self.film1(self.dropout(y), condition)
        y = self.cross_attention(rotary(self.norm2(x)), memory)
        return x + self.film2(self.dropout(y), condition)


class DecoderLayer(nn.Module):
    """m = B(s, face) + B(body input, body); s' = m + FiLM(FFN(LN(m))). Only s travels on.

    With one stream there is no body branch: s carries face and body, m = B(s).
    """

    def __init__(self, config: SMGAConfig):
        super().__init__()
        self.face = Branch(config)
        self.body = Branch(config) if config.streams == "two" else None
        self.norm = nn.LayerNorm(config.width)
        self.feed_forward = FeedForward(config.width, config.ffn, config.dropout)
        self.film = FiLM(config.width)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The streams."""
        return (self.face,) if self.body is None else (self.face, self.body)

    def project_memory(self, turned: Tensor, tokens: Tensor) -> LayerMemory:
        """Keys and values for both branches; `turned` is tokens (batch, length, width) with positions."""
        projected = [branch.cross_attention.project(turned, tokens) for branch in self.branches]
        return LayerMemory(projected[0], projected[-1])

    def forward(
        self, s: Tensor, body_input: Tensor, memory: LayerMemory, condition: Tensor, rotary: Rotary
    ) -> Tensor:
        face = self.face(s, memory.face, condition, rotary)
        merged = face
        if self.body is not None:
            merged = face + self.body(body_input, memory.body, condition, rotary)
        return merged + self.film(self.feed_forward(self.norm(merged)), condition)


class SMGA(nn.Module):
    """Spatial mask-guided audio-to-pose network: predicts x0 in the published normalization."""

    face_columns: Tensor

    def __init__(self, config: SMGAConfig | None = None):
        super().__init__()
        self.config = config = config or SMGAConfig()
        width = config.width
        self.null_audio = nn.Parameter(torch.empty(1, config.frames, width))
        self.null_pooled = nn.Parameter(torch.empty(1, width))
        if not self.null_audio.is_meta:  # where torch would import its compiler to draw nothing
            nn.init.normal_(self.null_audio)
            nn.init.normal_(self.null_pooled)
        self.rotary = Rotary(width, config.frames + TIME_TOKENS)
        self.time_hidden = nn.Linear(width, 4 * width)
        self.time_condition = nn.Linear(4 * width, width)
        self.time_tokens = nn.Linear(4 * width, TIME_TOKENS * width)
        self.memory_norm = nn.LayerNorm(width)
        self.motion_in = nn.Linear(2 * config.features, width)
        self.audio_in = nn.Linear(config.condition_channels, width)
        self.encoder = nn.ModuleList(
            EncoderLayer(width, config.ffn, config.heads, config.dropout)
            for _ in range(config.encoder_layers)
        )
        self.pool = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.motion_out = nn.Linear(width, config.features)
        face = torch.zeros(config.features)
        face[FACE_COLUMNS] = 1
        self.register_buffer("face_columns", face, persistent=False)

    @property
    def device(self) -> torch.device:
        return self.null_audio.device

    @contextmanager
    def ready(self) -> Iterator[None]:
        """The form that motions are sampled with: on a CPU its weights are packed, see `base.packed_layers`.

        Whoever samples several motions keeps this block open around them; blocks may lie within each other.
        """
        with ExitStack() as stack:
            with torch.no_grad():  # layers that need gradients stay as they are
                stack.enter_context(packed(self))
            yield

    def forward(
        self, x_t: Tensor, cond_frame: Tensor, audio: Tensor, t: Tensor, drop: Tensor | None = None
    ) -> Tensor:
        """Predict x0 (batch, frames, 402).

        Args:
            x_t: (batch, frames, 402) noisy motion; at most `config.frames` frames.
            cond_frame: (batch, 402) the first pose.
            audio: (batch, config.frames, condition_channels), or without the batch axis for a batch of one.
            t: (batch,) diffusion times, integers 0..999.
            drop: (batch,) bool, rows without audio; None = no row.
        """
        audio = audio if audio.ndim == 3 else audio[None]
        tokens, pooled = self.audio_tokens(audio, drop)
        hidden = F.mish(self.time_hidden(sinusoid(t, self.config.width).to(x_t.dtype)))
        condition = F.mish(self.time_condition(hidden) + pooled)
        times = self.time_tokens(hidden).unflatten(-1, (TIME_TOKENS, -1))
        memories = zip(
            self.project_memory(tokens), self.project_memory(times, self.config.frames), strict=True
        )
        s, body = self.streams(x_t, cond_frame)
        for layer, (heard, added) in zip(self.decoder, memories, strict=True):
            s = layer(s, body, heard.append_tokens(added), condition, self.rotary)
        return self.motion_out(s)

    def audio_tokens(self, audio: Tensor, drop: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Audio (batch, frames, channels) -> tokens (batch, frames, width) and the pooled audio
        (batch, width); `drop` as in `forward`. Audio without the gesture track that the network reads gets
        the neutral one.
        """
        if self.config.control_channels and audio.shape[-1] == self.config.audio_channels:
            neutral = torch.from_numpy(neutral_track(audio.shape[1])).to(audio)
            audio = torch.cat([audio, neutral.expand(len(audio), -1, -1)], dim=-1)
        tokens = self.audio_in(audio)
        for layer in self.encoder:
            tokens = layer(tokens, self.rotary)
        if drop is not None:
            tokens = torch.where(drop[:, None, None], self.null_audio.to(tokens.dtype), tokens)
        pooled = self.pool(tokens.mean(dim=1))
        if drop is not None:
            pooled = torch.where(drop[:, None], self.null_pooled.to(pooled.dtype), pooled)
        return tokens, pooled

    def streams(self, x_t: Tensor, cond_frame: Tensor) -> tuple[Tensor, Tensor]:
        """Noisy motion (batch, frames, 402) and first pose (batch, 402) -> what enters the first layer and
        the body branch of every layer, both (batch, frames, width).
        """
        first = cond_frame[:, None].expand(-1, x_t.shape[1], -1)
        both = torch.cat((x_t, first), dim=-1)
        mask = self.face_columns.to(both.dtype).repeat(2)
        entering = both * mask if self.config.streams == "two" else both
        return self.motion_in(entering), self.motion_in(both * (1 - mask))

    def project_memory(self, tokens: Tensor, start: int = 0) -> list[LayerMemory]:
        """Keys and values of all cross-attentions for memory tokens that begin at position `start`."""
        tokens = self.memory_norm(tokens)
        turned = self.rotary(tokens, start)
        return [cast(DecoderLayer, layer).project_memory(turned, tokens) for layer in self.decoder]
