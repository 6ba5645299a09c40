"""Small random models of the demo's kind, written where the host's loaders list them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import torch

from ..speakers import motion_names, random_changes, video_names

MOTION, VIDEO = "small_motion.safetensors", "small_video.safetensors"
SIZE = 128


def write_small_models(pack, folder: Path) -> Any:
    """Both files in `folder`, which becomes models/mmgt; returns the video model's configuration."""
    import folder_paths

    folder.mkdir(exist_ok=True)
    folder_paths.folder_names_and_paths["mmgt"] = ([str(folder)], {".safetensors"})
    folder_paths.filename_list_cache.pop("mmgt", None)
    io = pack("mmgt_core.checkpoints.io")
    config = dataclasses.replace(
        pack("mmgt_core.video.config").demo_config(),
        block_channels=(32,) * 4,
        size=SIZE,
        steps=2,
        autoencoder_channels=8,
        shared_noise=False,  # the host's own samplers, which we compare with, draw one for each frame
    )
    shapes = pack("nodes.comfy.load_video_model").official_shapes(config, has_unet=True)
    tensors = random_tensors(shapes, torch.Generator().manual_seed(3))
    sinusoids = pack(
        "mmgt_core.video.motion_module"
    ).sinusoids  # the loaders check that these are what they are
    positions = pack("mmgt_core.checkpoints.video_keys").position_shapes(config)
    tensors |= {name: sinusoids(*shape[1:]) for name, shape in positions.items()}
    io.write_model_file(folder / VIDEO, io.ModelFile("video", io.config_to_json(config), tensors))
    smga = pack("mmgt_core.checkpoints.smga")
    sizes = pack("mmgt_core.smga.config").SMGAConfig(
        width=32, ffn=32, layers=1, heads=2, audio_channels=35, steps=2, guidance=1.0
    )
    with torch.inference_mode(False), torch.random.fork_rng():
        torch.manual_seed(4)
        smga.save_smga(folder / MOTION, pack("mmgt_core.smga.network").SMGA(sizes).eval())
    return config


def write_speaker(pack, models: Path, path: Path, *, seed: int = 0, stages: str = "motion video") -> None:
    """A speaker adapter of random numbers for the two files of `write_small_models`."""
    io, adapters = pack("mmgt_core.checkpoints.io"), pack("mmgt_core.checkpoints.speaker_adapter")
    changes = {}
    for stage, name, names in (("motion", MOTION, motion_names), ("video", VIDEO, video_names)):
        if stage in stages:
            tensors = io.read_model_file(models / name).tensors
            changes[stage] = random_changes(tensors, names(tensors), seed=seed)
    adapters.write_speaker_adapter(path, adapters.SpeakerAdapter(**changes))


def random_tensors(shapes: dict[str, tuple[int, ...]], generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Matrices that keep the scale of what they map, norms near 1, small biases."""
    tensors = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            tensors[name] = values / math.sqrt(math.prod(shape[1:]))
        else:
            tensors[name] = 1 + 0.1 * values if name.endswith("weight") else 0.1 * values
    return tensors
