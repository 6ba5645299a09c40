"""`mmgt demo` with the shipped model, portrait and speech: what a newcomer runs first."""

from __future__ import annotations

import numpy as np

from mmgt_core.__main__ import main
from mmgt_core.media.video_reader import read_video


def test_the_second_portrait_is_another_person(tmp_path):
    pictures = []
    for number in ("1", "2"):
        out = tmp_path / f"{number}.mp4"
        assert main(["demo", "--portrait", number, "--duration", "0.1", "--out", str(out)]) == 0
        pictures.append(np.asarray(read_video(out).frames[0], np.float32))
    assert np.abs(pictures[0] - pictures[1]).mean() > 20


def test_the_demo_runs_as_shipped(tmp_path):
    out = tmp_path / "demo.mp4"
    assert main(["demo", "--start", "0.5", "--duration", "0.2", "--out", str(out)]) == 0
    assert out.stat().st_size > 1000
    assert (tmp_path / "demo_contact_sheet.jpg").is_file()
