"""`mmgt library`: add, list, show, export."""

from __future__ import annotations

from pathlib import Path

import torch

from mmgt_core import assets
from mmgt_core.cli import main
from mmgt_core.pose.motion_file import load_motion


def test_a_clip_goes_in_and_comes_out(tmp_path: Path, capsys) -> None:
    folder, out = str(tmp_path / "library"), tmp_path / "out.safetensors"
    source = assets.GESTURES / "open.safetensors"
    add = [
        "library",
        "add",
        "talks/hello",
        "--folder",
        folder,
        "--motion",
        str(source),
        "--tags",
        "wave, big",
    ]
    assert main([*add, "--audio", str(assets.asset(assets.SPEECH)), "--license", "CC0-1.0"]) == 0
    capsys.readouterr()
    assert main(["library", "list", "--folder", folder, "--tags", "wave"]) == 0
    assert capsys.readouterr().out == "talks/hello\t1.44 s\twave, big\tCC0-1.0\n"
    assert main(["library", "show", "talks/hello", "--folder", folder]) == 0
    shown = capsys.readouterr().out
    assert "tags: wave, big" in shown and "hello.wav" in shown and "hello.webp" in shown
    assert main(["library", "export", "talks/hello", "--folder", folder, "--out", str(out)]) == 0
    assert torch.equal(load_motion(out).keypoints, load_motion(source).keypoints)
    assert out.with_suffix(".wav").is_file()


def test_shipped_clips_are_listed_and_exported_without_a_folder(tmp_path: Path, capsys) -> None:
    folder = ["--folder", str(tmp_path / "none")]
    assert main(["library", "list", *folder]) == 0
    names = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert "built in/open" in names
    out = tmp_path / "open.safetensors"
    assert main(["library", "export", "built in/open", "--out", str(out), *folder]) == 0 and out.is_file()
    assert not (tmp_path / "none").exists()


def test_what_is_missing_is_said(tmp_path: Path, capsys) -> None:
    folder = ["--folder", str(tmp_path)]
    for words, reason in (
        (["show", "nobody"], "no such clip"),
        (["add", "x"], "--motion"),
        (["export", "built in/open"], "--out"),
        (["add", "../x", "--motion", str(assets.GESTURES / "open.safetensors")], "name of a clip"),
    ):
        assert main(["library", *words, *folder]) == 2
        assert reason in capsys.readouterr().err
