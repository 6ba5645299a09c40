"""`mmgt export`: files for other programs."""

from __future__ import annotations

import pytest

from mmgt_core.__main__ import main
from mmgt_core.pose.exports.formats import ENDINGS, FORMATS


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format(inputs, tmp_path, capsys, kind):
    out = tmp_path / f"motion{ENDINGS[kind]}"
    assert main(["export", str(inputs.motion), "--format", kind, "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out) and out.exists()


def test_another_ending(inputs, tmp_path, capsys):
    assert main(["export", str(inputs.motion), "--format", "csv", "--out", str(tmp_path / "a.json")]) == 2
    assert "end the name in .csv" in capsys.readouterr().err
