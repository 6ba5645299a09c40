"""Stage I's training windows from a prepared data set, as many shards at a time as fit into memory."""

from __future__ import annotations

from collections.abc import Set

import torch
from torch import Tensor

from ...base.errors import InputError
from ...base.timebase import FPS, WINDOW_FRAMES
from ...pose.absent import with_places
from ...pose.motion import Motion
from ...smga.config import SMGAConfig
from ..dataset.clip import Clip
from ..dataset.index import ShardInfo
from ..dataset.layout import INFO, MOTION, PROSODY, STRIDE_SECONDS, WAVLM
from ..dataset.reader import PreparedData
from .draws import Draws, Shuffle
from .motion_data import MotionData
from .shard_turns import ShardTurns, Turn

CANVAS = 512  # pixels; a prepared motion is in fractions of a square image


class PreparedMotion:
    """Windows of 3.2 s every 0.5 s, each of them once in an epoch.

    Args:
        data: the prepared data set; split: "train" or "validation".
        config: says which features the model reads.
        batch: windows of a step, all processes together.
        clips: keys of the only clips that are taken, of both splits; None = all of `split`.
        memory_gb: limit of the shards' size in memory.
        audio_lag: frames by which the sound comes later than the motion. The published data has 1 and says
            so nowhere; 0 is what inference does (docs/method.md 1.8).

    Raises InputError where the data lacks the model's features, or the split has no clip.
    """

    def __init__(
        self,
        data: PreparedData,
        config: SMGAConfig,
        *,
        batch: int,
        split: str = "train",
        clips: Set[str] | None = None,
        seed: int = 0,
        memory_gb: float = 16.0,
        audio_lag: int = 0,
        device: torch.device | str = "cpu",
    ):
        self.data, self.config, self.batch_rows = data, config, batch
        self.seed, self.audio_lag, self.device = seed, audio_lag, device
        self.clips = clips
        self.shards = data.shards(split) if clips is None else data.shards_with(clips)
        if not self.shards:
            raise InputError(
                f"the data set has no {split} clips", where=data.folder, fix="prepare more recordings"
            )
        self.with_wavlm = config.audio_features != "prosody"
        if self.with_wavlm and not data.index.wavlm:
            raise InputError(
                "the model reads WavLM features, which the data set does not have",
                where=data.folder,
                fix="prepare the data with --wavlm, or train a model with --model.audio-channels 35",
            )
        row_bytes = 4 * (config.features + config.audio_channels)
        self.turns = ShardTurns(
            [shard.frames * row_bytes for shard in self.shards],
            [_windows(shard) / batch for shard in self.shards],
            int(memory_gb * 2**30),
            seed,
        )
        self._held: tuple[Turn, MotionData, Shuffle] | None = None

    def batch(self, draws: Draws, count: int) -> tuple[Tensor, Tensor]:
        """See `MotionSource`."""
        turn, windows, order = self._at(draws.step)
        first = draws.position(count) - turn.first * draws.parts * count
        return windows.windows(windows.starts[order.take(first, count).to(windows.starts.device)])

    def examples(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """See `MotionSource`; windows of the first shards."""
        return self._at(0)[1].examples(count, seed)

    def some(self, count: int) -> tuple[Tensor, Tensor]:
        """The same windows every time, spread evenly over the first shards; at most `count` of them."""
        windows = self._at(0)[1]
        chosen = torch.linspace(0, len(windows.starts) - 1, min(count, len(windows.starts))).long()
        return windows.windows(windows.starts[chosen.to(windows.starts.device)])

    def _at(self, step: int) -> tuple[Turn, MotionData, Shuffle]:
        turn = self.turns.at(step)
        if self._held is None or self._held[0].number != turn.number:
            self._held = None  # before the next shards are read
            windows = self._read(turn)
            self._held = turn, windows, Shuffle(len(windows.starts), self.seed, turn.number, 5)
        return self._held

    def _read(self, turn: Turn) -> MotionData:
        entries = (INFO, MOTION, PROSODY, *((WAVLM,) if self.with_wavlm else ()))
        motions, audio, starts, row = [], [], [], 0
        for index in turn.shards:
            for clip in self.data.iterate(self.shards[index], entries):
                if self.clips is not None and clip.info.key not in self.clips:
                    continue
                motions.append(network_motion(clip, self.config))
                audio.append(self._features(clip))
                starts.append(row + window_starts(clip.frames - self.audio_lag))
                row += clip.frames
        return MotionData(torch.cat(motions), torch.cat(audio), torch.cat(starts)).to(self.device)

    def _features(self, clip: Clip) -> Tensor:
        assert clip.prosody is not None, "asked for"
        parts = [torch.from_numpy(clip.prosody)]
        if self.with_wavlm:
            assert clip.wavlm is not None, "asked for"
            parts.insert(0, torch.from_numpy(clip.wavlm))
        rows = torch.cat(parts, 1).float()
        lagging = (torch.arange(len(rows)) + self.audio_lag).clamp_max(len(rows) - 1)
        return rows[lagging]


def _windows(shard: ShardInfo) -> float:
    """About how many windows a shard holds."""
    return max(shard.frames - WINDOW_FRAMES * shard.clips, 0) / (STRIDE_SECONDS * FPS) + shard.clips


def window_starts(frames: int) -> Tensor:
    """int64: first frames of the windows of 80 frames every 12.5 frames (0.5 s)."""
    count = int((frames - WINDOW_FRAMES) / (STRIDE_SECONDS * FPS)) + 1 if frames >= WINDOW_FRAMES else 0
    return (torch.arange(count) * STRIDE_SECONDS * FPS).long()


def network_motion(clip: Clip, config: SMGAConfig) -> Tensor:
    """float32 (frames, 402): the clip's motion as the network sees it, absent points at the places that
    inference gives them (docs/method.md 1.3).
    """
    assert clip.motion is not None, "asked for"
    motion = Motion(torch.from_numpy(clip.motion.copy()), CANVAS, CANVAS)
    return with_places(motion, legs=not config.legs_at_origin).to_network().float()
