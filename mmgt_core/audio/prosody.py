"""The 35 prosody channels of SMGA's published features, column for column (docs/method.md 1.2)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_HOP, PROSODY_RATE
from ..media.waveform import Waveform, fit_length
from .chroma import CHROMA, chroma_cens

CHANNELS = 35
MFCC = 20
N_FFT = 2048
MELS = 128
TIGHTNESS = 100
TEMPO_RATE = 22_050  # Hz; librosa's default, at which the published extraction estimates the start tempo
TEMPO_WINDOW = 8.0  # s, librosa's default of what a beat is looked for in
BLOCK = 512  # columns per spectrum


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
    import librosa

    samples = waveform.resampled(PROSODY_RATE).samples
    with _without_remarks():
        level = librosa.power_to_db(mel_spectrogram(samples, PROSODY_RATE))
        envelope = librosa.onset.onset_strength(S=level, sr=PROSODY_RATE, hop_length=PROSODY_HOP, n_fft=N_FFT)
        tempo = start_tempo(waveform)
        beat = {"onset_envelope": envelope, "sr": PROSODY_RATE, "hop_length": PROSODY_HOP}
        onsets = librosa.onset.onset_detect(**beat)
        _, beats = librosa.beat.beat_track(**beat, start_bpm=tempo, tightness=TIGHTNESS)
        return ProsodyParts(
            onset_envelope=envelope.astype(np.float32),
            mfcc=librosa.feature.mfcc(S=level, sr=PROSODY_RATE, n_mfcc=MFCC).T.astype(np.float32),
            chroma_cens=chroma_cens(samples),
            onset_frames=np.asarray(onsets, dtype=np.int64),
            beat_frames=np.asarray(beats, dtype=np.int64),
            start_bpm=tempo,
        )


def start_tempo(waveform: Waveform) -> float:
    """Beats a minute by librosa's estimate at 22.05 kHz."""
    import librosa

    samples = waveform.resampled(TEMPO_RATE).samples
    with _without_remarks():
        level = librosa.power_to_db(mel_spectrogram(samples, TEMPO_RATE))
        envelope = librosa.onset.onset_strength(S=level, sr=TEMPO_RATE)
        found = librosa.feature.tempo(tg=mean_tempogram(envelope), sr=TEMPO_RATE, ac_size=TEMPO_WINDOW)
        return float(np.atleast_1d(found)[0])


def mean_tempogram(envelope: NDArray[np.float32]) -> NDArray[np.float64]:
    """(lags, 1) librosa's tempogram, averaged over time in blocks: it has 344 rows a column."""
    import librosa

    length = int(librosa.time_to_frames(TEMPO_WINDOW, sr=TEMPO_RATE, hop_length=PROSODY_HOP))
    padded = np.pad(envelope, length // 2, mode="linear_ramp", end_values=0)
    total = np.zeros((length, 1))
    for first in range(0, envelope.size, BLOCK):
        part = padded[first : min(first + BLOCK, envelope.size) + length - 1]
        columns = librosa.feature.tempogram(
            onset_envelope=part, sr=TEMPO_RATE, hop_length=PROSODY_HOP, win_length=length, center=False
        )
        total += columns.sum(axis=-1, keepdims=True)
    return total / envelope.size


def mel_spectrogram(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """librosa's default mel power (128, 1 + n // 512), in blocks: an hour of sound needs no gigabytes."""
    import librosa

    columns = 1 + samples.size // PROSODY_HOP
    padded = np.pad(samples, N_FFT // 2)
    blocks = [
        librosa.feature.melspectrogram(
            y=padded[first * PROSODY_HOP : (min(first + BLOCK, columns) - 1) * PROSODY_HOP + N_FFT],
            sr=rate,
            n_fft=N_FFT,
            hop_length=PROSODY_HOP,
            n_mels=MELS,
            center=False,
        )
        for first in range(0, columns, BLOCK)
    ]
    return np.concatenate(blocks, axis=1)


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Short and silent sounds are lawful here; librosa's remarks about them would only alarm."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_fft=.* is too large", category=UserWarning)
        warnings.filterwarnings("ignore", message="Trying to estimate tuning", category=UserWarning)
        yield
