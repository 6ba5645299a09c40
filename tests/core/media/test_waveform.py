"""Decoding: any container, rate and channel count; exact positions; clear refusals."""

from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.waveform import Waveform

RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000)


def noise(samples: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (samples, channels)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    extra=st.integers(0, 20_000),
    channels=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_every_rate_and_channel_count(tmp_path_factory, rate, extra, channels, seed):
    values = noise(math.ceil(rate / 25) + extra, channels, seed)
    path = tmp_path_factory.mktemp("sound") / "a.wav"
    soundfile.write(path, values, rate, subtype="FLOAT")
    waveform = load_waveform(path)
    assert waveform.rate == rate
    if channels <= 2:  # more of them: test_voice.py
        np.testing.assert_allclose(waveform.samples, values.mean(axis=1, dtype=np.float32), atol=1e-6)
    assert waveform.frames == math.ceil(len(values) * 25 / rate)
    assert waveform.resampled(16000).frames == waveform.frames == waveform.resampled(12800).frames


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_sample_formats_agree_with_soundfile(tmp_path, subtype):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(4000, 2), 16000, subtype=subtype)
    expected = soundfile.read(path, dtype="float32")[0].mean(axis=1)
    np.testing.assert_allclose(load_waveform(path).samples, expected, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(start=st.floats(0, 0.9), duration=st.one_of(st.none(), st.floats(0.05, 2.0)))
def test_start_and_duration_are_exact(tmp_path_factory, start, duration):
    rate = 22050
    values = np.arange(rate, dtype=np.float32) / rate
    path = tmp_path_factory.mktemp("sound") / "a.flac"
    soundfile.write(path, values, rate, subtype="PCM_24")
    first = round(start * rate)
    stop = rate if duration is None else min(rate, round((start + duration) * rate))
    waveform = load_waveform(path, start, duration)
    np.testing.assert_allclose(waveform.samples, values[first:stop], atol=2e-7)
    np.testing.assert_array_equal(load_waveform(path).cut(start, duration).samples, waveform.samples)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp3", "libmp3lame"), (".m4a", "aac"), (".ogg", "libopus"), (".mka", "flac")]
)
def test_compressed_formats_keep_time(tmp_path, suffix, codec):
    """A click one second in is found one second in, and the length is the original's."""
    rate = 48000
    values = np.zeros((1, 2 * rate), np.float32)
    values[0, rate : rate + 40] = 0.8
    path = tmp_path / f"a{suffix}"
    try:
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate, layout="mono")
            resampler = av.AudioResampler(
                stream.format.name, "mono", rate, stream.codec_context.frame_size or None
            )
            frame = av.AudioFrame.from_ndarray(values, "fltp", "mono")
            frame.sample_rate, frame.pts = rate, 0
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
    except (ValueError, av.FFmpegError) as error:
        pytest.skip(f"this PyAV cannot write {codec}: {error}")
    waveform = load_waveform(path)
    assert abs(int(np.abs(waveform.samples).argmax()) - (rate + 20)) < 48
    assert abs(waveform.samples.size - 2 * rate) < rate // 25


@settings(max_examples=30, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    samples=st.integers(1, 100_000),
    target=st.sampled_from((12800, 16000, 22050, 48000)),
)
def test_frames_survive_resampling(rate, samples, target):
    samples = max(samples, math.ceil(rate / 25))
    waveform = Waveform(np.zeros(samples, np.float32), rate)
    assert waveform.frames == math.ceil(samples * 25 / rate)
    assert waveform.resampled(target).frames == waveform.frames


def test_resampling_is_librosas():
    librosa = pytest.importorskip("librosa")
    values = noise(5000)[:, 0]
    expected = librosa.resample(values, orig_sr=44100, target_sr=16000)
    np.testing.assert_allclose(
        Waveform(values, 44100).resampled(16000).samples[: len(expected) - 1], expected[:-1], atol=1e-6
    )


def write_empty(path):
    soundfile.write(path, np.zeros((0, 1)), 16000)


def write_one_sample(path):
    soundfile.write(path, np.zeros((1, 1)), 16000)


def write_nan(path):
    values = noise(16000)
    values[5000] = np.nan
    soundfile.write(path, values, 16000, subtype="FLOAT")


def write_video_without_sound(path):
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (write_empty, "empty"),
        (write_one_sample, "too short: 1 sample"),
        (write_nan, "not numbers"),
        (write_video_without_sound, "no sound track"),
        (lambda path: path.write_text("hello, this is a text"), "not a sound or video file"),
        (lambda path: path.write_bytes(b""), "not a sound or video file"),
        (lambda path: path.write_bytes(np.random.default_rng(0).bytes(3000)), "not a sound or video file"),
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "no such file"),
    ],
)
def test_bad_input_is_one_sentence_that_names_the_file(tmp_path, write, words):
    path = tmp_path / "bad.wav"
    write(path)
    with pytest.raises(InputError, match=words) as caught:
        load_waveform(path)
    text = str(caught.value)
    assert "bad.wav" in text and text.endswith(".") and "\n" not in text


@pytest.mark.parametrize(
    ("start", "duration"), [(-1, None), (math.nan, None), (0, 0), (0, -2), (0, math.inf), (5.0, None)]
)
def test_bad_ranges(tmp_path, start, duration):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(16000), 16000)
    with pytest.raises(InputError):
        load_waveform(path, start, duration)


def test_truncated_file_gives_what_is_there(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(48000), 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 0.5 < load_waveform(path).seconds < 3


def test_padded_and_from_channels():
    waveform = Waveform.from_channels([[1.0] * 800, [0.0] * 800], 16000)
    assert (waveform.samples == 0.5).all()
    assert waveform.padded(900).samples.tolist() == [0.5] * 800 + [0.0] * 100
    assert waveform.padded(700).samples.size == 700


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Waveform(np.zeros((2, 800), np.float32), 16000), "mono"),
        (lambda: Waveform(np.zeros(800, np.float32), 0), "sample rate"),
        (lambda: Waveform(np.zeros(0, np.float32), 16000), "empty"),
        (lambda: Waveform.from_channels(np.zeros(800), 16000), "channels"),
        (lambda: Waveform(np.zeros(800, np.float32), 16000).cut(3.0), "beyond the end"),
    ],
)
def test_bad_waveforms(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_late_sound_of_a_video_keeps_its_place(tmp_path):
    """Sound that starts 0.4 s after the images is heard 0.4 s in."""
    path, rate = tmp_path / "a.mkv", 16000
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.width = pictures.height = 32
        pictures.pix_fmt = "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for index in range(25):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(pictures.encode(frame))
        frame = av.AudioFrame.from_ndarray(np.full((1, rate // 2), 8000, np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), int(0.4 * rate)
        container.mux(sound.encode(frame))
        container.mux(pictures.encode(None))
        container.mux(sound.encode(None))
    waveform = load_waveform(path)
    first = int(np.flatnonzero(waveform.samples)[0])
    assert abs(first / rate - 0.4) < 0.002
