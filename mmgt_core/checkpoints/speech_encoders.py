"""Speech encoders from files: WavLM for Stage I and wav2vec2 for Stage II, strictly.

Sizes come from the shapes of the tensors; a configuration is read only for what shapes do not show.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..base.errors import CheckpointError
from .io import check_names_and_shapes
from .speech_file import (
    NAMES,
    WAV2VEC2,
    WAV2VEC2_BASE,
    WAVLM,
    WAVLM_LARGE,
    WHERE_FROM,
    Depth,
    SpeechFile,
    read_speech_file,
)
from .wavlm_keys import wavlm_depths

if TYPE_CHECKING:
    from transformers import Wav2Vec2Model, WavLMModel

LAYER_LIMIT = 100  # more than any speech encoder has
STRIDES = (5, 2, 2, 2, 2, 2, 2)
# Weight normalization before and after torch 2.0's parametrisations.
WEIGHT_NORM = (
    ("weight_g", "parametrizations.weight.original0"),
    ("weight_v", "parametrizations.weight.original1"),
)


def load_wavlm(
    path: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    *,
    depth: Depth | None = WAVLM_LARGE,
) -> WavLMModel:
    """WavLM for `audio.wavlm`, in eval mode.

    Args:
        path: safetensors or torch checkpoint with the names of transformers or of the original release, or a
            folder of transformers.
        dtype: None is fp32, as in the published scripts; fp16 can overflow.
        depth: the layers and width that it must have; None takes any.

    Raises:
        CheckpointError: no such file, another model (it is named), missing, unknown or misshapen tensors.
    """
    return wavlm_from(read_speech_file(path), device, dtype, depth=depth)


def load_wav2vec2(
    path: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    *,
    depth: Depth | None = WAV2VEC2_BASE,
) -> Wav2Vec2Model:
    """wav2vec2 for `audio.wav2vec2`; see `load_wavlm`."""
    return wav2vec2_from(read_speech_file(path), device, dtype, depth=depth)


def wavlm_from(
    file: SpeechFile,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    *,
    depth: Depth | None = WAVLM_LARGE,
) -> WavLMModel:
    """The model of an already read file; see `load_wavlm`."""
    from transformers import WavLMConfig, WavLMModel

    _check_kind(file, WAVLM, depth)
    relative = _shape(file, "encoder.layers.0.attention.rel_attn_embed.weight", 2)
    sizes = {
        **_common_sizes(file),
        "num_attention_heads": relative[1],
        "num_buckets": relative[0],
        "max_bucket_distance": file.stated.get("max_bucket_distance", 800),
    }
    return _filled(WavLMModel, WavLMConfig, sizes, file, device, dtype)


def wav2vec2_from(
    file: SpeechFile,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
    *,
    depth: Depth | None = WAV2VEC2_BASE,
) -> Wav2Vec2Model:
    """The model of an already read file; see `load_wav2vec2`."""
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    _check_kind(file, WAV2VEC2, depth)
    sizes = _common_sizes(file)
    if sizes["do_stable_layer_norm"]:
        raise CheckpointError(
            "this wav2vec2 normalizes before its layers, as large-lv60 and XLSR do, and not after them",
            where=file.where,
            fix=WHERE_FROM[WAV2VEC2],
        )
    sizes["num_attention_heads"] = file.stated.get("num_attention_heads", max(file.depth.width // 64, 1))
    return _filled(Wav2Vec2Model, Wav2Vec2Config, sizes, file, device, dtype)


def _check_kind(file: SpeechFile, kind: str, depth: Depth | None) -> None:
    found = NAMES.get((file.kind, file.depth), file.kind)
    if file.kind == kind and (depth is None or file.depth == depth) and file.depth.layers <= LAYER_LIMIT:
        return
    wanted = kind if depth is None else NAMES.get((kind, depth), kind)
    size = f"{file.depth.layers} layers of {file.depth.width} channels"
    raise CheckpointError(
        f"{wanted} is needed here, and this is {found} ({size})", where=file.where, fix=WHERE_FROM[kind]
    )


def _common_sizes(file: SpeechFile) -> dict[str, Any]:
    """The configuration that wav2vec2 and WavLM share, read from shapes."""
    convolutions, layers = wavlm_depths(file.tensors)
    shapes = [_shape(file, f"feature_extractor.conv_layers.{i}.conv.weight", 3) for i in range(convolutions)]
    if convolutions != len(STRIDES):
        raise CheckpointError(
            f"its sound passes {convolutions} convolutions instead of {len(STRIDES)}",
            where=file.where,
            fix=WHERE_FROM[file.kind],
        )
    width = file.depth.width
    position = _shape(file, _spelled(file.tensors, "encoder.pos_conv_embed.conv.", "weight_v"), 3)
    every_layer_normed = "feature_extractor.conv_layers.1.layer_norm.weight" in file.tensors
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "intermediate_size": _shape(file, "encoder.layers.0.feed_forward.intermediate_dense.weight", 2)[0],
        "conv_dim": [shape[0] for shape in shapes],
        "conv_kernel": [shape[2] for shape in shapes],
        "conv_stride": list(STRIDES),
        "conv_bias": "feature_extractor.conv_layers.0.conv.bias" in file.tensors,
        "feat_extract_norm": "layer" if every_layer_normed else "group",
        "do_stable_layer_norm": every_layer_normed,  # the two go together in every release
        "num_conv_pos_embeddings": position[2],
        "num_conv_pos_embedding_groups": max(width // max(position[1], 1), 1),
        "mask_time_prob": 0.0,  # no masking vector: it is for training
        "mask_feature_prob": 0.0,
    }


def _filled(
    model_class: Any, config_class: Any, sizes: dict[str, Any], file: SpeechFile, device: Any, dtype: Any
) -> Any:
    """The model with the file's tensors, after a check of every name and shape."""
    try:
        with torch.device("meta"):
            model = model_class(config_class(**sizes))
    except (ValueError, RuntimeError, TypeError, ZeroDivisionError) as error:
        raise CheckpointError(
            f"no {file.kind} has the sizes of its tensors ({error})",
            where=file.where,
            fix=WHERE_FROM[file.kind],
        ) from error
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    tensors = _respelled(file.tensors, expected)
    check_names_and_shapes(
        tensors, expected, file.where, f"a {NAMES.get((file.kind, file.depth), file.kind)}"
    )
    device = torch.device(device)
    dtype = dtype or torch.float32
    model.load_state_dict({name: tensor.to(device, dtype) for name, tensor in tensors.items()}, assign=True)
    return model.eval().requires_grad_(False)


def _respelled(tensors: Mapping[str, Tensor], expected: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weight-norm tensors under the spelling that this version of transformers uses."""
    respelled = dict(tensors)
    for name in tensors:
        for spellings in (WEIGHT_NORM, [pair[::-1] for pair in WEIGHT_NORM]):
            for theirs, ours in spellings:
                if name.endswith(f".{theirs}") and name not in expected:
                    respelled[name.removesuffix(theirs) + ours] = respelled.pop(name)
    return respelled


def _spelled(tensors: Mapping[str, Tensor], prefix: str, old: str) -> str:
    new = dict(WEIGHT_NORM)[old]
    return prefix + (new if prefix + new in tensors else old)


def _shape(file: SpeechFile, name: str, dimensions: int) -> tuple[int, ...]:
    if name not in file.tensors or file.tensors[name].ndim != dimensions or 0 in file.tensors[name].shape:
        raise CheckpointError(
            f"as {file.kind} it lacks the tensor {name}, or its shape is wrong",
            where=file.where,
            fix=WHERE_FROM[file.kind],
        )
    return tuple(file.tensors[name].shape)
