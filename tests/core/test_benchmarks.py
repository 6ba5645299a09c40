"""The benchmarks run, and compare forms that compute the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
def test_stage_2_forms_are_compared(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import stage2

    report = stage2.measure(size=64, frames=2, repeats=1, small=True)
    assert set(report["rows"]) == {"plain", "sd15", "unpacked", "ours", "sd15, packed"}
    assert report["difference"] < stage2.CLOSE
    assert report["rows"]["ours"]["tflop"] <= report["rows"]["plain"]["tflop"]
    assert report["rows"]["plain"]["ratio"] == 1
    sys.modules.pop("stage2")
