"""Motions to train Stage I on: the presenters of a speech file, each saying its clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...base.pool import ordered_map
from ...base.progress import Progress, silent
from ...base.timebase import FPS, WINDOW_FRAMES
from ..presenter.direction import sample_direction
from ..presenter.held_out import training_seed
from ..presenter.identity import sample_identity
from ..presenter.motion_rules import perform
from .draws import Draws
from .speech_data import SpeechData

OVERHANG = (
    WINDOW_FRAMES // 2
)  # frames of stillness behind each clip: the last window of a recording reaches over its end


@dataclass(frozen=True)
class MotionData:
    """Clips as windows are cut from them.

    Attributes:
        motion: float32 (rows, 402), network form, clip after clip, each with `OVERHANG` frames of stillness
            at its end.
        audio: float32 (rows, 35), the features that belong to them; behind a clip's end its last row stays.
            Then the gesture track, where there is one.
        starts: int64 (windows,), rows at which a window of 80 frames can begin without leaving its clip.
    """

    motion: Tensor
    audio: Tensor
    starts: Tensor

    def windows(self, starts: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, 80, 402) motions and (batch, 80, 35) features that begin at the given rows."""
        rows = starts[:, None] + torch.arange(WINDOW_FRAMES, device=starts.device)
        return self.motion[rows], self.audio[rows]

    def batch(self, draws: Draws, count: int) -> tuple[Tensor, Tensor]:
        """`count` windows of the step, any of them as likely as any other."""
        return self.windows(self.starts[draws.integers(0, len(self.starts), count)])

    def examples(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """`count` windows on the CPU, for the beginning of a network."""
        chosen = Draws(seed, 0).integers(0, len(self.starts), count)
        return self.to("cpu").windows(self.starts.cpu()[chosen])

    def to(self, device: torch.device | str) -> MotionData:
        return MotionData(self.motion.to(device), self.audio.to(device), self.starts.to(device))


def make_motion_data(
    speech: SpeechData,
    *,
    identities: int = 1,
    directed: bool = False,
    seed: int = 0,
    workers: int = 1,
    progress: Progress = silent,
) -> MotionData:
    """Let `identities` presenters perform every clip of `speech`.

    Presenter i of clip k has the seed `seed * 1000000 + 1000 + k * identities + i`; the first thousand seeds
    of each million stay free for validation.

    Args:
        directed: each performance has a direction of its own (`presenter.direction`), whose gesture track
            follows the features; else all use the same gesture.
    """
    jobs = [
        (
            speech.phonemes_of(clip),
            speech.frames(clip),
            training_seed(seed, 1000 + clip * identities + i),
            directed,
        )
        for clip in range(speech.clips)
        for i in range(identities)
    ]
    motions, audio, starts, row = [], [], [], 0
    for index, (flat, track) in enumerate(ordered_map(_perform, jobs, workers=workers, progress=progress)):
        clip = index // identities
        features = speech.prosody[speech.frame_range(clip)].float()
        motions.append(torch.from_numpy(flat))
        heard = features[torch.arange(len(flat)).clamp_max(len(features) - 1)]
        audio.append(torch.cat([heard, torch.from_numpy(track)], dim=1))
        starts.append(row + torch.arange(max(len(flat) - WINDOW_FRAMES + 1, 0)))
        row += len(flat)
    return MotionData(torch.cat(motions), torch.cat(audio), torch.cat(starts))


def _perform(job: tuple[list, int, int, bool]) -> tuple[np.ndarray, np.ndarray]:
    """Motion (frames, 402) in network form, and gesture track (frames, 0 or more)."""
    phonemes, frames, seed, directed = job
    frames += OVERHANG
    direction = sample_direction(seed, frames) if directed else None
    chosen = {"track": direction.track, "rest": direction.rest} if direction else {}
    performance = perform(phonemes, frames / FPS, sample_identity(seed), seed, **chosen)
    track = direction.track if direction else np.zeros((frames, 0), np.float32)
    return performance.motion.to_network().float().numpy()[:frames], track
