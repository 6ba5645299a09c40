"""Published checkpoints -> safetensors files with configuration and provenance in their headers, and back.

Nothing is computed but casts: every output tensor is an input tensor under another name, written piece by
piece from the mapped source, so that a conversion needs about as much memory as the file is large.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import __version__
from ..base.errors import CheckpointError, InputError
from ..base.progress import Progress, part, silent
from ..base.tensor_file import file_sha256, write_tensors
from .io import CONFIG, KIND, PROVENANCE, ModelFile, config_to_json, read_model_file
from .official import is_torch_checkpoint, read_official
from .recognise import (
    ADAPTER,
    CLIP_VISION,
    MOTION,
    POSE_GUIDER,
    REFERENCE,
    SMGA,
    SPEAKER,
    UNET,
    VAE,
    VIDEO,
    WAVLM,
    WAVLM_ORIGINAL,
    Look,
    recognise,
)

BACK = "_official.safetensors"


@dataclass(frozen=True)
class Output:
    """One file that a conversion writes: its kind, the ending of its name, its tensors, its configuration."""

    kind: str
    ending: str
    tensors: dict[str, Tensor]
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """One file that was written; `sha256` in hexadecimal, `dtypes` as torch names them."""

    path: Path
    kind: str
    tensors: int
    dtypes: tuple[str, ...]
    size: int
    sha256: str


@dataclass(frozen=True)
class Conversion:
    """What a conversion did.

    Attributes:
        title: what the source is.
        source_sha256: hexadecimal.
        ignored: name of everything in the source that was left out -> why.
    """

    title: str
    source_sha256: str
    written: tuple[Written, ...]
    ignored: dict[str, str]


def convert(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    dtype: torch.dtype | None = None,
    in_parts: bool = False,
    progress: Progress = silent,
) -> Conversion:
    """Convert one published file (or one of ours) into the folder `out`, named as the source.

    Args:
        dtype: what floating-point tensors are cast to; None keeps each as it is, also where they are mixed.
        in_parts: a video model becomes four files (see `video_parts`) instead of one.

    Raises CheckpointError for a file that is none of the known ones, or not exactly one of them.
    """
    source = Path(source)
    file, extras, ignored = _read(source)
    look = _recognised(file, source)
    if in_parts and look.kind != VIDEO:
        raise InputError(
            f"this is {look.title}, and only a video model can be split",
            where=source,
            fix="leave out --split",
        )
    outputs = _plan(look.kind, file, extras, in_parts, source)
    digest, written = _write(source, Path(out), outputs, file.provenance, dtype, progress)
    return Conversion(look.title, digest, written, ignored)


def convert_back(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    dtype: torch.dtype | None = None,
    progress: Progress = silent,
) -> Conversion:
    """Write the published key set of a file of ours, or of the four parts of a video model, into
    the folder `out`.

    For a model in parts `source` is its adapter. What a slim motion model lacks and nothing reads comes back
    as zeros. The result is safetensors without our header.
    """
    source = Path(source)
    file, _, _ = _read(source)
    look = _recognised(file, source)
    if look.kind in (ADAPTER, VIDEO):
        from .video import checked_official

        file = checked_official(source)
        tensors = file.tensors
    elif look.kind == SMGA:
        from .smga import complete_official

        tensors = complete_official(file, source)
    elif look.kind == WAVLM:
        from .wavlm import wavlm_to_original

        tensors = wavlm_to_original(file.tensors, file.config, source)
    else:
        _plan(
            look.kind, file, {}, False, source
        )  # these keep their published names: only the check is wanted
        tensors = file.tensors
    stem = source.stem.removesuffix("_adapter")
    digest, written = _write(
        source, Path(out), [Output("", BACK, tensors)], file.provenance, dtype, progress, stem=stem
    )
    return Conversion(look.title, digest, written, {})


def _read(source: Path) -> tuple[ModelFile, dict[str, Any], dict[str, str]]:
    if source.is_file() and is_torch_checkpoint(source):
        official = read_official(source)
        return ModelFile("", {}, official.tensors), official.extras, official.ignored
    return read_model_file(source), {}, {}


def _recognised(file: ModelFile, where: Path) -> Look:
    look = recognise(file.tensors)
    if look is None or look.kind in ("", VAE, CLIP_VISION, SPEAKER):
        what = (
            "this is no model that MMGT uses"
            if look is None
            else f"this is {look.title}, which needs no conversion"
        )
        raise CheckpointError(
            what, where=where, fix="see `mmgt models` for the files that are wanted and where they come from"
        )
    return look


def _plan(kind: str, file: ModelFile, extras: Mapping[str, Any], in_parts: bool, where: Path) -> list[Output]:
    """The files to write; every name and shape of the source is checked here, both ways."""
    ending = ".safetensors"
    if kind == VIDEO:
        from .video import checked_official
        from .video_parts import ENDINGS, split

        checked = checked_official(where)
        if not in_parts:
            return [Output(VIDEO, ending, checked.tensors, checked.config)]
        parts = split(checked.tensors)
        return [Output(part, ENDINGS[part], tensors, checked.config) for part, tensors in parts.items()]
    if kind == SMGA:
        from .smga import checked_config

        return [Output(SMGA, ending, file.tensors, config_to_json(checked_config(file, where)))]
    if kind == WAVLM_ORIGINAL:
        from .wavlm import wavlm_from_original

        stated = plain(extras.get("cfg"))
        return [Output(WAVLM, ending, wavlm_from_original(file.tensors, stated, where), stated)]
    if kind in (UNET, REFERENCE, MOTION, POSE_GUIDER):
        from .video_parts import check_part

        return [Output(kind, ending, file.tensors, config_to_json(check_part(kind, file.tensors, where)))]
    raise CheckpointError(
        "this needs no conversion: it has been converted already",
        where=where,
        fix="use --back to get the published names again",
    )


def _write(
    source: Path,
    out: Path,
    outputs: list[Output],
    provenance: Mapping[str, Any],
    dtype: torch.dtype | None,
    progress: Progress,
    stem: str | None = None,
) -> tuple[str, tuple[Written, ...]]:
    steps = len(outputs) + 1
    targets = [out / f"{stem or source.stem}{output.ending}" for output in outputs]
    if any(target.exists() and target.samefile(source) for target in targets):
        raise InputError("the result would replace its own source", where=source, fix="choose another --out")
    digest = file_sha256(source, part(progress, 0, steps))
    origin = {"source": source.name, "source_sha256": digest, "converted_by": f"mmgt {__version__}"}
    written: list[Written] = []
    for index, (target, output) in enumerate(zip(targets, outputs, strict=True), 1):
        header = {PROVENANCE: json.dumps({**provenance, **origin}, sort_keys=True)}
        if output.kind:
            header |= {KIND: output.kind, CONFIG: json.dumps(output.config, sort_keys=True)}
        sha256 = write_tensors(target, output.tensors, header, dtype, part(progress, index, steps)).sha256
        kinds = {
            t.dtype if dtype is None or not t.is_floating_point() else dtype for t in output.tensors.values()
        }
        names = tuple(sorted(str(kind).removeprefix("torch.") for kind in kinds))
        written.append(
            Written(target, output.kind, len(output.tensors), names, target.stat().st_size, sha256)
        )
    return digest, tuple(written)


def plain(value: Any) -> dict[str, Any]:
    """The entries of a dict that JSON can hold; a checkpoint's own settings may hold others."""
    if not isinstance(value, Mapping):
        return {}
    return {
        str(name): item
        for name, item in value.items()
        if isinstance(item, (str, int, float, bool, type(None)))
    }
