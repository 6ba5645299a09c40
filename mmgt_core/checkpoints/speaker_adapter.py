"""Speaker adapters: small files that turn a trained model towards one speaker (low-rank changes of weights).

A file holds, for each changed weight W (out, in) of Stage I or Stage II, two matrices A (rank, in) and B
(out, rank); a loader uses W + strength B A. A loaded model is as fast as without.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from ..base.errors import CheckpointError, InputError
from .io import ModelFile, read_model_file, write_model_file

KIND = "speaker"
DOWN, UP = ".lora_A.weight", ".lora_B.weight"
MOST_STRENGTH = 2.0
Stage = Literal["motion", "video"]
TITLES: dict[Stage, str] = {"motion": "Stage I (motion)", "video": "Stage II (video)"}
FIX = "choose a file of `mmgt train speaker`"


@dataclass(frozen=True)
class Speaker:
    """A choice of a person: which speaker adapter, and how much of it (0 to 2)."""

    file: str | os.PathLike[str]
    strength: float = 1.0


@dataclass(frozen=True)
class SpeakerAdapter:
    """The changes of one file.

    Attributes:
        motion, video: published name of a weight -> A (rank, in) and B (out, rank), of each stage; a stage
            that was not trained has none.
        provenance: how it was made.
    """

    motion: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    video: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


def read_speaker_adapter(path: str | os.PathLike[str]) -> SpeakerAdapter:
    """Read a file of `mmgt train speaker`.

    Raises CheckpointError where it is another file, or its matrices do not belong together.
    """
    file = read_model_file(path)
    if file.kind != KIND:
        raise CheckpointError("this is not a speaker adapter", where=path, fix=FIX)
    stages: dict[str, dict[str, tuple[Tensor, Tensor]]] = {"motion": {}, "video": {}}
    for name in (name for name in file.tensors if name.endswith(DOWN)):
        whole = name.removesuffix(DOWN)
        stage, _, weight = whole.partition(".")
        down, up = file.tensors[name], file.tensors.get(whole + UP)
        fits = up is not None and down.ndim == up.ndim == 2 and up.shape[1] == down.shape[0]
        if stage not in stages or not fits or up is None:
            raise CheckpointError(f"the matrices of {whole} do not belong together", where=path, fix=FIX)
        stages[stage][weight + ".weight" if not weight.endswith("_weight") else weight] = (down, up)
    if 2 * sum(map(len, stages.values())) != len(file.tensors):
        raise CheckpointError("it holds tensors that belong to no speaker adapter", where=path, fix=FIX)
    return SpeakerAdapter(**stages, provenance=file.provenance)


def write_speaker_adapter(path: str | os.PathLike[str], adapter: SpeakerAdapter) -> None:
    """Write the file, in float16."""
    tensors: dict[str, Tensor] = {}
    for stage, changes in (("motion", adapter.motion), ("video", adapter.video)):
        for weight, (down, up) in changes.items():
            name = f"{stage}.{weight.removesuffix('.weight')}"
            tensors[name + DOWN], tensors[name + UP] = down.half(), up.half()
    write_model_file(path, ModelFile(KIND, {}, tensors, dict(adapter.provenance)))


def with_speaker(tensors: Mapping[str, Tensor], speaker: Speaker, stage: Stage) -> dict[str, Tensor]:
    """The published tensors of a model with a speaker's changes added; dtypes stay.

    Args:
        tensors: published name -> weight; those of a part of a model will do, such as the adapter alone.
        speaker: strength 0 leaves the model as it is, 1 is as it was trained.

    Raises:
        CheckpointError: the file cannot be read, has nothing for this stage, or belongs to another model.
        InputError: a strength out of range.
    """
    path, strength = speaker.file, speaker.strength
    if not 0 <= strength <= MOST_STRENGTH:
        raise InputError(
            f"a speaker strength of {strength:g} is out of range",
            where="speaker_strength",
            fix=f"choose 0 to {MOST_STRENGTH:g}",
        )
    adapter = read_speaker_adapter(path)
    changes = adapter.motion if stage == "motion" else adapter.video
    if not changes:
        raise CheckpointError(f"this speaker adapter has nothing for {TITLES[stage]}", where=path, fix=FIX)
    known = [name for name in changes if name in tensors]
    changed = dict(tensors)
    for name in known:
        down, up = changes[name]
        weight = tensors[name]
        if (up.shape[0], down.shape[1]) != (weight.shape[0], weight[0].numel()):
            raise _of_another_model(path)
        change = (up.float() @ down.float()).reshape(weight.shape)
        changed[name] = (weight.float() + strength * change.to(weight.device)).to(weight.dtype)
    if not known:
        raise _of_another_model(path)
    return changed


def _of_another_model(path: object) -> CheckpointError:
    return CheckpointError(
        "this speaker adapter was trained on a model of other sizes",
        where=path,
        fix="choose the model that it was trained on, or train it again",
    )


def merged(weight: Tensor, down: Tensor, up: Tensor) -> Tensor:
    """W + B A in the shape of W; while it is trained."""
    return weight + torch.matmul(up, down).reshape(weight.shape)
