"""Images, poses and sound of a clip belong together, whatever the video's frame rate and beginnings are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from . import films
from .conftest import all_clips

HALF = 0.5 / 25  # seconds


def variable(seconds: float) -> np.ndarray:
    steps = np.random.default_rng(1).choice([1 / 30, 1 / 20, 1 / 15], size=int(seconds * 30))
    times = np.round(np.concatenate([[0], np.cumsum(steps)]) * films.TICKS) / films.TICKS
    return times[times < seconds - 0.01]


CASES = {
    "25": films.regular(5.0),
    "29.97": films.regular(5.0, Fraction(30_000, 1001)),
    "15": films.regular(5.0, 15),
    "60": films.regular(5.0, 60),
    "variable": variable(5.0),
    "late": films.regular(4.6) + 0.3,
}


def lag(sound: np.ndarray, truth: np.ndarray) -> float:
    """Seconds by which the sound comes after the truth."""
    size = len(sound) + len(truth)
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(truth, size))
    place = int(np.argmax(np.fft.irfft(spectrum, size)))
    return (place if place < size // 2 else place - size) / films.RATE


@pytest.mark.parametrize("name", CASES)
def test_images_poses_and_sound_are_at_the_same_time(run, tmp_path, name):
    times = CASES[name]
    shown = times - times[0]
    films.write_film(tmp_path / "in" / "film.mp4", times, 5.0, poses="keypoints")
    data, summary = run(tmp_path / "in", validation=0)
    (clip,) = all_clips(data, ("mp4", "flac", "motion.npy", "speech.npy", "prosody.npy"))
    assert clip.frames >= 114 and clip.info.start == 0
    wanted = np.arange(clip.frames) / 25
    # The source frame of each pose, by what it says:
    index = np.abs(films.time_of(clip.motion)[:, None] - shown[None]).argmin(axis=1)
    ends = np.append(shown[1:], np.inf)
    assert (shown[index] <= wanted + HALF).all() and (ends[index] > wanted - HALF).all()
    # The image is of the very same source frame:
    levels = clip.images()[:, 20:40, 20:40].mean(axis=(1, 2, 3))
    truth = np.array([films.gray(time) for time in shown[index]])
    assert np.abs(levels - truth).max() <= films.SLOPE / 60 / 2, "closer than half a frame at 60 a second"
    truth_sound = films.speech(5.0)[round(times[0] * films.RATE) :]
    assert abs(lag(clip.samples(), truth_sound[: clip.frames * 640])) <= HALF / 10
    assert len(clip.speech) == len(clip.prosody) == clip.frames


def test_sound_of_48_khz_stereo_is_where_it_was(run, tmp_path):
    import soxr

    both = np.stack([soxr.resample(films.speech(5.0), films.RATE, 48_000)] * 2)
    films.write_film(tmp_path / "in" / "film.mp4", sound=both, rate=48_000)
    data, _ = run(tmp_path / "in", validation=0)
    (clip,) = all_clips(data, ("flac",))
    assert abs(lag(clip.samples(), films.speech(5.0)[: clip.frames * 640])) <= HALF / 10


def test_the_rows_are_those_of_the_sound_that_is_kept(run, tmp_path):
    from mmgt_core.audio.log_mel import log_mel
    from mmgt_core.audio.prosody import prosody
    from mmgt_core.media.waveform import Waveform

    films.write_film(tmp_path / "in" / "film.mp4")
    data, _ = run(tmp_path / "in", validation=0)
    (clip,) = all_clips(data, ("flac", "speech.npy", "prosody.npy"))
    voice = Waveform(clip.samples(), 16_000)
    np.testing.assert_array_equal(clip.speech[:, 0], log_mel(voice).astype(np.float16))
    np.testing.assert_array_equal(clip.prosody, prosody(voice).astype(np.float16))


def test_vocals_beside_the_video_take_the_place_of_its_sound(run, tmp_path):
    from mmgt_core.media.sound_file import save_wav
    from mmgt_core.media.waveform import Waveform

    films.write_film(tmp_path / "in" / "film.mp4")
    vocals = films.speech(5.0, seed=9).astype(np.float32)
    save_wav(tmp_path / "in" / "film_vocals.wav", Waveform(vocals, films.RATE))
    data, _ = run(tmp_path / "in", validation=0)
    (clip,) = all_clips(data, ("flac",))
    assert np.abs(clip.samples() - vocals[: clip.frames * 640]).max() < 1e-3


def test_an_interval_of_a_table_begins_and_ends_where_it_says(run, tmp_path):
    films.write_film(tmp_path / "in" / "film.mp4", seconds=9.0, sound=films.speech(9.0))
    table = tmp_path / "in" / "films.csv"
    table.write_text("file,start,end,speaker,license\nfilm.mp4,0:00:04.4,8.0,anna,CC-BY\n")
    data, summary = run(table, validation=0)
    (clip,) = all_clips(data, ("flac", "motion.npy"))
    assert (clip.info.start, clip.info.frames, clip.info.speaker, clip.info.license) == (
        4.4,
        90,
        "anna",
        "CC-BY",
    )
    truth = films.speech(9.0)[round(4.4 * films.RATE) :][: clip.frames * 640]
    assert abs(lag(clip.samples(), truth)) <= HALF / 10
    assert films.time_of(clip.motion)[0] == pytest.approx(4.4, abs=HALF)
