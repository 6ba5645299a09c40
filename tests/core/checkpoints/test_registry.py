"""The table of published files, what `mmgt models` says of it, and the sentence about what is missing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mmgt_core.__main__ import main
from mmgt_core.base.errors import InputError
from mmgt_core.checkpoints import folders
from mmgt_core.checkpoints.folders import State, look_for, missing, model_folders, wanted_file
from mmgt_core.checkpoints.registry import REGISTRY, known_file


def test_the_table_is_well_formed():
    names = [name for file in REGISTRY for name in (file.name, *file.names)]
    assert len(names) == len(set(names))
    for file in REGISTRY:
        assert re.fullmatch(r"[a-z0-9-]+", file.name)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", file.repository)
        assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.size is None or file.size > 1e6
        assert all("/" not in name and ".." not in name for name in (*file.names, file.folder))
        assert file.license and file.needed_by and file.title.split()[0] in ("the", "AnimateDiff's")


@pytest.mark.parametrize("file", REGISTRY, ids=lambda file: file.name)
def test_what_is_missing_is_said_in_one_sentence(file, tmp_path):
    assert look_for(file, [tmp_path]).path is None
    text = str(missing(file))
    for part in (file.file, f"models/{file.folder}", file.page, f"mmgt download {file.name}"):
        assert part in text
    assert "\n" not in text and text.endswith(".")


def test_files_are_found_by_any_of_their_names_and_in_sub_folders(tmp_path):
    file = known_file("video")
    assert file is not None and look_for(file, [tmp_path]).state is State.MISSING
    deep = tmp_path / "b" / file.folder / "my 模型" / "net-32500.safetensors"
    deep.parent.mkdir(parents=True)
    deep.write_bytes(b"x")
    found = look_for(file, [tmp_path / "a", tmp_path / "b"])
    assert (found.state, found.path) == (State.PRESENT, deep)
    assert look_for(wanted_file("net-32500.pth"), [tmp_path / "b"]).path == deep


def test_a_wrong_file_is_told_by_size_and_by_hash(tmp_path):
    content = b"weights"
    file = replace(REGISTRY[0], size=len(content), sha256=hashlib.sha256(content).hexdigest())
    path = tmp_path / file.folder / file.file
    path.parent.mkdir()
    for data, state, remark in (
        (b"weight", State.WRONG, "6 bytes instead of 7"),
        (b"WEIGHTS", State.WRONG, "SHA-256"),
        (content, State.PRESENT, ""),
    ):
        path.write_bytes(data)
        found = look_for(file, [tmp_path], hashes=True)
        assert found.state is state and remark in found.remark
    path.write_bytes(b"WEIGHTS")
    assert look_for(file, [tmp_path]).state is State.PRESENT  # the hash is compared only when asked


def test_where_to_look(monkeypatch, tmp_path):
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    assert model_folders() == (Path("models"),)
    monkeypatch.setenv(folders.VARIABLE, f"{tmp_path}/a:{tmp_path}/b c")
    assert model_folders() == (tmp_path / "a", tmp_path / "b c")
    assert model_folders([tmp_path]) == (tmp_path,)


def test_in_custom_nodes_comfyuis_own_folder_is_known(monkeypatch, tmp_path):
    monkeypatch.delenv(folders.VARIABLE, raising=False)
    inside = (
        tmp_path / "ComfyUI" / "custom_nodes" / "ComfyUI-MMGT" / "mmgt_core" / "checkpoints" / "folders.py"
    )
    monkeypatch.setattr(folders, "__file__", str(inside))
    assert model_folders() == (tmp_path / "ComfyUI" / "models",)


def test_models_lists_everything(tmp_path, capsys):
    file = known_file("vae")
    path = tmp_path / file.folder / file.file
    path.parent.mkdir()
    path.write_bytes(b"short")
    assert main(["models", "--models-dir", str(tmp_path)]) == 1  # something is wrong
    printed = capsys.readouterr().out
    assert "vae: wrong: 5 bytes instead of 334641190" in printed and str(path) in printed
    assert "video: missing\n" in printed and "animatediff: missing (not needed)" in printed
    assert all(entry.page in printed for entry in REGISTRY if entry.name != "vae")
    path.unlink()
    assert main(["models", "--models-dir", str(tmp_path), "--verify"]) == 0


def test_an_unknown_name_lists_the_known_ones(capsys):
    with pytest.raises(InputError, match="motion, video, wavlm"):
        wanted_file("nonsense")
    assert main(["download", "../../etc/passwd"]) == 2
    assert "no known model" in capsys.readouterr().err
