"""Our prosody against librosa itself, part by part, on sounds of several rates, kinds and lengths.

librosa is no dependency of the engine: importing it takes seconds, in which numba compiles.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mmgt_core import assets
from mmgt_core.audio import chroma, rhythm, spectra, tuning
from mmgt_core.audio.prosody import TEMPO_RATE, prosody_raw
from mmgt_core.audio.tuning import estimate_tuning
from mmgt_core.base.timebase import PROSODY_RATE
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.waveform import Waveform

librosa = pytest.importorskip("librosa")


def hum(seconds: float, rate: int, seed: int = 0) -> Waveform:
    rng, time = np.random.default_rng(seed), np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * 180 * time) * (np.sin(2 * np.pi * 3 * time) > 0) * 0.3
    return Waveform((tone + rng.normal(0, 0.003, time.size)).astype(np.float32), rate)


def melody(seconds: float, rate: int) -> Waveform:
    """Plucked tones four times a second, 13 hundredths of a semitone above 440 Hz."""
    rng, length = np.random.default_rng(1), rate // 4
    time, notes = np.arange(length) / rate, rng.integers(0, 24, int(seconds * 4))
    tones = [np.sin(2 * np.pi * 220 * 2 ** ((note + 0.13) / 12) * time) * np.exp(-6 * time) for note in notes]
    return Waveform((0.4 * np.concatenate(tones)).astype(np.float32), rate)


def clicks(seconds: int, rate: int) -> Waveform:
    samples = np.random.default_rng(2).normal(0, 1e-4, seconds * rate).astype(np.float32)
    for second in range(1, seconds):
        samples[second * rate : second * rate + 200] += 0.5
    return Waveform(samples, rate)


SOUNDS = {
    "speech": lambda: load_waveform(assets.asset(assets.SPEECH)),
    "hum at 8 kHz": lambda: hum(5.2, 8_000),
    "hum at 48 kHz": lambda: hum(17.03, 48_000, 3),
    "music": lambda: melody(12, 22_050),
    "clicks": lambda: clicks(9, 44_100),
    "noise": lambda: Waveform(np.random.default_rng(4).normal(0, 0.1, 50_000).astype(np.float32), 16_000),
    "two columns": lambda: Waveform(np.random.default_rng(5).normal(0, 0.1, 700).astype(np.float32), 16_000),
    "silence": lambda: Waveform(np.zeros(40_000, np.float32), 16_000),
}


@pytest.fixture(autouse=True)
def quiet():
    """Short and silent sounds are lawful here; librosa's remarks about them are not our subject."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


@pytest.mark.parametrize("name", SOUNDS)
def test_every_part_is_librosas(name):
    sound = SOUNDS[name]()
    parts = prosody_raw(sound)
    samples = sound.resampled(PROSODY_RATE).samples
    mel = librosa.feature.melspectrogram(y=samples, sr=PROSODY_RATE, n_fft=2048, hop_length=512, n_mels=128)
    level = librosa.power_to_db(mel)
    envelope = librosa.onset.onset_strength(S=level, sr=PROSODY_RATE, hop_length=512, n_fft=2048)
    at_default_rate = librosa.onset.onset_strength(y=sound.resampled(TEMPO_RATE).samples, sr=TEMPO_RATE)
    tempo = librosa.feature.tempo(onset_envelope=at_default_rate, sr=TEMPO_RATE)
    beat = {"onset_envelope": envelope, "sr": PROSODY_RATE, "hop_length": 512}
    beats = librosa.beat.beat_track(**beat, start_bpm=parts.start_bpm, tightness=100)[1]
    cens = librosa.feature.chroma_cens(y=samples, sr=PROSODY_RATE, hop_length=512, n_chroma=12).T
    np.testing.assert_allclose(parts.onset_envelope, envelope, atol=2e-5)
    np.testing.assert_allclose(
        parts.mfcc, librosa.feature.mfcc(S=level, sr=PROSODY_RATE, n_mfcc=20).T, atol=5e-4
    )
    assert parts.chroma_cens.shape == cens.shape
    assert np.abs(parts.chroma_cens - cens).mean() < 1e-4  # a value on an edge of the quantization may step
    np.testing.assert_array_equal(parts.onset_frames, librosa.onset.onset_detect(**beat))
    np.testing.assert_array_equal(parts.beat_frames, beats)
    assert parts.start_bpm == pytest.approx(float(np.atleast_1d(tempo)[0]))


@pytest.mark.parametrize("name", ["speech", "music", "hum at 8 kHz"])
def test_the_tuning_is_librosas(name):
    samples = SOUNDS[name]().resampled(PROSODY_RATE).samples
    found = estimate_tuning(samples, 36)
    assert found == pytest.approx(librosa.estimate_tuning(y=samples, sr=PROSODY_RATE, bins_per_octave=36))
    if name == "music":
        assert abs(found - 0.13 * 3) < 0.05


def test_mel_filters_are_librosas():
    for rate in (PROSODY_RATE, TEMPO_RATE):
        expected = librosa.filters.mel(sr=rate, n_fft=2048, n_mels=128)
        np.testing.assert_allclose(spectra.mel_filters(rate), expected, atol=1e-8)


def test_blocks_change_nothing(monkeypatch):
    samples = hum(3.01, PROSODY_RATE).samples
    whole = spectra.mel_spectrogram(samples, PROSODY_RATE)
    envelope = rhythm.onset_strength(spectra.decibels(whole))
    tempogram, tuned = rhythm.mean_tempogram(envelope, 100), estimate_tuning(samples, 36)
    monkeypatch.setattr(spectra, "BLOCK", 7)
    monkeypatch.setattr(rhythm, "BLOCK", 7)
    monkeypatch.setattr(tuning, "BLOCK", 7)
    np.testing.assert_allclose(spectra.mel_spectrogram(samples, PROSODY_RATE), whole, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(rhythm.mean_tempogram(envelope, 100), tempogram, rtol=1e-9)
    assert estimate_tuning(samples, 36) == pytest.approx(tuned)


@pytest.mark.parametrize("seconds", [0.05, 12.3])
def test_chroma_in_blocks_is_librosas(monkeypatch, seconds):
    """Tuning from all blocks together; columns at a block's edge hear beyond it."""
    samples = hum(seconds, PROSODY_RATE).samples
    whole = librosa.feature.chroma_cens(y=samples, sr=PROSODY_RATE, hop_length=512, n_chroma=12).T
    monkeypatch.setattr(chroma, "BLOCK", 128)
    blocks = chroma.chroma_cens(samples)
    assert blocks.shape == whole.shape
    assert np.abs(blocks - whole).mean() < 1e-4 and np.abs(blocks - whole).max() < 0.05
