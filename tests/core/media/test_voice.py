"""One voice of any channels: phase, surround and their levels, in files and in arrays."""

from __future__ import annotations

import av
import numpy as np
import pytest
import soundfile

from mmgt_core.media.downmix import CANCEL_NOTE, mixed_down, weights_of
from mmgt_core.media.sound_file import load_channels, load_waveform
from mmgt_core.media.voice import voice_of
from mmgt_core.media.waveform import Waveform

RATE = 16_000


def speech(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (0.1 * generator.standard_normal(round(seconds * RATE))).astype(np.float32)


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean()))


@pytest.mark.parametrize("right", [-1.0, -0.9])
def test_opposite_phase_takes_the_louder_channel_and_says_so(tmp_path, right):
    path, left = tmp_path / "a.wav", speech()
    soundfile.write(path, np.stack([left, right * left], 1), RATE, subtype="FLOAT")
    notes: list[str] = []
    np.testing.assert_array_equal(load_waveform(path, note=notes.append).samples, left)
    assert notes == [CANCEL_NOTE]
    assert len(load_channels(path)) == 2, "the video keeps both"


@pytest.mark.parametrize("right", [1.0, 0.0, -0.3])
def test_other_stereo_is_the_mean_without_a_remark(right):
    left, notes = speech(), []
    other = right * left if right else speech(seed=1)
    voice = voice_of([Waveform(left, RATE), Waveform(other, RATE)], notes.append)
    np.testing.assert_array_equal(voice.samples, np.stack([left, other]).mean(axis=0, dtype=np.float32))
    assert not notes


@pytest.mark.parametrize(
    ("layout", "speakers"),
    [("5.1", ["FC"]), ("5.1", ["FL", "FR"]), ("5.1", ["FL", "FR", "FC", "BL", "BR"]), ("7.1", ["FC"]),
     ("5.1(side)", ["FC"]), ("quad", ["FL"]), ("3.0", ["FC"]), ("octagonal", ["FC"])],
)  # fmt: skip
def test_surround_keeps_its_level(tmp_path, layout, speakers):
    """A voice in any of the speakers is within 1 dB of what it is in one of them, and is the same voice."""
    path, voice = tmp_path / "a.mka", speech()
    names = [channel.name for channel in av.AudioLayout(layout).channels]
    values = np.stack([voice if name in speakers else np.zeros_like(voice) for name in names])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=RATE, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values.T).reshape(1, -1), "flt", layout)
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (found,) = load_channels(path)
    assert abs(decibels(found.samples) - decibels(voice)) < 1
    assert np.corrcoef(found.samples, voice)[0, 1] > 0.999


def test_the_bass_channel_is_left_out():
    voice, bass = speech(), 5 * speech(seed=1)
    values = np.zeros((6, voice.size), np.float32)
    values[2], values[3] = voice, bass
    np.testing.assert_allclose(mixed_down(values), voice, atol=1e-6)


def test_surround_in_opposite_phase_takes_the_loudest_channel(tmp_path):
    values = np.zeros((6, RATE), np.float32)
    values[0], values[1] = speech(), -0.9 * speech()
    path, notes = tmp_path / "a.wav", []
    soundfile.write(path, values.T, RATE, format="WAVEX", subtype="FLOAT")
    np.testing.assert_array_equal(load_waveform(path, note=notes.append).samples, values[0])
    assert notes == [CANCEL_NOTE]
    np.testing.assert_array_equal(mixed_down(values), values[0])


def test_arrays_and_files_agree(tmp_path):
    values = np.stack([speech(seed=seed) for seed in range(6)])
    path = tmp_path / "a.wav"
    soundfile.write(path, values.T, RATE, format="WAVEX", subtype="FLOAT")
    np.testing.assert_allclose(load_waveform(path).samples, mixed_down(values), atol=1e-6)


def test_a_loud_mix_stays_within_full_scale():
    values = np.full((6, RATE), 0.9, np.float32)
    values[:, ::2] *= -1
    assert 0.85 < np.abs(mixed_down(values)).max() <= 1


@pytest.mark.parametrize("channels", [3, 4, 9])
def test_unknown_speakers_count_the_same(channels):
    np.testing.assert_array_equal(weights_of(channels), np.full(channels, 1 / channels, np.float32))
    voice = speech()
    values = np.zeros((channels, voice.size), np.float32)
    values[-1] = voice
    np.testing.assert_allclose(mixed_down(values), voice, atol=1e-6)


def test_a_loud_mono_file_stays_as_it_is(tmp_path):
    path, loud = tmp_path / "a.wav", 20 * speech()
    soundfile.write(path, loud, RATE, subtype="FLOAT")
    assert np.abs(loud).max() > 1
    np.testing.assert_array_equal(load_waveform(path).samples, loud)
