"""Published files as they would lie on a disk: the same containers and key sets, made-up numbers."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from mmgt_core.checkpoints.smga import official_keys as smga_keys
from mmgt_core.checkpoints.smga import state_to_official as smga_to_official
from mmgt_core.checkpoints.video import state_to_official
from mmgt_core.checkpoints.wavlm_keys import wavlm_keys
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA
from mmgt_core.video.config import VideoConfig
from mmgt_core.video.model import VideoModel

ROOT = Path(__file__).resolve().parents[3]
MANIFEST = ROOT / "tests" / "goldens" / "stage1" / "state_dict_manifest.json"

# Narrow, but of the published layout, so that the sizes can be told from the shapes alone.
VIDEO = VideoConfig(
    block_channels=(32, 64, 96, 96),
    cross_dim=6,
    audio_channels=2,
    audio_intermediate=7,
    audio_tokens=3,
    audio_dim=5,
    pose_channels=(4, 4, 6, 8),
)
MOTION = SMGAConfig(features=402, width=16, ffn=24, layers=2, heads=8, audio_channels=35)


@pytest.fixture(scope="session")
def video_state() -> dict[str, torch.Tensor]:
    """All 2232 official tensors of a narrow video model; the frozen parts in half precision."""
    model = VideoModel.build(VIDEO, 0, pose_output_scale=1.0).requires_grad_(False)
    half = ("reference_unet.", "pose_guider.")
    return {name: t.half() if name.startswith(half) else t for name, t in state_to_official(model).items()}


@pytest.fixture(scope="session")
def video_file(video_state, tmp_path_factory) -> Path:
    """net-32500.pth: a bare state dict. Shared, never write here."""
    path = tmp_path_factory.mktemp("published") / "net-32500.pth"
    torch.save(OrderedDict(video_state), path)
    return path


@pytest.fixture(scope="session")
def motion_state() -> dict[str, torch.Tensor]:
    """A Stage I state dict with its dead parameters drawn, so that losing them would show."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = smga_to_official(SMGA(MOTION).state_dict(), MOTION)
        dead = {name for name, key in smga_keys(MOTION).items() if key.dead}
        return {name: torch.randn_like(t) if name in dead else t for name, t in state.items()}


@pytest.fixture
def motion_checkpoint(motion_state):
    """What the Stage I trainer saves."""
    return {
        "ema_state_dict": OrderedDict(motion_state),
        "model_state_dict": OrderedDict((name, tensor + 1) for name, tensor in motion_state.items()),
        "optimizer_state_dict": {
            "state": {0: {"step": 3, "m": torch.zeros(2)}},
            "param_groups": [{"lr": 2e-4}],
        },
        "epoch": 200,
    }


@pytest.fixture(scope="session")
def published_motion_shapes() -> dict[str, tuple[int, ...]]:
    """The 473 published Stage I keys, in order, from the manifest that was taken of the official network."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    assert len(manifest["tensors"]) == manifest["n_keys"] == 473
    return {entry["key"]: tuple(entry["shape"]) for entry in manifest["tensors"]}


WAVLM_CFG = {
    "extractor_mode": "layer_norm",
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "layer_norm_first": True,
    "normalize": True,
    "max_distance": 80,
    "encoder_layerdrop": 0.0,
}


@pytest.fixture
def wavlm_state() -> dict[str, torch.Tensor]:
    """A tiny WavLM under its original names."""
    width, ffn, heads, channels, buckets = 32, 48, 4, 24, 32
    kernels = (10, 3, 3, 3, 3, 2, 2)
    generator = torch.Generator().manual_seed(0)

    def shape(name: str) -> tuple[int, ...]:
        last = name.rsplit(".", 1)[-1]
        for part, sizes in {
            "mask_emb": (width,),
            "post_extract_proj": (width, channels),
            "pos_conv.0.weight_g": (1, 1, 16),
            "pos_conv.0.weight_v": (width, width // 4, 16),
            "relative_attention_bias": (buckets, heads),
            "grep_linear": (8, width // heads),
            "grep_a": (1, heads, 1, 1),
            "fc1": (ffn, width),
            "fc2": (width, ffn),
            "_proj": (width, width),
        }.items():
            if part in name:
                return sizes[:1] if last == "bias" else sizes
        if "conv_layers" in name:
            index = int(name.split(".")[2])
            return (
                (channels, channels if index else 1, kernels[index]) if ".0.weight" in name else (channels,)
            )
        return (channels,) if name.startswith("layer_norm") else (width,)

    return {name: torch.randn(shape(name), generator=generator) for name in wavlm_keys(7, 2)}
