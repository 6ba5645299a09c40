"""One bar for the whole run: how far it is, how fast, and how long it will take."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmgt_core.base.progress import Plan
from mmgt_core.cli.console import Console
from mmgt_core.cli.eta import Eta, clock_text
from mmgt_core.media.images import load_image

ROOT = Path(__file__).resolve().parents[3]
PLAN = Plan(100, {"motion": 0.2, "video": 0.6, "writing": 0.2})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_time_left_is_right_when_the_shares_are():
    clock = Clock()
    eta = Eta(PLAN, clock)
    assert eta.begin("motion") and eta.seconds_left is None
    total = 200.0  # seconds of the whole run, spread as the plan says
    places = []
    for name, share in PLAN.shares.items():
        eta.begin(name)
        for done in range(1, 11):
            clock.now += share * total / 10
            places.append(eta.step(done, 10))
            assert eta.seconds_left == pytest.approx(total - clock.now)
            assert eta.frames == done * 10
            assert eta.seconds_per_frame == pytest.approx(share * total / 100)
    assert places == sorted(places) and places[-1] == pytest.approx(1)
    assert not eta.begin("something else")


def test_what_an_earlier_run_did_says_nothing_about_the_pace():
    clock = Clock()
    eta = Eta(Plan(100, {"video": 1.0}), clock)
    eta.begin("video")
    clock.now += 1
    eta.step(60, 100)  # resumed
    assert eta.seconds_left is None
    clock.now += 20
    eta.step(70, 100)
    assert eta.seconds_per_frame == pytest.approx(2) and eta.seconds_left == pytest.approx(60)


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (65.4, "1:05"), (7265, "2:01:05")])
def test_times_are_read_by_people(seconds, text):
    assert clock_text(seconds) == text


def test_a_planned_run_has_one_bar_with_stage_frames_pace_and_time_left():
    stream = Terminal()
    console = Console(stream)
    console.stage("finding the pose")(1, 1)
    console.plan(PLAN)
    for name in PLAN.shares:
        progress = console.stage(name)
        for done in range(5):
            progress(done + 1, 5)
    console.close()
    text = stream.getvalue()
    assert text.count("\n") == 2  # the bar before the plan, and the one of the plan
    last = text.rstrip("\n").rpartition("\r")[2]
    assert "writing" in last and "100%" in last and "frame 100/100" in last and "left" in last


def test_a_log_tells_pace_and_time_left():
    stream = io.StringIO()
    console = Console(stream)
    console.plan(PLAN)
    progress = console.stage("motion")
    for done in range(8):
        progress(done + 1, 8)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4 and lines[0].startswith("motion: 2/8 (")
    assert "frame 25/100" in lines[0] and "s/frame" in lines[0] and "left" in lines[0]


def test_the_newest_frame_is_kept_in_a_picture(tmp_path):
    console, out = Console(io.StringIO()), tmp_path / "preview.png"
    console.show_frames_in(out)
    progress = console.stage("writing")
    progress(1, 3)
    assert not out.exists()
    progress(2, 3, np.full((256, 260, 3), 200, np.uint8))
    assert (load_image(out) == 200).all()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["library", "--help"]])
def test_output_that_nobody_reads_ends_the_command_quietly(arguments):
    """As behind `| head`, which ends before the command does."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "mmgt_core", *arguments]
    with os.fdopen(writer, "wb") as nobody:
        ended = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, cwd=ROOT, timeout=300)
    assert (ended.returncode, ended.stderr) == (1, b"")
