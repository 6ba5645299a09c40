"""Runs of the demo model, killed at random moments and started again: no work is lost, no bit differs."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import time

import pytest

from mmgt_core import assets
from mmgt_core.__main__ import main

KILLS = 50
STEPS = 3
MOMENTS = ("start", "motion", "windows", "steps", "writing")
"""What a kill waits for, drawn by lot; some time after it, also drawn by lot, it comes."""
PRELOADED = [
    "mmgt_core.pipeline.generate",
    "diffusers.models.autoencoders.autoencoder_tiny",
    "soxr",
    "av",
    "cv2",
    "tqdm",
]


def command(out, root) -> list[str]:
    """Small and short, so that fifty runs and their fifty restarts take minutes."""
    return [
        *("generate", "--image", str(assets.asset(assets.PORTRAIT)), "--out", str(out)),
        *("--keypoints", str(assets.asset(assets.POSE)), "--audio", str(assets.asset(assets.SPEECH))),
        *("--start", "0.5", "--duration", "1"),
        *("--width", "64", "--height", "64", "--steps", str(STEPS), "--cfg", "1.5"),
        *("--motion-steps", "8", "--device", "cpu", "--work-dir", str(root)),
    ]  # fmt: skip


def reached(root, moment: str) -> bool:
    """Whether a run has come as far as one of `MOMENTS`, by the files that it keeps."""
    motion, steps, windows = kept_work(root)
    so_far = {"start": True, "motion": motion, "windows": windows > 0, "steps": steps > 0}
    return so_far.get(moment, steps == STEPS)


def kept_work(root) -> tuple[bool, int, int]:
    """(is there a motion, finished steps, bytes of windows) that the folder keeps, by names and sizes."""
    names = {path.name: path.stat().st_size for path in root.glob("*/*")}
    steps = [int(name[8:12]) for name in names if name.startswith("latents-")]
    windows = sum(size for name, size in names.items() if name.endswith(".windows"))
    return "motion.safetensors" in names, max(steps, default=0), windows


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX's")
def test_fifty_kills_lose_nothing(tmp_path, capfd):
    # A server forks every run from a process that has imported everything and computed nothing: what is
    # killed is a process of its own, and no time goes into imports.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    dice = random.Random(0)

    def start(out, root):
        process = context.Process(target=main, args=(command(out, root),))
        process.start()
        return process

    seconds, whole = [], ""
    for number in range(2):  # the first run also waits for the imports
        begin = time.monotonic()
        process = start(tmp_path / "whole.mp4", tmp_path / "whole")
        process.join()
        seconds.append(time.monotonic() - begin)
        digest = hashlib.sha256((tmp_path / "whole.mp4").read_bytes()).hexdigest()
        assert number == 0 or digest == whole, (
            "uninterrupted runs must be the same before kills can be judged"
        )
        whole = digest

    kills, runs, stages = (
        0,
        0,
        {"before": 0, "motion": 0, "steps": 0, "windows": 0, "writing": 0, "clearing": 0},
    )
    while kills < KILLS:
        out, root = tmp_path / f"{runs}.mp4", tmp_path / f"work{runs}"
        before = (False, 0, 0)
        while True:
            process, moment = start(out, root), dice.choice(MOMENTS)
            while process.exitcode is None and not reached(root, moment):
                process.join(0.01)
            process.join(dice.uniform(0.0, 0.3) * seconds[1])
            if process.exitcode is not None:
                break
            process.kill()
            process.join()
            kills += 1
            if out.exists():  # killed while it cleared its work away
                assert hashlib.sha256(out.read_bytes()).hexdigest() == whole
                before, stages["clearing"] = (False, 0, 0), stages["clearing"] + 1
                continue
            now = kept_work(root)
            assert now[:2] >= before[:2], "a kill must not cost what was finished"
            before = now
            motion, steps, windows = now
            stage = "writing" if steps == STEPS else "windows" if windows else "steps" if steps else "motion"
            stages[stage if motion else "before"] += 1
        assert process.exitcode == 0
        assert hashlib.sha256(out.read_bytes()).hexdigest() == whole
        assert not list(root.rglob("*"))
        runs += 1
    where = ", ".join(f"{count} {name}" for name, count in stages.items())
    with capfd.disabled():
        print(
            f"\n{kills} kills in {runs} runs of {seconds[1]:.1f} s ({where}): every file the same, none lost"
        )
