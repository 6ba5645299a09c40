"""`mmgt doctor` as a person runs it."""

from __future__ import annotations


def test_the_command_examines_the_demo_models(mmgt, tmp_path):
    out = tmp_path / "report"
    command = ["doctor", "--out", str(out), "--seconds", "0.4", "--models-dir", str(tmp_path)]
    outcome = mmgt([*command, "--device", "cpu"])
    assert outcome.code == 0
    assert "the demo model" in outcome.out and str(tmp_path) not in outcome.out
    assert {path.name for path in out.iterdir()} == {"doctor.md", "doctor.json", "doctor.mp4", "doctor.jpg"}
