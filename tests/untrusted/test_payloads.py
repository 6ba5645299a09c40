"""A malicious pickle at every door that reads torch checkpoints, and at those that do not: it never runs."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mmgt_core.__main__ import main
from mmgt_core.base.errors import MMGTError
from mmgt_core.checkpoints.clip_vision import load_clip_vision
from mmgt_core.checkpoints.convert import convert, convert_back
from mmgt_core.checkpoints.io import read_model_file
from mmgt_core.checkpoints.official import read_official
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.checkpoints.speech_encoders import load_wav2vec2, load_wavlm
from mmgt_core.checkpoints.speech_file import read_speech_file
from mmgt_core.checkpoints.vae import load_vae
from mmgt_core.checkpoints.video import checked_official, load_video_model
from mmgt_core.checkpoints.video_parts import read_video_file
from mmgt_core.media.images import load_image
from mmgt_core.pose.motion_file import load_motion
from mmgt_core.pose.openpose import read_pose_file
from mmgt_core.queue.jobs import BadJob, read_jobs

from .rule import TRIED

ROOT = Path(__file__).resolve().parents[2]


class Payload:
    """Makes a folder when it is unpickled: what a malicious file does, only harmless."""

    def __init__(self, target: Path):
        self.target = str(target)

    def __reduce__(self):
        return os.mkdir, (self.target,)


def as_folder(load: Callable[[Path], Any], weights: str) -> Callable[[Path], Any]:
    """The loader on a folder of diffusers or transformers that holds the file."""

    def run(path: Path) -> Any:
        folder = path.parent / "a folder"
        folder.mkdir()
        (folder / weights).write_bytes(path.read_bytes())
        (folder / "config.json").write_text(json.dumps({"num_attention_heads": 2}))
        return load(folder)

    return run


def command(*arguments: str) -> Callable[[Path], Any]:
    """The command line; exit code 2 counts as the refusal that it prints."""

    def run(path: Path) -> None:
        places = {"FILE": str(path), "OUT": str(path.parent / "out")}
        if main([places.get(part, part) for part in arguments]) == 2:
            raise MMGTError("refused", where=path, fix="see above")

    return run


LOADERS: dict[str, Callable[[Path], Any]] = {
    "read_official": read_official,
    "read_model_file": read_model_file,
    "load_smga": load_smga,
    "load_video_model": load_video_model,
    "read_video_file": read_video_file,
    "checked_official": checked_official,
    "read_speech_file": read_speech_file,
    "load_wavlm": load_wavlm,
    "load_wav2vec2": load_wav2vec2,
    "load_wav2vec2, folder": as_folder(load_wav2vec2, "pytorch_model.bin"),
    "load_wavlm, folder": as_folder(load_wavlm, "pytorch_model.bin"),
    "load_vae": load_vae,
    "load_vae, folder": as_folder(load_vae, "diffusion_pytorch_model.bin"),
    "load_clip_vision": load_clip_vision,
    "load_clip_vision, folder": as_folder(load_clip_vision, "pytorch_model.bin"),
    "convert": lambda path: convert(path, path.parent / "out"),
    "convert in parts": lambda path: convert(path, path.parent / "out", in_parts=True),
    "convert_back": lambda path: convert_back(path, path.parent / "out"),
    "mmgt convert": command("convert", "FILE", "--out", "OUT"),
    "load_motion": load_motion,
    "load_image": load_image,
    "read_pose_file": read_pose_file,
}


def _zip(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _legacy(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


FORMS = {
    "zip, beside": lambda p: _zip({"a": torch.zeros(2), "extra": p}),
    "zip, inside": lambda p: _zip({"ema_state_dict": {"a": torch.zeros(2), "b": p}}),
    "zip, alone": _zip,
    "zip, as a name": lambda p: _zip({"a": torch.zeros(2), ("b", p): 1}),
    "legacy": lambda p: _legacy({"a": torch.zeros(2), "b": p}),
    "bare pickle": pickle.dumps,
    "old bare pickle": lambda p: pickle.dumps(p, 0),
}


def test_the_payload_does_run_in_an_unguarded_reader(tmp_path):
    torch.load(io.BytesIO(FORMS["zip, inside"](Payload(tmp_path / "ran"))), weights_only=False)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("ending", [".pth", ".ckpt", ".bin", ".safetensors"])
@pytest.mark.parametrize("loader", LOADERS)
def test_no_loader_runs_it(tmp_path, loader, ending):
    for index, form in enumerate(FORMS):
        folder = tmp_path / str(index)
        folder.mkdir()
        path = folder / f"model{ending}"
        path.write_bytes(FORMS[form](Payload(tmp_path / "ran")))
        with pytest.raises(MMGTError):
            LOADERS[loader](path)
        assert not (tmp_path / "ran").exists(), form
        assert not list(folder.glob("out/*")), "something was written"
        TRIED["malicious pickle"]["refused"] += 1


@pytest.mark.parametrize("form", FORMS)
def test_nor_do_detectors_and_jobs(tmp_path, form):
    pytest.importorskip("onnxruntime")
    from mmgt_core.pose.detector import DETECTOR_FILE, POSE_FILE, PoseDetector

    data = FORMS[form](Payload(tmp_path / "ran"))
    for name in (DETECTOR_FILE, POSE_FILE, "jobs.jsonl"):
        (tmp_path / name).write_bytes(data)
    with pytest.raises(MMGTError):
        PoseDetector.from_folder(tmp_path)
    with contextlib.suppress(MMGTError):
        assert all(isinstance(job, BadJob) for job in read_jobs(tmp_path / "jobs.jsonl"))
    assert not (tmp_path / "ran").exists()
    TRIED["malicious pickle"]["refused"] += 2


def test_every_caller_of_torch_load_is_the_one_door():
    callers = [
        path.relative_to(ROOT).as_posix()
        for path in [*(ROOT / "mmgt_core").rglob("*.py"), *(ROOT / "nodes").rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("torch.load", "comfy.utils.load_torch_file")
    ]
    assert callers == ["mmgt_core/checkpoints/official.py"]
