"""The 35 prosody channels of SMGA's published features, column for column (docs/method.md 1.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_RATE
from ..media.waveform import Waveform, fit_length
from .beats import beat_columns
from .chroma import CHROMA, chroma_cens
from .rhythm import onset_columns, onset_strength, tempo
from .spectra import MFCC, decibels, mel_spectrogram, mfcc

CHANNELS = 35
TEMPO_RATE = 22_050  # Hz, at which the published extraction estimates the start tempo


@dataclass(frozen=True)
class ProsodyParts:
    """What the channels are made of: `n` = 1 + samples // 512 columns, column k centered on 40 k ms.

    Attributes:
        onset_envelope: float32 (n,).
        mfcc: float32 (n, 20).
        chroma_cens: float32 (n, 12).
        onset_frames, beat_frames: int (any,), column indices.
        start_bpm: beats a minute, where the beat tracker starts from.
    """

    onset_envelope: NDArray[np.float32]
    mfcc: NDArray[np.float32]
    chroma_cens: NDArray[np.float32]
    onset_frames: NDArray[np.int64]
    beat_frames: NDArray[np.int64]
    start_bpm: float

    def channels(self) -> NDArray[np.float32]:
        """float32 (n, 35): onset strength, 20 MFCC, 12 chroma CENS, onset one-hot, beat one-hot."""
        columns = np.zeros((len(self.onset_envelope), CHANNELS), np.float32)
        columns[:, 0] = self.onset_envelope
        columns[:, 1 : 1 + MFCC] = self.mfcc
        columns[:, 1 + MFCC : 1 + MFCC + CHROMA] = self.chroma_cens
        columns[self.onset_frames, -2] = 1
        columns[self.beat_frames, -1] = 1
        return columns


def prosody(waveform: Waveform) -> NDArray[np.float32]:
    """float32 (frames, 35), exactly `waveform.frames` rows, row k for frame k; finite for silence too."""
    return fit_length(prosody_raw(waveform).channels(), waveform.frames)


def prosody_raw(waveform: Waveform) -> ProsodyParts:
    """The parts of the published features of a whole recording of any rate and length."""
    samples = waveform.resampled(PROSODY_RATE).samples
    level = decibels(mel_spectrogram(samples, PROSODY_RATE))
    envelope, start = onset_strength(level), start_tempo(waveform)
    return ProsodyParts(
        onset_envelope=envelope,
        mfcc=mfcc(level).T,
        chroma_cens=chroma_cens(samples),
        onset_frames=onset_columns(envelope, PROSODY_RATE),
        beat_frames=beat_columns(envelope, PROSODY_RATE, tempo(envelope, PROSODY_RATE, start)),
        start_bpm=start,
    )


def start_tempo(waveform: Waveform) -> float:
    """Beats a minute, estimated at 22.05 kHz."""
    samples = waveform.resampled(TEMPO_RATE).samples
    return tempo(onset_strength(decibels(mel_spectrogram(samples, TEMPO_RATE))), TEMPO_RATE)
