"""All of training on real files that the project makes itself: once in steps, once in earnest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("accelerate")
pytest.importorskip("webdataset")

from mmgt_core.__main__ import main
from mmgt_core.base.progress import silent
from mmgt_core.lab.practice.recipe import Practice
from mmgt_core.lab.practice.run import faults_of, run_practice
from mmgt_core.lab.presenter.speech import available
from mmgt_core.media.video_reader import read_video

pytestmark = pytest.mark.skipif(not available(), reason="libespeak-ng is not installed")


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Practice, dict]:
    pytest.importorskip("librosa")
    practice = Practice(
        folder=tmp_path_factory.mktemp("practice"), steps=3, videos=8, own=3, size=64, device="cpu"
    )
    return practice, run_practice(practice, lambda _name: silent)


@pytest.mark.slow
def test_every_part_hands_its_files_to_the_next(short: tuple[Practice, dict]) -> None:
    practice, report = short
    files = ("smga/motion", "image/image", "video/video", "speaker/speaker")
    for name in files:
        assert (practice.folder / f"{name}.safetensors").is_file()
    clip = read_video(practice.folder / "held_out" / "video.mp4")
    assert clip.frames.shape[1:] == (64, 64, 3) and len(clip.frames) >= 80
    assert json.loads((practice.folder / "practice.json").read_text()) == report
    assert report["figures"]["lips"]["value"] <= 1 and faults_of(report["figures"])
    assert str(practice.folder) not in json.dumps(report)


@pytest.mark.slow
def test_a_second_run_goes_on_and_changes_nothing(short: tuple[Practice, dict]) -> None:
    practice, report = short
    before = (practice.folder / "video" / "video.safetensors").read_bytes()
    assert run_practice(practice, lambda _name: silent) == report
    assert (practice.folder / "video" / "video.safetensors").read_bytes() == before


@pytest.mark.slow
def test_half_an_hour_is_enough_to_learn(tmp_path: Path) -> None:
    """The command of docs/training.md; its table is of this run."""
    assert main(["practice", "--folder", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "practice.json").read_text())
    falls = {name: run["last"] / run["first"] for name, run in report["losses"].items()}
    assert falls["smga"] < 0.5 and falls["image"] < 0.5 and falls["video"] < 0.95, falls
