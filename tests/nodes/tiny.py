"""The tiny Stage II model of the goldens as a model file, and its goldens as the host's inputs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from ..goldens import small
from ..tiny import CORRECTIONS, MANIFEST, draw_weights, video_sizes

WEIGHTS = "stage2/weights_tiny_net.safetensors"
ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "tests" / "goldens", ROOT.parent / "shared" / "goldens")


def find(name: str) -> Path | None:
    return next((folder / name for folder in FOLDERS if (folder / name).is_file()), None)


class Golden:
    """One golden file: `golden["name"]`, `golden.metadata`."""

    def __init__(self, name: str):
        path = find(name)
        if path is None:
            pytest.skip(f"golden file {name} is not here")
        with safe_open(path, framework="pt") as file:
            self.metadata: dict[str, str] = file.metadata() or {}
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]


def tiny_tensors(pack) -> tuple[dict[str, Tensor], Any]:
    """(official tensors, configuration) of the tiny model, from its file or the manifest's seeds."""
    if find(WEIGHTS) is not None:
        golden = Golden(WEIGHTS)
        tensors, metadata = golden.tensors, golden.metadata
    else:
        path = find(MANIFEST)
        if path is None:
            pytest.skip("neither the tiny Stage II weights nor their manifest are here")
        manifest = json.loads(path.read_text(encoding="utf-8"))
        corrections, _ = small.read(small.HERE / f"{CORRECTIONS}{small.SUFFIX}")
        sinusoids = pack("mmgt_core.video.motion_module").sinusoids
        tensors, metadata = draw_weights(manifest, corrections, sinusoids), manifest["metadata"]
    values = json.loads(metadata["config"])
    config = pack("mmgt_core.video.config").VideoConfig(**video_sizes(values))
    return tensors, config


def write_tiny(pack, path: Path, *, with_unet: bool = True) -> None:
    """The tiny model as a model file of ours."""
    tensors, config = tiny_tensors(pack)
    if not with_unet:
        base = ("audio_modules.", "motion_modules.")
        tensors = {
            k: v
            for k, v in tensors.items()
            if not k.startswith("denoising_unet.") or any(part in k for part in base)
        }
    io = pack("mmgt_core.checkpoints.io")
    io.write_model_file(path, io.ModelFile("video", io.config_to_json(config), tensors))


def frames_first(x: Tensor) -> Tensor:
    """(1, channels, frames, h, w) -> (frames, channels, h, w)."""
    return x[0].transpose(0, 1).contiguous()


def golden_masks(pack, golden: Golden, full: bool) -> Any:
    """The golden's mask levels as a `MaskPyramid`; without a stored full mask it is 1 + lips."""
    module = pack("mmgt_core.video.mask_pyramid")
    side = math.isqrt(golden["lip_mask.0"].shape[1])
    levels = []
    for level, size in enumerate(module.level_sizes(side, side)):
        lips, face = golden[f"lip_mask.{level}"], golden[f"face_mask.{level}"]
        first = golden[f"full_mask.{level}"] if full else 1 + lips
        levels.append(torch.stack([mask.unflatten(1, size) for mask in (first, face, lips)], dim=1))
    return module.MaskPyramid(tuple(levels))


def golden_clip(
    pack, golden: Golden, model: Any, weights: tuple[float, float, float], full: bool = False
) -> Any:
    """The golden's inputs as a `Clip`; its portrait is given as the host's VAE would give it."""
    poses = golden["pose_images"]
    poses = poses.permute(0, 2, 3, 4, 1)[0] if poses.ndim == 5 else poses
    return pack("nodes.comfy.conditions").Clip(
        frames=poses.shape[0],
        portrait=model.model.process_latent_out(golden["ref_latents"].float()),
        image_embeds=golden["clip_embeds"].reshape(1, -1),
        pose_images=poses,
        audio=golden["audio_windows"].squeeze(0) if "audio_windows" in golden.tensors else None,
        masks=golden_masks(pack, golden, full),
        region_weights=weights,
    )


def conditioning(pack, clip: Any, cross_dim: int) -> tuple[list, list]:
    """(positive, negative) as the host wants them."""
    module = pack("nodes.comfy.conditions")
    token = clip.image_embeds.reshape(1, 1, cross_dim)
    sides = ((token, True), (torch.zeros_like(token), False))
    return tuple(
        [[context, {"model_conds": {module.CONDITION: module.ClipCondition.whole(clip, flag)}}]]
        for context, flag in sides
    )
