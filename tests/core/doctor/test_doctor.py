"""The doctor: its checks tell right from wrong, and its report names no folder."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgt_core.doctor.files import files
from mmgt_core.doctor.findings import Finding, as_markdown, worst, write_report
from mmgt_core.doctor.motion_checks import motion_checks
from mmgt_core.doctor.style_check import style_check
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose import skeleton
from mmgt_core.pose.drawing import draw_pose
from mmgt_core.pose.motion import Motion

FRAMES = 100


def speaker() -> tuple[Motion, Waveform]:
    """Lips that open with the loudness of a sound that has pauses, and that sound."""
    seconds = np.arange(FRAMES) / 25
    loud = np.clip(np.sin(2 * np.pi * seconds / 1.7), 0, 1) ** 0.5
    noise = np.random.default_rng(0).normal(0, 0.2, FRAMES * 640)
    voice = Waveform((noise * np.repeat(loud, 640)).astype(np.float32), 16_000)
    keypoints = torch.full((FRAMES, 134, 3), 0.5)
    keypoints[..., 2] = 1
    keypoints[:, skeleton.LEFT_EYE, 0], keypoints[:, skeleton.RIGHT_EYE, 0] = 0.6, 0.4
    keypoints[:, skeleton.LIPS.start + 18, 1] += 0.1 * torch.from_numpy(loud).float()
    return Motion(keypoints), voice


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_a_motion_that_fits_its_sound_is_all_right():
    motion, voice = speaker()
    found = by_name(motion_checks(motion, motion.window([0]), voice))
    assert worst(list(found.values())) == "ok", found
    assert found["best lag"].value.startswith(("+0", "-1", "+1"))
    assert found["closed mouth in silence"].verdict == "ok"


@pytest.mark.parametrize("late", [3, -4])
def test_late_and_early_lips_are_found_with_their_lag(late):
    motion, voice = speaker()
    moved = motion.window((torch.arange(FRAMES) - late).clamp(0, FRAMES - 1))
    found = by_name(motion_checks(moved, moved.window([0]), voice))["best lag"]
    assert found.verdict == "look" and int(found.value.split()[0]) == pytest.approx(late, abs=1)
    assert "--motion-shift" in found.remark


def test_numbers_that_are_not_finite_end_the_checks():
    motion, voice = speaker()
    motion.keypoints[3, 5, 0] = float("nan")
    (found,) = motion_checks(motion, motion.window([0]), voice)
    assert found.verdict == "fault" and found.value == "1"


def test_flicker_and_a_distant_first_frame_are_named():
    motion, voice = speaker()
    first = motion.window([0])
    motion.keypoints[::2, skeleton.FACE, 2] = 0
    motion.keypoints[:, :, 0] += 0.05
    found = by_name(motion_checks(motion, first, voice))
    assert found["visibility changes"].verdict == "look"
    assert found["frame 0 from the portrait's pose"].verdict == "look"


def test_an_open_mouth_in_silence_is_named():
    motion, voice = speaker()
    motion.keypoints[:, skeleton.LIPS.start + 18, 1] = 0.6
    motion.keypoints[50, skeleton.LIPS.start + 18, 1] = 0.5
    assert (
        by_name(motion_checks(motion, motion.window([0]), voice))["closed mouth in silence"].verdict == "look"
    )


@pytest.mark.parametrize("truth", ["paper", "example"])
def test_the_style_that_a_model_answers_to_is_found(truth):
    """A model that shows the skeletons of its own style and stands still for the other."""
    motion = Motion(torch.rand(4, 134, 3, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1)
    motion.keypoints[..., 2] = 1

    def render(style, few):
        shown = few if style == truth else few.window([0, 0, 0, 0])
        return torch.from_numpy(draw_pose(shown, (128, 128), style)).float() / 255

    for chosen in ("paper", "example"):
        (found,) = style_check(render, motion, (128, 128), chosen)
        assert truth in found.remark
        assert found.verdict == ("ok" if chosen == truth else "look")
    same = style_check(lambda _, few: torch.zeros(4, 128, 128, 3), motion, (128, 128), "paper")
    assert same[0].verdict == "ok" and "no clear difference" in same[0].remark


def test_missing_and_torn_files_are_told_apart(tmp_path):
    folder = tmp_path / "secret name" / "mmgt"
    folder.mkdir(parents=True)
    (folder / "audio2pose_best_model.pt").write_bytes(b"not a checkpoint at all" * 10)
    findings, usable = files([tmp_path / "secret name"])
    found = by_name(findings)
    assert found["motion"].verdict == "fault" and found["video"].value == "missing"
    assert usable == {}
    assert "secret name" not in as_markdown(findings)


def test_the_report_is_markdown_and_json(tmp_path):
    findings = [
        Finding("A", "one", "1", "ok"),
        Finding("B", "two", "2", "look", "see"),
        Finding("A", "three", "3", "fault"),
    ]
    markdown, data = write_report(findings, tmp_path)
    text = markdown.read_text(encoding="utf-8")
    assert text.index("## A") < text.index("three") < text.index("## B")
    assert "1 faults, 1 points to look at" in text
    assert [entry["name"] for entry in json.loads(data.read_text(encoding="utf-8"))] == [
        "one",
        "two",
        "three",
    ]
    assert worst(findings) == "fault" and worst(findings[:1]) == "ok"
    assert worst([replace(findings[0], verdict="")]) == "ok"
