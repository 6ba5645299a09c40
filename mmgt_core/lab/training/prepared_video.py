"""Stage II training clips from a prepared data set: read, cropped and drawn on demand, then encoded."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...base.errors import InputError
from ...video.config import VideoConfig
from ...video.image_embedding import image_embedding
from ...video.mask_pyramid import LEVELS
from ..dataset.layout import INFO, MOTION, SPEECH, VIDEO
from ..dataset.reader import PreparedData
from .clip_reader import PIECE, ClipReader
from .clip_source import ClipBatch
from .draws import Draws
from .latents import encode_images
from .shard_turns import ShardTurns, Turn
from .video_loss import BatchSettings

ENTRIES = (INFO, MOTION, SPEECH, VIDEO)
AHEAD = 2  # steps that each worker prepares


class PreparedVideo:
    """Clips of a prepared data set, in another order in every epoch.

    Args:
        data: the prepared data set; split: "train" or "validation".
        config: the model's; its size is the images'.
        clips: keys of the only clips that are taken, of both splits; None = all of `split`.
        autoencoder: frozen, Stable Diffusion's or a tiny one, on the training device.
        clip_vision: CLIP's image encoder; None where the model has no CLIP token.
        accumulate: micro-batches of a step in each process.
        workers: processes that read and draw ahead; 0 = none.
        memory_gb: limit of the videos in memory, as files.

    Raises InputError where the data lacks the model's features, or the split has no clip.
    """

    def __init__(
        self,
        data: PreparedData,
        config: VideoConfig,
        settings: BatchSettings,
        autoencoder: Any,
        clip_vision: Any = None,
        *,
        split: str = "train",
        clips: Set[str] | None = None,
        seed: int = 0,
        accumulate: int = 1,
        workers: int = 0,
        memory_gb: float = 8.0,
    ):
        self.data, self.config, self.settings, self.seed = data, config, settings, seed
        self.autoencoder, self.clip_vision = autoencoder, clip_vision
        self.workers, self.accumulate = workers, accumulate
        self.clips = clips
        self.shards = data.shards(split) if clips is None else data.shards_with(clips)
        if not self.shards:
            raise InputError(
                f"the data set has no {split} clips", where=data.folder, fix="prepare more recordings"
            )
        if data.index.speech != config.audio_features:
            raise InputError(
                f"the model reads {config.audio_features} features, the data set has {data.index.speech}",
                where=data.folder,
                fix="prepare the data for this model, or choose another model",
            )
        pieces = [max(shard.frames // PIECE, 1) for shard in self.shards]
        self.turns = ShardTurns(
            [shard.bytes for shard in self.shards],
            [count / settings.clips for count in pieces],
            int(memory_gb * 2**30),
            seed,
        )
        self.black_embeds: Tensor | None = None
        if clip_vision is not None:
            black = np.zeros((config.size, config.size, 3), np.uint8)
            self.black_embeds = image_embedding(clip_vision, black)
        self._held: tuple[Turn, ClipReader] | None = None
        self._ahead: _Ahead | None = None

    def batch(self, draws: Draws, settings: Any) -> ClipBatch:
        """See `ClipSource`."""
        made = self._tensors(draws)
        device = draws.device
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in made.items()}
        scale = self.config.latent_scale
        embeds = None
        if self.clip_vision is not None:
            embeds = torch.cat(
                [image_embedding(self.clip_vision, image.numpy()) for image in made["references"]]
            ).to(device)
        return ClipBatch(
            latents=encode_images(self.autoencoder, moved["images"], scale, draws),
            references=encode_images(self.autoencoder, moved["references"], scale, draws),
            image_embeds=embeds,
            poses=moved["poses"],
            masks=tuple(moved[f"masks{level}"] for level in range(LEVELS)),
            sound=moved["sound"],
            boxes=moved["boxes"],
            images=moved["images"] if settings.pixels else None,
        )

    def _tensors(self, draws: Draws) -> dict[str, Tensor]:
        turn = self.turns.at(draws.step)
        if self._held is None or self._held[0].number != turn.number:
            self._held, self._ahead = None, None  # before the next shards are read
            clips = [
                clip
                for index in turn.shards
                for clip in self.data.iterate(self.shards[index], ENTRIES)
                if self.clips is None or clip.info.key in self.clips
            ]
            self._held = turn, ClipReader(clips, self.config, self.settings, (self.seed, turn.number, 6))
        reader = self._held[1]
        if not self.workers:
            return reader.read(draws.cpu(), turn.first)
        if self._ahead is None or self._ahead.next != (draws.step, draws.part):
            self._ahead = _Ahead(reader, draws, turn, self.workers, self.accumulate)
        return self._ahead.take()


class _Ahead:
    """The tensors of micro-batch after micro-batch, prepared by worker processes."""

    def __init__(self, reader: ClipReader, draws: Draws, turn: Turn, workers: int, accumulate: int):
        from torch.utils.data import DataLoader

        parts = _MicroBatches(reader, draws, turn, workers, accumulate)
        self.numbers = parts.numbers(0, 1)
        self.next = parts.place(next(self.numbers))
        self.parts = parts
        loader = DataLoader(parts, batch_size=None, num_workers=workers, prefetch_factor=AHEAD)
        self._made: Iterator[dict[str, Tensor]] = iter(loader)

    def take(self) -> dict[str, Tensor]:
        """The tensors of the next micro-batch."""
        self.next = self.parts.place(next(self.numbers))
        return next(self._made)


class _MicroBatches(torch.utils.data.IterableDataset):
    """A process's micro-batches from the one of `draws` on; worker k of n makes every n-th."""

    def __init__(self, reader: ClipReader, draws: Draws, turn: Turn, workers: int, accumulate: int):
        self.reader, self.draws, self.turn = reader, draws, turn
        self.workers, self.accumulate = workers, accumulate

    def numbers(self, first: int, every: int) -> Iterator[int]:
        """Numbers of micro-batches, counted over the steps of this process."""
        number = self.draws.step * self.accumulate + self.draws.part % self.accumulate + first
        while True:
            yield number
            number += every

    def place(self, number: int) -> tuple[int, int]:
        """(step, part) of a micro-batch."""
        own = self.draws.part // self.accumulate * self.accumulate
        return number // self.accumulate, own + number % self.accumulate

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        info = torch.utils.data.get_worker_info()
        end = None if self.turn.steps is None else self.turn.first + self.turn.steps
        for number in self.numbers(info.id if info else 0, self.workers):
            step, part = self.place(number)
            if end is not None and step >= end:
                return
            draws = Draws(self.draws.seed, step, "cpu", part, self.draws.parts)
            yield self.reader.read(draws, self.turn.first)
