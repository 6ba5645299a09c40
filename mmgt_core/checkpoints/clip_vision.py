"""CLIP's image encoder from a file or a folder, strictly; sizes come from the shapes of the tensors."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..base.errors import CheckpointError, DependencyError
from .io import check_names_and_shapes, read_model_file
from .recognise import CLIP_VISION as KIND
from .recognise import refuse_other_models
from .speech_file import read_config

if TYPE_CHECKING:
    from transformers import CLIPVisionModelWithProjection

WHAT = "the CLIP image encoder ViT-L/14"
CLIP_FIX = "take image_encoder of lambdalabs/sd-image-variations-diffusers (`mmgt download clip-vision`)"
FOLDER_WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # best first
HEAD_WIDTH = 64  # of every released CLIP; shapes do not show it
ACTIVATIONS = ("quick_gelu", "gelu")
LAYER_LIMIT = 100
# Beginning of a name -> why the image encoder does without it.
DROPPED = {
    "vision_model.embeddings.position_ids": "counts from 0",
    "text_model.": "the half of a whole CLIP that reads text",
    "text_projection": "as text_model",
    "logit_scale": "compares the two halves of a whole CLIP",
}


def load_clip_vision(
    path: str | os.PathLike[str], device: torch.device | str = "cpu", dtype: torch.dtype | None = None
) -> CLIPVisionModelWithProjection:
    """The encoder with its projection, in evaluation mode.

    Args:
        path: safetensors or torch checkpoint with transformers' names (ComfyUI's `models/clip_vision`), of
            the image encoder alone or of a whole CLIP; or a folder of transformers.
        dtype: None is float32.

    Raises:
        CheckpointError: no such file, another model (it is named), missing, unknown or misshapen tensors.
        DependencyError: transformers is not installed.
    """
    path, stated = _weights(Path(path))
    tensors = {
        name: tensor
        for name, tensor in read_model_file(path).tensors.items()
        if not name.startswith(tuple(DROPPED))
    }
    refuse_other_models(tensors, (KIND,), WHAT, path)
    model = _empty(tensors, stated, path)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    check_names_and_shapes(tensors, expected, path, WHAT)
    cast = {name: tensor.to(device, dtype or torch.float32) for name, tensor in tensors.items()}
    model.load_state_dict(cast, assign=True)
    embeddings = model.vision_model.embeddings
    embeddings.position_ids = torch.arange(embeddings.num_positions, device=device)[None]
    return model.eval().requires_grad_(False)


def _weights(path: Path) -> tuple[Path, Mapping[str, Any]]:
    if not path.is_dir():
        return path, {}
    found = next((path / name for name in FOLDER_WEIGHTS if (path / name).is_file()), None)
    if found is None:
        raise CheckpointError(f"the folder has no {FOLDER_WEIGHTS[0]}", where=path, fix=CLIP_FIX)
    return found, read_config(path / "config.json")


def _empty(tensors: Mapping[str, Tensor], stated: Mapping[str, Any], where: object) -> Any:
    """The encoder of the sizes of the tensors, on the meta device."""
    try:
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
    except ImportError as error:
        raise DependencyError(
            "transformers is needed for CLIP's image encoder", where=where, fix="pip install transformers"
        ) from error

    def shape(name: str, dimensions: int) -> tuple[int, ...]:
        if name not in tensors or tensors[name].ndim != dimensions or 0 in tensors[name].shape:
            raise CheckpointError(f"as {WHAT} it lacks the tensor {name}", where=where, fix=CLIP_FIX)
        return tuple(tensors[name].shape)

    width, _, patch, _ = shape("vision_model.embeddings.patch_embedding.weight", 4)
    places = shape("vision_model.embeddings.position_embedding.weight", 2)[0] - 1
    layer = "vision_model.encoder.layers.{}.mlp.fc1.weight"
    layers = sum(layer.format(index) in tensors for index in range(LAYER_LIMIT))
    activation = stated.get("hidden_act", ACTIVATIONS[0])
    if activation not in ACTIVATIONS:
        raise CheckpointError(
            f"its config.json names the activation {str(activation)[:40]!r}", where=where, fix=CLIP_FIX
        )
    try:
        with torch.device("meta"):
            return CLIPVisionModelWithProjection(
                CLIPVisionConfig(
                    hidden_size=width,
                    intermediate_size=shape(layer.format(0), 2)[0],
                    projection_dim=shape("visual_projection.weight", 2)[0],
                    num_hidden_layers=layers,
                    num_attention_heads=max(width // HEAD_WIDTH, 1),
                    patch_size=patch,
                    image_size=math.isqrt(max(places, 1)) * patch,
                    hidden_act=activation,
                )
            )
    except (ValueError, RuntimeError, TypeError, ZeroDivisionError) as error:
        raise CheckpointError(
            f"no CLIP has the sizes of its tensors ({error})", where=where, fix=CLIP_FIX
        ) from error
