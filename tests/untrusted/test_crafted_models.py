"""Model files that were made to hurt: headers, configurations and archives that lie about what they hold."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from mmgt_core.base.errors import MMGTError
from mmgt_core.base.safetensors_header import read_header
from mmgt_core.checkpoints.clip_vision import load_clip_vision
from mmgt_core.checkpoints.io import config_from_json, read_model_file
from mmgt_core.checkpoints.speech_file import read_speech_file
from mmgt_core.checkpoints.vae import load_vae
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.video.config import VideoConfig

from .rule import TRIED, attempt, bounded_memory
from .samples import DOORS

# Headers of safetensors


def entry(dtype="F32", shape=(2,), place=(0, 8)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(place)}


def headed(path: Path, header: bytes | str | dict, data: bytes = bytes(8), length: int | None = None) -> None:
    text = json.dumps(header) if isinstance(header, dict) else header
    text = text.encode() if isinstance(text, str) else text
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)


ONE = json.dumps(entry())
HEADERS = {
    "a length of 2^64 - 1": lambda p: headed(p, {"a": entry()}, length=2**64 - 1),
    "a length of 2^62": lambda p: headed(p, {"a": entry()}, length=2**62),
    "a length of zero": lambda p: headed(p, {"a": entry()}, length=0),
    "17 MB of spaces": lambda p: headed(p, b'{"a":' + ONE.encode() + b"}" + b" " * 17 * 2**20),
    "deep": lambda p: headed(p, '{"a":' * 50_000),
    "deep and closed": lambda p: headed(p, '{"a":' * 500 + "1" + "}" * 500),
    "a name twice": lambda p: headed(p, f'{{"a":{ONE},"a":{ONE}}}'),
    "metadata twice": lambda p: headed(p, f'{{"__metadata__":{{}},"__metadata__":{{}},"a":{ONE}}}'),
    "overlapping": lambda p: headed(p, {"a": entry(), "b": entry()}),
    "half overlapping": lambda p: headed(p, {"a": entry(), "b": entry(place=(4, 12))}, bytes(12)),
    "a gap": lambda p: headed(p, {"a": entry(), "b": entry(place=(16, 24))}, bytes(24)),
    "beyond the end": lambda p: headed(p, {"a": entry(place=(0, 8)), "b": entry(place=(8, 16))}),
    "less than there is": lambda p: headed(p, {"a": entry()}, bytes(80)),
    "backwards": lambda p: headed(p, {"a": entry(place=(8, 0))}),
    "below zero": lambda p: headed(p, {"a": entry(place=(-8, 0))}),
    "an unknown type": lambda p: headed(p, {"a": entry("F33")}),
    "a type that is a number": lambda p: headed(p, {"a": entry(7)}),
    "a shape that overflows": lambda p: headed(p, {"a": entry(shape=(2**32, 2**32))}),
    "a shape below zero": lambda p: headed(p, {"a": entry(shape=(-2,))}),
    "a shape of fractions": lambda p: headed(p, {"a": entry(shape=(0.5, 4))}),
    "a shape of truth": lambda p: headed(p, {"a": entry(shape=(True, 2))}),
    "nine dimensions": lambda p: headed(p, {"a": entry(shape=(1,) * 8 + (2,))}),
    "another size": lambda p: headed(p, {"a": entry(shape=(3,))}),
    "more fields": lambda p: headed(p, {"a": {**entry(), "run": "rm"}}),
    "fewer fields": lambda p: headed(p, {"a": {"dtype": "F32"}}),
    "no object": lambda p: headed(p, "[1]"),
    "metadata of numbers": lambda p: headed(p, {"__metadata__": {"a": 1}, "a": entry()}),
    "no text": lambda p: headed(p, b"\xff" * 40),
    "nothing": lambda p: p.write_bytes(b""),
    "seven bytes": lambda p: p.write_bytes(bytes(7)),
    "our header, deep": lambda p: p.write_bytes(save({"a": torch.zeros(2)}, {"mmgt_config": "[" * 9_000})),
    "our header, no table": lambda p: p.write_bytes(save({"a": torch.zeros(2)}, {"mmgt_config": "[1]"})),
    "our header, large": lambda p: p.write_bytes(save({"a": torch.zeros(2)}, {"mmgt_config": " " * 2**21})),
}  # fmt: skip
LOADERS = {
    "read_model_file": read_model_file,
    "load_video_model": load_video_model,
    "load_vae": load_vae,
    "load_clip_vision": load_clip_vision,
    "read_speech_file": read_speech_file,
    "load_smga": DOORS["model.safetensors"].read,
    "read_speaker_adapter": DOORS["speaker.safetensors"].read,
    "load_motion": DOORS["motion.safetensors"].read,
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers(tmp_path, case):
    path = tmp_path / "model.safetensors"
    HEADERS[case](path)
    with bounded_memory():
        for name, load in LOADERS.items():
            assert attempt("crafted header", lambda load=load: load(path), lambda _: False, path), name


def test_a_header_of_40000_tensors(tmp_path):
    path = tmp_path / "model.safetensors"
    headed(path, dict.fromkeys(map(str, range(40_000)), entry("U8", (0,), (0, 0))), b"")
    assert "more than" in attempt("crafted header", lambda: read_model_file(path), lambda _: False, path)


def test_an_honest_header_passes(tmp_path):
    path = tmp_path / "a.safetensors"
    headed(path, {"__metadata__": {"a": "b"}, "a": entry(), "b": entry("U8", (1, 0, 3), (8, 8))})
    assert read_header(path).shapes == {"a": (2,), "b": (1, 0, 3)}


CONFIGS = {
    "layers": 10**9, "encoder_layers": 200, "width": 2**40, "heads": 0, "frames": -1, "ffn": 1.5,
    "audio_channels": "35", "guidance": "nan", "dropout": None, "eta": [1], "steps": True, "unknown": 1,
    "features": 403,
}  # fmt: skip
VIDEO_CONFIGS = {
    "block_channels": [64] * 99, "layers_per_block": 10**6, "heads": 0, "groups": 0, "cross_dim": 2**40,
    "latent_scale": float("inf"), "image_context": "everything", "full_mask": {}, "beta_schedule": 7,
    "region_weights": [1, 1], "window": 0, "overlap": 99, "pose_channels": ["a"], "closed_loop": 1,
    "audio_features": "x" * 300, "autoencoder": None, "motion_max_frames": -3, "size": 2**30,
    "autoencoder_encoder_blocks": [10**9] * 4, "audio_blocks": 500,
}  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [(SMGAConfig, *item) for item in CONFIGS.items()]
    + [(VideoConfig, *item) for item in VIDEO_CONFIGS.items()],
)
def test_configurations(cls, name, value):
    with pytest.raises(MMGTError) as caught:
        config_from_json(cls, {name: value}, "a.safetensors")
    assert str(caught.value).endswith(".")
    TRIED["crafted configuration"]["refused"] += 1


# Torch checkpoints


def test_a_bomb_in_a_zip(tmp_path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(2**28))
    with bounded_memory():
        assert attempt("crafted checkpoint", lambda: read_model_file(path), lambda _: False, path)


def test_a_zip_of_40000_parts(tmp_path):
    path = tmp_path / "many.pth"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(40_000):
            archive.writestr(f"a/data/{index}", b"")
    assert "parts" in attempt("crafted checkpoint", lambda: read_model_file(path), lambda _: False, path)
