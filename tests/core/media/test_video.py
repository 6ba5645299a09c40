"""Video files: written as frames come, sound in step, whole or not at all; read back at any rate."""

from __future__ import annotations

import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.media.contact_sheet import contact_sheet, sheet_frames
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.video_reader import iterate_video, read_video
from mmgt_core.media.video_writer import VideoWriter, write_video
from mmgt_core.media.waveform import Waveform


def clip(frames: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A bright square that wanders over a coloured ground."""
    pictures = np.full((frames, height, width, 3), (40, 90, 160), np.uint8)
    for index in range(frames):
        left = 2 + index % (width // 2)
        pictures[index, 8:24, left : left + 16] = (220, 180, 40)
    return pictures


@settings(max_examples=12, deadline=None)
@given(width=st.integers(16, 70), height=st.integers(16, 70), frames=st.integers(1, 30), sound=st.booleans())
def test_any_size_and_length(tmp_path_factory, width, height, frames, sound):
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    audio = Waveform(np.full(frames * 640, 0.1, np.float32), 16000) if sound else None
    write_video(path, clip(frames, width, height), audio=audio)
    found = read_video(path)
    assert found.frames.shape == (frames, height + height % 2, width + width % 2, 3) and found.fps == 25
    assert list(path.parent.iterdir()) == [path]
    if sound:
        assert load_waveform(path).frames == frames


def test_colours_survive(tmp_path):
    path, pictures = tmp_path / "a.mp4", clip(10)
    write_video(path, torch.from_numpy(pictures).float() / 255)
    found = read_video(path).frames.astype(int)
    error = np.abs(found - pictures)
    assert error[:, 32:].max() <= 3 and error.mean() < 2


def test_it_is_h264_yuv420p_with_aac_in_step(tmp_path):
    path, rate = tmp_path / "a.mp4", 22050
    samples = np.zeros(2 * rate, np.float32)
    samples[rate : rate + 30] = 0.7
    with VideoWriter(path, 64, 48, audio=Waveform(samples, rate)) as video:
        for chunk in np.split(clip(50), 5):
            video.write(chunk)
    with av.open(str(path)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, picture.codec_context.pix_fmt, picture.frames) == (
            "h264",
            "yuv420p",
            50,
        )
        assert sound.codec_context.name == "aac"
    heard = load_waveform(path)
    assert abs(int(np.abs(heard.samples).argmax()) / heard.rate - 1) < 0.002


def test_sound_ends_with_the_pictures(tmp_path):
    path = tmp_path / "a.mkv"
    write_video(path, clip(10), audio=Waveform(np.full(32000, 0.1, np.float32), 16000))
    assert abs(load_waveform(path).seconds - 0.4) < 0.05


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_failure_leaves_nothing_and_keeps_the_old_file(tmp_path, failure):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"precious")
    with pytest.raises(failure), VideoWriter(path, 64, 48) as video:
        video.write(clip(30))
        raise failure
    assert path.read_bytes() == b"precious" and list(tmp_path.iterdir()) == [path]


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="at least one frame"), VideoWriter(tmp_path / "a.mp4", 64, 48):
        pass
    with pytest.raises(InputError, match="cannot be written as"):
        VideoWriter(tmp_path / "a.gif", 64, 48)
    with (
        pytest.raises(InputError, match="frames have the shape"),
        VideoWriter(tmp_path / "a.mp4", 64, 48) as video,
    ):
        video.write(clip(1, 32, 32))
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match="this is a folder"):
        VideoWriter(tmp_path / "folder.mp4", 64, 48)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="folder cannot be made"):
        VideoWriter(tmp_path / "file" / "a.mp4", 64, 48)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.mp4"]


@pytest.mark.parametrize("source", [24, 25, 30, 50])
@pytest.mark.parametrize("fps", [None, 25, 10])
def test_rates(tmp_path, source, fps):
    """A clip of two seconds lasts two seconds at any rate, and shows at each time what the source does."""
    path = tmp_path / "a.mp4"
    levels = np.linspace(20, 230, 2 * source).astype(np.uint8)
    write_video(path, np.broadcast_to(levels[:, None, None, None], (len(levels), 32, 32, 3)), fps=source)
    found = read_video(path, fps=fps)
    rate = fps or source
    assert found.fps == rate and len(found.frames) == 2 * rate
    shown = found.frames.mean(axis=(1, 2, 3))
    expected = np.interp(np.arange(len(shown)) / rate, np.arange(len(levels)) / source, levels)
    assert np.abs(shown - expected).max() <= 210 / (2 * source) + 3


@pytest.mark.parametrize(
    ("start", "duration", "expected"), [(0, 1, 25), (0.4, 0.4, 10), (1.0, None, 25), (1.96, 5, 1)]
)
def test_parts(tmp_path, start, duration, expected):
    path = tmp_path / "a.mp4"
    levels = np.linspace(20, 230, 50).astype(np.uint8)
    write_video(path, np.broadcast_to(levels[:, None, None, None], (50, 32, 32, 3)))
    found = read_video(path, start=start, duration=duration).frames
    assert len(found) == expected
    assert abs(found[0].mean() - levels[round(start * 25)]) < 3


def test_unreadable_videos(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_video(tmp_path / "none.mp4")
    (tmp_path / "a.mp4").write_text("text")
    with pytest.raises(InputError, match="not a video"):
        read_video(tmp_path / "a.mp4")
    write_video(tmp_path / "b.mp4", clip(5))
    with pytest.raises(InputError, match="beyond the end"):
        list(iterate_video(tmp_path / "b.mp4", start=3))


def test_contact_sheet():
    pictures = clip(100)
    sheet = contact_sheet(pictures, columns=4, rows=3, width=80)
    assert sheet.shape == (4 + 3 * 64, 4 + 4 * 84, 3) and sheet.dtype == np.uint8
    chosen = sheet_frames(100, 12)
    assert len(chosen) == 12 and (chosen[0], chosen[-1]) == (0, 99)
    assert contact_sheet(pictures[:2], width=80).shape == (68, 172, 3)
    with pytest.raises(InputError, match="at least one frame"):
        contact_sheet(pictures[:0])
