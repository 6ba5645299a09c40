"""`mmgt demo` with the shipped model, portrait and speech: what a newcomer runs first."""

from __future__ import annotations

from mmgt_core.__main__ import main


def test_the_demo_runs_as_shipped(tmp_path):
    out = tmp_path / "demo.mp4"
    assert main(["demo", "--start", "0.5", "--duration", "0.2", "--out", str(out)]) == 0
    assert out.stat().st_size > 1000
    assert (tmp_path / "demo_contact_sheet.jpg").is_file()
