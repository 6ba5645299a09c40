"""Speaker adapters: small files that turn a trained model towards one speaker (low-rank changes of weights).

A file holds, for each changed weight W (out, in) of Stage I or Stage II, two matrices A (rank, in) and B
(out, rank); a loader uses W + strength B A. A loaded model is as fast as without.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ..base.errors import CheckpointError, InputError
from ..base.notes import Note
from .io import ModelFile, read_model_file, write_model_file
from .recognise import SPEAKER as KIND

DOWN, UP = ".lora_A.weight", ".lora_B.weight"
MOST_STRENGTH = 2.0
Stage = Literal["motion", "video"]
Changes = Mapping[str, tuple[Tensor, Tensor]]
"""Published name of a weight -> A (rank, in) and B (out, rank)."""
TITLES: dict[Stage, str] = {"motion": "Stage I (motion)", "video": "Stage II (video)"}
FIX = "choose a file of `mmgt train speaker`"
FIX_STAGE = "choose a speaker adapter that was trained for it, or none"


@dataclass(frozen=True)
class Speaker:
    """A choice of a person: which speaker adapter, and how much of it (0 to 2)."""

    file: str | os.PathLike[str]
    strength: float = 1.0


@dataclass(frozen=True)
class SpeakerAdapter:
    """The changes of one file.

    Attributes:
        motion, video: the changes of each stage; a stage that was not trained has none.
        provenance: how it was made.
    """

    motion: Changes = field(default_factory=dict)
    video: Changes = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def of(self, stage: Stage) -> Changes:
        """The changes of one stage."""
        return self.motion if stage == "motion" else self.video

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that were trained."""
        return tuple(stage for stage in get_args(Stage) if self.of(stage))


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
    if not all(bool(tensor.isfinite().all()) for tensor in file.tensors.values()):
        raise CheckpointError("it holds numbers that are not finite", where=path, fix=FIX)
    return SpeakerAdapter(**stages, provenance=file.provenance)


def write_speaker_adapter(path: str | os.PathLike[str], adapter: SpeakerAdapter) -> None:
    """Write the file, in float16."""
    tensors: dict[str, Tensor] = {}
    for stage, changes in (("motion", adapter.motion), ("video", adapter.video)):
        for weight, (down, up) in changes.items():
            name = f"{stage}.{weight.removesuffix('.weight')}"
            tensors[name + DOWN], tensors[name + UP] = down.half(), up.half()
    write_model_file(path, ModelFile(KIND, {}, tensors, dict(adapter.provenance)))


def adapted_stages(speaker: Speaker | None, stages: Sequence[Stage], note: Note) -> dict[Stage, Speaker]:
    """Of the stages that are about to be loaded those that the file changes, each with the speaker.

    Args:
        note: receives a remark for each stage that the file has nothing for.

    Raises CheckpointError or InputError as `with_speaker`, if no stage is changed.
    """
    if speaker is None:
        return {}
    _check_strength(speaker.strength)
    adapter = read_speaker_adapter(speaker.file)
    found: dict[Stage, Speaker] = {stage: speaker for stage in stages if stage in adapter.stages}
    if not found:
        raise _without_stages(stages, speaker.file)
    for stage in stages:
        if stage not in found:
            note(f"the speaker adapter has nothing for {TITLES[stage]}, which stays as it is")
    return found


def with_speaker(tensors: Mapping[str, Tensor], speaker: Speaker, stage: Stage) -> dict[str, Tensor]:
    """The published tensors of a model with a speaker's changes added; dtypes stay.

    Args:
        tensors: published name -> weight.
        speaker: strength 0 leaves the model as it is, 1 is as it was trained.

    Raises:
        CheckpointError: the file cannot be read, has nothing for this stage, or belongs to another model.
        InputError: a strength out of range.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    return with_changes(tensors, fitting_changes(speaker, stage, shapes), speaker.strength)


def fitting_changes(speaker: Speaker, stage: Stage, shapes: Mapping[str, tuple[int, ...]]) -> Changes:
    """The changes of one stage, checked against a model's names and shapes; errors as `with_speaker`."""
    _check_strength(speaker.strength)
    changes = read_speaker_adapter(speaker.file).of(stage)
    if not changes:
        raise _without_stages((stage,), speaker.file)
    for name, (down, up) in changes.items():
        shape = shapes.get(name, ())
        if not shape or (up.shape[0], down.shape[1]) != (shape[0], prod(shape[1:])):
            raise _of_another_model(speaker.file)
    return changes


def with_changes(tensors: Mapping[str, Tensor], changes: Changes, strength: float) -> dict[str, Tensor]:
    """The tensors with those of the changes that are for them, of shapes that fit."""
    changed = dict(tensors)
    for name in (name for name in changes if name in tensors and strength):
        weight, (down, up) = tensors[name], changes[name]
        change = (up.float() @ down.float()).reshape(weight.shape)
        changed[name] = (weight.float() + strength * change.to(weight.device)).to(weight.dtype)
    return changed


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= MOST_STRENGTH:
        raise InputError(
            f"a speaker strength of {strength:g} is out of range",
            where="speaker_strength",
            fix=f"choose 0 to {MOST_STRENGTH:g}",
        )


def _without_stages(stages: Sequence[Stage], path: object) -> CheckpointError:
    named = " and ".join(TITLES[stage] for stage in stages)
    return CheckpointError(f"this speaker adapter has nothing for {named}", where=path, fix=FIX_STAGE)


def _of_another_model(path: object) -> CheckpointError:
    return CheckpointError(
        "this speaker adapter was trained on a model of other sizes",
        where=path,
        fix="choose the model that it was trained on, or train it again",
    )


def merged(weight: Tensor, down: Tensor, up: Tensor) -> Tensor:
    """W + B A in the shape of W; while it is trained."""
    return weight + torch.matmul(up, down).reshape(weight.shape)
