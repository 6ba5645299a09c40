"""WavLM's published checkpoint <-> the names that transformers and ComfyUI's audio encoder folder use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..base.errors import CheckpointError, DependencyError
from .speech_encoders import wavlm_from
from .speech_file import speech_file
from .wavlm_keys import wavlm_depths, wavlm_keys

WHAT = "WavLM"


def wavlm_from_original(
    tensors: Mapping[str, Tensor], stated: Mapping[str, Any], where: object = None
) -> dict[str, Tensor]:
    """Original names -> transformers' names, none lost.

    Args:
        stated: the settings that the checkpoint holds beside its weights.

    Raises CheckpointError unless names and shapes are exactly those of one WavLM.
    """
    keys = wavlm_keys(*wavlm_depths(tensors))
    _check_names(tensors, keys, where)
    _check_shapes(tensors, stated, where)
    return {keys[name]: tensor for name, tensor in tensors.items()}


def wavlm_to_original(
    tensors: Mapping[str, Tensor], stated: Mapping[str, Any], where: object = None
) -> dict[str, Tensor]:
    """The inverse of `wavlm_from_original`."""
    keys = {ours: original for original, ours in wavlm_keys(*wavlm_depths(tensors)).items()}
    _check_names(tensors, keys, where)
    _check_shapes(tensors, stated, where)
    return {keys[name]: tensor for name, tensor in tensors.items()}


def _check_names(tensors: Mapping[str, Tensor], keys: Mapping[str, str], where: object) -> None:
    for fault, names in (
        ("lacks", keys.keys() - tensors.keys()),
        ("has the unknown", tensors.keys() - keys.keys()),
    ):
        if names:
            raise CheckpointError(
                f"as {WHAT} it {fault} tensor {min(names)}"
                + (f" and {len(names) - 1} more" if len(names) > 1 else ""),
                where=where,
                fix="choose the published WavLM file",
            )


def _check_shapes(tensors: Mapping[str, Tensor], stated: Mapping[str, Any], where: object) -> None:
    """Build the model of these sizes without memory; that compares every shape."""
    empty = {name: torch.empty(tensor.shape, device="meta") for name, tensor in tensors.items()}
    try:
        wavlm_from(speech_file(stated, empty, where), "meta", torch.float32, depth=None)
    except ImportError as error:
        raise DependencyError(
            "transformers is needed to check this file", where=where, fix="pip install transformers"
        ) from error
