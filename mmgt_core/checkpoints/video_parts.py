"""A Stage II model in four files: a plain SD1.5 UNet, a reference UNet, motion modules, and the adapter.

The first opens in any loader of SD1.5 UNets, the third in any loader of AnimateDiff's motion modules. The
adapter holds the rest under the official names; who opens it gets its neighbors with it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..base.errors import CheckpointError, InputError
from ..video.config import VideoConfig
from ..video.model import VideoModel
from .io import ModelFile, check_names_and_shapes, read_model_file
from .recognise import ADAPTER, MOTION, POSE_GUIDER, REFERENCE, UNET, VIDEO, recognise
from .video_keys import official_shapes

WHAT = "a Stage II video model"
PARTS = (UNET, REFERENCE, MOTION, ADAPTER)
ENDINGS = {kind: f"_{kind}.safetensors" for kind in PARTS}
# The official prefix that a part's own names stand without; the adapter keeps its names.
PREFIXES = {
    UNET: "denoising_unet.",
    REFERENCE: "reference_unet.",
    MOTION: "denoising_unet.",
    ADAPTER: "",
    POSE_GUIDER: "pose_guider.",
}


def part_of(official: str) -> str:
    """Which of the four files a tensor of that official name belongs to."""
    if official.startswith(PREFIXES[REFERENCE]):
        return REFERENCE
    if not official.startswith(PREFIXES[UNET]) or ".audio_modules." in official:
        return ADAPTER
    return MOTION if ".motion_modules." in official else UNET


def split(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Official names -> part -> the names in that file."""
    parts: dict[str, dict[str, Tensor]] = {kind: {} for kind in PARTS}
    for name, tensor in tensors.items():
        kind = part_of(name)
        parts[kind][name.removeprefix(PREFIXES[kind])] = tensor
    return parts


def join(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The inverse of `split`, of as many parts as are given."""
    return {
        PREFIXES[kind] + name: tensor for kind, tensors in parts.items() for name, tensor in tensors.items()
    }


def read_video_file(path: str | os.PathLike[str], *, with_unet: bool = True) -> ModelFile:
    """Read a Stage II model under its official names, be it one file or an adapter with its neighbors.

    Args:
        with_unet: also take the denoising UNet of a model in parts; one that stands in the same
        file comes anyway.

    Raises CheckpointError, naming the file, when it is another model or a neighbor is missing.
    """
    file = read_model_file(path)
    look = recognise(file.tensors)
    kind = file.kind or (look.kind if look else "")
    if kind in (UNET, REFERENCE, MOTION):
        raise CheckpointError(
            f"this is only a part of {WHAT}: {kind}",
            where=path,
            fix=f"choose the file whose name ends in {ENDINGS[ADAPTER]}",
        )
    if look and look.kind not in (VIDEO, ADAPTER):
        raise CheckpointError(f"this is {look.title}, not {WHAT}", where=path, fix="choose another file")
    if file.kind not in ("", VIDEO, ADAPTER):
        raise CheckpointError(
            f"this is a {file.kind!r} model, not {WHAT}", where=path, fix="choose a video model file"
        )
    whole = any(name.startswith(PREFIXES[REFERENCE]) for name in file.tensors)
    if kind != ADAPTER or whole:
        return ModelFile(VIDEO if file.kind else "", file.config, file.tensors, file.provenance)
    parts = {ADAPTER: file.tensors}
    for part in (REFERENCE, MOTION, *((UNET,) if with_unet else ())):
        parts[part] = read_model_file(_neighbour(Path(path), part)).tensors
    return ModelFile(VIDEO if file.kind else "", file.config, join(parts), file.provenance)


def check_part(kind: str, tensors: Mapping[str, Tensor], where: object) -> VideoConfig:
    """Check a part that stands alone, such as a published UNet, against the sizes of its tensors.

    Returns the configuration of a video model that the part fits. Raises CheckpointError unless names and
    shapes agree exactly.
    """
    config = _part_config(kind, tensors, where)
    with torch.device("meta"):
        model = VideoModel(config)
    prefix = PREFIXES[kind]
    expected = {
        name.removeprefix(prefix): shape
        for name, shape in official_shapes(model).items()
        if name.startswith(prefix) and (kind == POSE_GUIDER or part_of(name) == kind)
    }
    check_names_and_shapes(tensors, expected, where, TITLES[kind])
    return config


TITLES = {
    UNET: "a UNet of SD1.5",
    REFERENCE: "a reference UNet",
    MOTION: "the motion modules of AnimateDiff v2",
    POSE_GUIDER: "a pose guider",
}


def _part_config(kind: str, tensors: Mapping[str, Tensor], where: object) -> VideoConfig:
    try:
        if kind == POSE_GUIDER:
            width = tensors["conv_out.weight"].shape[0]
            channels = [tensors["conv_in.weight"].shape[0]]
            channels += [tensors[f"blocks.{index}.weight"].shape[0] for index in (1, 3, 5)]
            return VideoConfig(block_channels=(width,) * 4, pose_channels=tuple(channels))
        if kind == MOTION:
            module = "down_blocks.{}.motion_modules.0.temporal_transformer."
            widths = tuple(tensors[module.format(i) + "norm.weight"].shape[0] for i in range(4))
            positions = "transformer_blocks.0.attention_blocks.0.pos_encoder.pe"
            frames = tensors[module.format(0) + positions].shape[1]
            return VideoConfig(block_channels=widths, motion_max_frames=frames)
        widths = tuple(tensors[f"down_blocks.{i}.resnets.0.conv1.weight"].shape[0] for i in range(4))
        context = tensors["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"].shape[1]
        return VideoConfig(block_channels=widths, cross_dim=context)
    except (KeyError, IndexError) as error:
        raise CheckpointError(
            f"as {TITLES[kind]} it lacks the tensor {error}", where=where, fix="choose another file"
        ) from error
    except InputError as error:
        raise CheckpointError(
            f"its sizes are not those of {TITLES[kind]} ({error.what})",
            where=where,
            fix="choose another file",
        ) from error


def _neighbour(adapter: Path, kind: str) -> Path:
    stem = adapter.name.removesuffix(ENDINGS[ADAPTER])
    path = adapter.with_name(stem + ENDINGS[kind])
    if not path.is_file():
        raise CheckpointError(
            f"its part {path.name} is missing",
            where=adapter,
            fix="put all files of the model into one folder, or choose the model as one file",
        )
    return path
