"""Clips on which gestures are measured: held-out speech of the presenter, and recordings of any voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ...base.errors import InputError
from ...base.timebase import FPS
from ...media.waveform import Waveform
from ...pose.motion import Motion
from ..presenter.held_out import held_out_seed

FIRST_CLIP = 800_000  # indices of held-out seeds that no other evaluation takes
AFTER = 1.6  # seconds of silence behind each clip, in which the hands must come to rest
SETTLED = 20  # frames after the last sound from which on everything rests
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".m4a")


@dataclass(frozen=True)
class GestureClip:
    """One clip; all curves have its frames.

    Attributes:
        name: for messages.
        features: (frames, 35) prosody.
        loudness: (frames,) in decibels.
        speaking, resting: bool (frames,): somebody speaks; it is silent, and was so for a while.
        onsets: frames of onsets of the sound.
        first_pose: one frame.
        seed: of the presenter.
        phonemes: of the presenter's speech; None for recordings, whose true motion nobody knows.
    """

    name: str
    features: Tensor
    loudness: NDArray[np.float64]
    speaking: NDArray[np.bool_]
    resting: NDArray[np.bool_]
    onsets: NDArray[np.int64]
    first_pose: Motion
    seed: int
    phonemes: tuple | None = None

    @property
    def frames(self) -> int:
        return len(self.features)


def spoken_clips(count: int, run: int = 0) -> list[GestureClip]:
    """Held-out speech: voices, sentences and presenters that training never met; needs espeak-ng."""
    from ..presenter.clip import sample_utterance
    from ..presenter.speech import pad

    clips = []
    for index in range(count):
        seed = held_out_seed(run, FIRST_CLIP + index)
        spoken = pad(sample_utterance(seed, sentences=2, held_out=True), 0.0, AFTER)
        wave = Waveform(spoken.samples, spoken.rate)
        clips.append(_clip(f"espeak {index}", wave, seed, tuple(spoken.phonemes)))
    return clips


def recorded_clips(folder: Path, run: int = 0) -> list[GestureClip]:
    """Each sound of a folder, by name, with half a second of silence before it and `AFTER` behind it.

    Raises InputError where there is none, or one cannot be read.
    """
    from ...media.sound_file import load_waveform

    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in SOUNDS)
    if not files:
        raise InputError("this folder holds no sound", where=folder, fix=f"put {', '.join(SOUNDS)} into it")
    clips = []
    for index, path in enumerate(files):
        wave = load_waveform(path)
        samples = np.pad(wave.samples, (round(0.5 * wave.rate), round(AFTER * wave.rate)))
        seed = held_out_seed(run, FIRST_CLIP + 1000 + index)
        clips.append(_clip(path.stem, Waveform(samples.astype(np.float32), wave.rate), seed, None))
    return clips


def _clip(name: str, wave: Waveform, seed: int, phonemes: Sequence | None) -> GestureClip:
    import torch

    from ...audio.lip_sync import loudness
    from ...audio.prosody import prosody
    from ...audio.silence_gate import silence_gate
    from ..presenter.figure import rest_pose
    from ..presenter.identity import sample_identity

    features = prosody(wave)
    speaking = silence_gate(wave) > 0.5
    since = np.full(len(speaking), SETTLED)
    for frame in range(1, len(speaking)):
        since[frame] = 0 if speaking[frame] else since[frame - 1] + 1
    onsets = np.flatnonzero((features[:, -2] > 0) & speaking)
    pose = torch.from_numpy(rest_pose(sample_identity(seed)))[None]
    return GestureClip(
        name,
        torch.from_numpy(features),
        loudness(wave)[: len(features)],
        speaking,
        since > SETTLED,
        onsets[onsets > FPS // 4],
        Motion(pose),
        seed,
        None if phonemes is None else tuple(phonemes),
    )
