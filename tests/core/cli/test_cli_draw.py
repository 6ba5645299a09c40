"""`mmgt draw`: pose videos and images from motion files."""

from __future__ import annotations

import pytest

from mmgt_core.media.images import load_image
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.video_reader import iterate_video


@pytest.mark.parametrize(("fps", "rule", "frames"), [(16, "4n+1", 9), (24, "8n+1", 9), (30, "none", 11)])
def test_a_pose_video_with_audio_of_its_duration(inputs, tmp_path, capsys, run, fps, rule, frames):
    out = tmp_path / "pose.mp4"
    options = ["--fps", str(fps), "--frame-rule", rule, "--width", "96", "--height", "64"]
    assert run("draw", inputs.motion, "--out", out, "--audio", inputs.speech, *options) == 0
    images = list(iterate_video(out))
    assert len(images) == frames and images[0].shape == (64, 96, 3) and max(i.max() for i in images) > 100
    assert abs(load_waveform(out).seconds - frames / fps) < 0.5 / fps
    said = capsys.readouterr()
    assert said.out.strip() == str(out) and f"{frames} frames of 96 x 64" in said.err


def test_images_from_openpose(inputs, tmp_path, run):
    out = tmp_path / "images"
    size = ("--width", "64", "--height", "0", "--style", "wan animate", "--segments", "wan s2v")
    assert run("draw", inputs.pose, "--out", out, "--image", inputs.portrait, *size) == 0
    names = sorted(path.name for path in out.iterdir())
    assert len(names) == 77 and names[0] == "pose_00000.png"
    assert load_image(out / names[-1]).max() > 100


def test_what_cannot_be_drawn(inputs, tmp_path, capsys, run):
    for given, said in (
        ((inputs.motion, "--out", tmp_path / "a.gif"), "end the name in .mp4, or give a folder"),
        ((inputs.motion, "--out", tmp_path / "a", "--audio", inputs.speech), "images have no audio"),
        ((inputs.speech, "--out", tmp_path / "a.mp4"), "motion file"),
    ):
        assert run("draw", *given) == 2
        assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def run():
    from mmgt_core.__main__ import main

    return lambda *words: main([str(word) for word in words])
