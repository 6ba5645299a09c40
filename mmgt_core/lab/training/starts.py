"""Public weights to begin Stage II with: SD1.5's UNet, AnimateDiff's motion
modules, ControlNet's pose guider."""

from __future__ import annotations

import os
from collections.abc import Mapping

import torch
from torch import Tensor

from ...base.errors import CheckpointError
from ...checkpoints.io import check_names_and_shapes, read_model_file
from ...checkpoints.recognise import MOTION, UNET, refuse_other_models
from ...checkpoints.video_keys import official_keys, official_shapes, position_shapes
from ...checkpoints.video_parts import PREFIXES, part_of
from ...video.model import VideoModel

PathLike = str | os.PathLike[str]
HINTS = ("controlnet_cond_embedding.", "control_model.input_hint_block.")
HINT_LAYERS = (0, 2, 4, 6, 8, 10, 12, 14)  # of the original names: conv_in, six blocks, conv_out
GUIDER_FIX = "take diffusion_pytorch_model.safetensors of lllyasviel/control_v11p_sd15_openpose"


def start_from_unet(model: VideoModel, path: PathLike) -> None:
    """Put the weights of a plain SD1.5 UNet into the denoising UNet and the reference UNet.

    Args:
        path: diffusers' names, such as unet/diffusion_pytorch_model.safetensors of SD1.5 or of
            sd-image-variations, the published start.

    Raises CheckpointError for another model, and for one of other sizes.
    """
    tensors = read_model_file(path).tensors
    refuse_other_models(tensors, (UNET,), "a UNet of SD1.5 with diffusers' names", path)
    wanted = _wanted(model, UNET)
    check_names_and_shapes(tensors, wanted, path, "the UNet of this model")
    _put(model, PREFIXES[UNET], tensors)
    reference = {name: tensors[name] for name in model.reference.state_dict()}
    model.reference.load_state_dict(reference)


def start_from_motion_modules(model: VideoModel, path: PathLike) -> None:
    """Put the weights of AnimateDiff's motion modules, version 2, into the adapter, as published.

    Raises CheckpointError for another model, and for one of other sizes.
    """
    tensors = read_model_file(path).tensors
    refuse_other_models(tensors, (MOTION,), "AnimateDiff's motion modules, version 2", path)
    check_names_and_shapes(tensors, _wanted(model, MOTION), path, "the motion modules of this model")
    made = {name.removeprefix(PREFIXES[MOTION]) for name in position_shapes(model.config)}
    _put(model, PREFIXES[MOTION], {name: tensor for name, tensor in tensors.items() if name not in made})


def start_pose_guider(model: VideoModel, path: PathLike) -> None:
    """Put a ControlNet's condition embedding into the pose guider, all but its last layer, as published.

    Args:
        path: a ControlNet of SD1.5, diffusers' names or the original ones.

    Raises CheckpointError for a file without such an embedding, or one of other sizes.
    """
    tensors = read_model_file(path).tensors
    found = _hint_layers(tensors)
    guider = model.adapter.pose_guider
    wanted = {
        name: tuple(t.shape) for name, t in guider.state_dict().items() if not name.startswith("conv_out")
    }
    if not found:
        raise CheckpointError("it holds no condition embedding of a ControlNet", where=path, fix=GUIDER_FIX)
    check_names_and_shapes(
        {name: tensor for name, tensor in found.items() if not name.startswith("conv_out")},
        wanted,
        path,
        "the pose guider of this model",
    )
    guider.load_state_dict({**guider.state_dict(), **{name: found[name].float() for name in wanted}})


def _hint_layers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The condition embedding under our names."""
    found: dict[str, Tensor] = {}
    names = ["conv_in", *(f"blocks.{n}" for n in range(len(HINT_LAYERS) - 2)), "conv_out"]
    numbers = dict(zip(map(str, HINT_LAYERS), names, strict=True))
    for name, tensor in tensors.items():
        if name.startswith(HINTS[0]):
            found[name.removeprefix(HINTS[0])] = tensor
        elif name.startswith(HINTS[1]):
            number, _, kind = name.removeprefix(HINTS[1]).partition(".")
            if number in numbers:
                found[f"{numbers[number]}.{kind}"] = tensor
    return found


def _wanted(model: VideoModel, kind: str) -> dict[str, tuple[int, ...]]:
    """Names in a file of that part -> shapes."""
    return {
        name.removeprefix(PREFIXES[kind]): shape
        for name, shape in official_shapes(model).items()
        if part_of(name) == kind
    }


@torch.no_grad()
def _put(model: VideoModel, prefix: str, tensors: Mapping[str, Tensor]) -> None:
    names, state = official_keys(model), model.state_dict()
    for name, tensor in tensors.items():
        state[names[prefix + name]].copy_(tensor)
