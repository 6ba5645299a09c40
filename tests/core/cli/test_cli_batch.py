"""`mmgt batch` on a Ray cluster on this machine: videos equal those of `mmgt generate`, whoever dies."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

ray = pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture
def one_thread():
    """The workers of these tests have one thread, so single runs have, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def batch(inputs, jobs: Path, out: Path, **changes: object) -> list[str]:
    """The arguments of `mmgt batch` with the tiny models, and what all jobs have in common."""
    options = {
        "out": out,
        "image": inputs.portrait,
        "keypoints": inputs.pose,
        "motion_model": inputs.motion_model,
        "model": inputs.video_model,
        "motion_steps": 2,
        "device": "cpu",
        "threads": 1,
        **changes,
    }
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in options.items())
    return ["batch", str(jobs), *(part for pair in pairs for part in pair)]


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_batch_equals_single_runs_and_is_not_done_twice(inputs, mmgt, tmp_path, one_thread):
    """Also with a motion of its own, settings of its own, and one line that is broken and one file that is."""
    jobs, out = tmp_path / "jobs.jsonl", tmp_path / "out"
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    lines = [
        {"name": "one", "audio": str(inputs.speech), "seed": 1},
        {"name": "two", "audio": str(inputs.speech), "seed": 2, "consent": "contract 7"},
        {"name": "broken", "audio": str(broken)},
        {"name": "short", "audio": str(inputs.speech), "duration": 0.2, "window": 6, "steps": 2},
        {"name": "moved", "motion": str(inputs.motion)},
        {"name": "typo", "audios": "a.wav"},
    ]
    jobs.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    first = mmgt(batch(inputs, jobs, out))
    assert first.code == 1, first.err
    assert "4 of 6 jobs done, 2 failed." in first.err
    faults = [line for line in first.err.splitlines() if line.startswith("mmgt: ")]
    assert len(faults) == 2
    assert any("broken (line 3)" in line and "broken.wav" in line for line in faults)
    assert any("line 6" in line and '"audios"' in line for line in faults)
    names = ("one", "two", "short", "moved")
    assert sorted(first.out.split()) == sorted(str(out / f"{name}.mp4") for name in names)
    assert sorted(files(out)) == sorted(f"{name}.mp4" for name in names), "nothing unfinished is left"

    single = tmp_path / "single"
    own = {
        "one": {"seed": 1},
        "two": {"seed": 2, "consent": "contract 7"},
        "short": {"duration": 0.2, "window": 6, "steps": 2},
        "moved": {"audio": None, "motion": inputs.motion},
    }
    for name, changes in own.items():
        assert mmgt(inputs.generate(single / f"{name}.mp4", **changes)).code == 0
        assert sha256(out / f"{name}.mp4") == sha256(single / f"{name}.mp4"), name
    assert len({sha256(out / f"{name}.mp4") for name in names}) == len(names)

    before = files(out)
    (out / "one.mp4").unlink()
    again = mmgt(batch(inputs, jobs, out))
    assert again.code == 1 and "1 of 6 jobs done, 3 were done before, 2 failed." in again.err
    assert sha256(out / "one.mp4") == sha256(single / "one.mp4")
    assert {name: time for name, time in files(out).items() if name != "one.mp4"} == {
        name: time for name, time in before.items() if name != "one.mp4"
    }
