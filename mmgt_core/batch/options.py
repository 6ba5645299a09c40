"""What one line of a jobs file may choose: files of the request, and settings that need no other model."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ..base.errors import InputError
from ..base.limits import JOB_TEXT
from ..pipeline.request import VideoRequest
from ..pipeline.settings import Settings
from ..queue.jobs import path_text
from .storage import absolute

# Models belong to the run, whose workers keep them; where results go belongs to the command line.
NOT_FOR_JOBS = {
    "request": ("out", "contact_sheet", "detector_dir"),
    "sampling": ("seed", "windows_at_once"),
    "motion": ("motion_model", "wavlm"),
    "video": ("model", "wav2vec2", "vae", "clip_vision", "dtype", "devices", "compile"),
    "marks": ("marks", "consent", "certificate", "certificate_key", "test_signature"),
}


@dataclass(frozen=True)
class Chosen:
    """The choices of one job: group -> option -> value; `files` maps options to addresses of files."""

    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def applied_to(self, settings: Settings) -> Settings:
        """The settings of the run with this job's in their place."""
        groups = {
            group: dataclasses.replace(getattr(settings, group), **values)
            for group, values in self.values.items()
            if group != "request"
        }
        return dataclasses.replace(settings, **groups)

    def request(self, files: Mapping[str, Path | None], out: Path) -> VideoRequest:
        """The request, with files as they lie on this machine."""
        image = files.get("image")
        if image is None:
            raise InputError("there is no portrait", where='"image"', fix="name one in the line, or --image")
        others = {name: path for name, path in files.items() if name != "image"}
        return VideoRequest(image, out, **others, **self.values.get("request", {}))


def choices(fields: Mapping[str, Any], folder: Path) -> Chosen:
    """The options in a line of a jobs file, called as on the command line, with hyphens or underscores.

    Args:
        folder: to which relative paths belong.

    Raises InputError for an unknown name and for a value of another kind.
    """
    values: dict[str, dict[str, Any]] = {}
    files: dict[str, str] = {}
    for key, value in fields.items():
        name = key.replace("-", "_")
        if name not in known():
            shown = ", ".join(("name", "seed", "consent", *known()))
            raise InputError(f'unknown key "{key[:40]}"', fix=f"the keys are {shown}")
        if value is None:
            continue
        group, kinds = known()[name]
        if Path in kinds:
            files[name] = absolute(path_text(key, value), folder)
        else:
            values.setdefault(group, {})[name] = _checked(key, value, kinds)
    return Chosen(values, files)


@lru_cache(maxsize=1)
def known() -> Mapping[str, tuple[str, tuple[Any, ...]]]:
    """Option -> (its group, the types that its value may have)."""
    groups = {"request": VideoRequest} | {
        part.name: type(getattr(Settings(), part.name))
        for part in dataclasses.fields(Settings)
        if part.name in NOT_FOR_JOBS
    }
    found: dict[str, tuple[str, tuple[Any, ...]]] = {}
    for group, kind in groups.items():
        for name, hint in typing.get_type_hints(kind).items():
            if name not in NOT_FOR_JOBS[group]:
                found[name] = group, _kinds(hint)
    return types.MappingProxyType(found)


def _kinds(hint: Any) -> tuple[Any, ...]:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return tuple(kind for part in typing.get_args(hint) for kind in _kinds(part))
    return () if hint is type(None) else (hint,)


def _checked(key: str, value: object, kinds: tuple[Any, ...]) -> Any:
    for kind in kinds:
        if typing.get_origin(kind) is Literal:
            if isinstance(value, str) and value in typing.get_args(kind):
                return value
        elif kind is float:
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                return float(value)
        elif kind is str:
            if isinstance(value, str) and len(value) <= JOB_TEXT:
                return value
        elif type(value) is kind:
            return value
    literals = [text for kind in kinds for text in typing.get_args(kind)]
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    fix = f"choose one of {', '.join(literals)}" if literals else f"write {names.get(kinds[0], 'a number')}"
    raise InputError(f"the value {str(value)[:60]!r} cannot be used", where=f'"{key[:40]}"', fix=fix)
