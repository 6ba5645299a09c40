"""The practice videos of `mmgt presenter-videos`: each is what it says, and is prepared as it says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mmgt_core.lab.prepare.run import prepare
from mmgt_core.lab.prepare.settings import SetSettings
from mmgt_core.lab.presenter import speech
from mmgt_core.lab.presenter.practice_plan import FAULTS, VideoPlan, plan_videos
from mmgt_core.lab.presenter.practice_videos import write_practice_videos

from .conftest import CLIPS, content, rejected

pytestmark = pytest.mark.skipif(not speech.available(), reason="libespeak-ng is not installed")
SLACK = 0.7  # seconds by which a fault's bounds may differ: a person comes in, pauses are kept


def check(folder, data, summary) -> None:
    """Every fault has its reason and place, and nothing else is left out."""
    truths = json.loads((folder / "videos.json").read_text())
    lines = {}
    for line in rejected(data):
        lines.setdefault(line["source"], []).append(line)
    for truth in truths:
        found = lines.pop(truth["file"], [])
        assert {line["reason"] for line in found} == ({truth["reason"]} if truth["reason"] else set()), truth
        if truth["start"] is not None:
            (line,) = found
            assert abs(line["start"] - truth["start"]) < SLACK and abs(line["end"] - truth["end"]) < SLACK, (
                truth
            )
    assert not lines
    unread = {"truncated", "no sound"}
    seconds = sum(truth["seconds"] for truth in truths if truth["fault"] not in unread)
    assert summary.files == len(truths) and summary.seconds == pytest.approx(seconds, abs=0.04 * len(truths))
    left = sum(count.seconds for count in summary.reasons.values())
    assert summary.kept + left == pytest.approx(summary.seconds, abs=0.01)


def test_a_plan_has_each_fault_and_follows_from_its_seed():
    plans = plan_videos(40, seed=3)
    assert plans == plan_videos(40, seed=3) != plan_videos(40, seed=4)
    assert set(FAULTS) < {plan.fault for plan in plans}
    assert sum(plan.fault == "clean" for plan in plans) == 40 - len(FAULTS)
    speakers = {plan.speaker: plan.identity for plan in plans}
    assert len(set(speakers.values())) == len(speakers) >= 20
    assert all(speakers[plan.speaker] == plan.identity for plan in plans)
    assert {plan.poses for plan in plans} == {"list", "folder", "keypoints"}
    assert len({plan.seed for plan in plans}) == len({plan.name for plan in plans}) == 40


def test_some_faults_of_small_videos_are_found(tmp_path):
    kinds = ("two people", "hand leaves", "29.97 fps", "truncated")
    poses = ("folder", "list", "keypoints", "list")
    plans = [
        VideoPlan(f"speaker-{n}/talk", f"speaker-{n}", 900_100 + n, 910_100 + n, kind, one, wide=n % 2 == 1)
        for n, (kind, one) in enumerate(zip(kinds, poses, strict=True))
    ]
    write_practice_videos(tmp_path / "in", plans, 64)
    _, summary = prepare([tmp_path / "in"], tmp_path / "data", CLIPS, SetSettings(validation=0))
    check(tmp_path / "in", tmp_path / "data", summary)


def test_the_same_plan_gives_the_same_files(tmp_path):
    plans = [plan for plan in plan_videos(40) if plan.fault in ("variable rate", "48 kHz stereo")]
    for name in "ab":
        write_practice_videos(tmp_path / name, plans, 64)
    assert content(tmp_path / "a") == content(tmp_path / "b")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_all_faults_of_forty_videos_are_found(tmp_path, seed):
    write_practice_videos(tmp_path / "in", plan_videos(40, seed), 128)
    index, summary = prepare([tmp_path / "in"], tmp_path / "data", replace(CLIPS, size=128), SetSettings())
    check(tmp_path / "in", tmp_path / "data", summary)
    assert summary.used >= 36 and index.split == "speaker"
    assert 0.07 <= index.frames("validation") / index.frames() <= 0.14
