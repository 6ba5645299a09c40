"""`mmgt edit`: every operation from file to file."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.__main__ import main
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion_file import load_motion


@pytest.fixture
def edit(inputs, tmp_path):
    def run(*words):
        out = tmp_path / "edited.safetensors"
        assert main([str(word) for word in ("edit", inputs.motion, "--out", out, *words)]) == 0
        return load_motion(out)

    return run


def test_nothing_asked_for_is_nothing_done(inputs, edit):
    assert torch.equal(edit().keypoints, load_motion(inputs.motion).keypoints)


def test_time(inputs, edit):
    given = load_motion(inputs.motion)
    assert torch.equal(edit("--start", 0.08, "--duration", 0.2).keypoints, given.keypoints[2:7])
    assert edit("--append", inputs.motion, "--fade", 2).frames == 2 * given.frames - 2
    assert edit("--loop", 3).frames == 75 and edit("--speed", 0.5).frames == 2 * given.frames
    assert edit("--lead-in", 0.2, "--lead-out", 0.04).frames == given.frames + 6


def test_parts(inputs, edit):
    given = load_motion(inputs.motion)
    still = edit("--gain", "lips=0", "left-hand=2", "--offset", "head=3,-4", "--lag", "right-hand=1")
    lips = still.keypoints[:, skeleton.LIPS, :2] - still.keypoints[:, [skeleton.NOSE], :2]
    assert lips.std(dim=0).max() < 1e-5
    off = (still.pixels() - given.pixels())[:, skeleton.NOSE]
    assert torch.allclose(off, torch.tensor([3.0, -4.0]), atol=1e-3)
    held = edit("--hold", "left-hand=0", "--replace", f"brows={inputs.motion}")
    hand = held.keypoints[:, skeleton.LEFT_HAND, :2] - held.keypoints[:, [skeleton.LEFT_WRIST], :2]
    assert hand.std(dim=0).max() < 1e-5


def test_the_whole(inputs, edit):
    given = load_motion(inputs.motion)
    mirrored = edit("--mirror")
    assert torch.allclose(mirrored.keypoints[:, 4, 0], 1 - given.keypoints[:, 7, 0])
    mixed = edit("--second", inputs.motion, "--blend", "0:0, 1:1")
    assert torch.allclose(mixed.keypoints, given.keypoints, atol=1e-6)
    for method in ("gaussian", "one-euro", "savitzky-golay"):
        smooth = edit("--smooth", method)
        assert smooth.frames == given.frames and not torch.equal(smooth.keypoints, given.keypoints)
    assert edit("--beat-emphasis", 1, "--audio", inputs.speech).frames == given.frames
    for kind in ("positions", "proportions"):
        there = edit("--portrait-pose", inputs.pose, "--retarget", kind)
        assert there.frames == given.frames and (there.keypoints[:, 1, 2] > 0).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--gain", "tail=2"), "no part of a motion"),
        (("--gain", "lips"), "names no value"),
        (("--gain", "lips=much"), "'much' is no number"),
        (("--offset", "lips=3"), "write two numbers"),
        (("--start", "9"), "outside of the motion"),
        (("--speed", "0"), "choose 0.1 to 10"),
        (("--beat-emphasis", "1"), "give --audio"),
        (("--second", "none.safetensors"), "no such motion file"),
        (("--smooth", "savitzky-golay", "--smoothing", "4"), "odd window"),
    ],
)
def test_what_is_not_possible(inputs, tmp_path, capsys, words, said):
    out = tmp_path / "edited.safetensors"
    assert main([str(word) for word in ("edit", inputs.motion, "--out", out, *words)]) == 2
    assert said in capsys.readouterr().err and not out.exists()


def test_another_ending(inputs, tmp_path, capsys):
    assert main(["edit", str(inputs.motion), "--out", str(tmp_path / "a.json")]) == 2
    assert "end the name in .safetensors" in capsys.readouterr().err
