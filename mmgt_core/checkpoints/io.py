"""Reading and writing model files: safetensors whose header carries kind, configuration and provenance.

Published torch checkpoints are read too, without their header's help (see `official.py`).
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from torch import Tensor

from ..base.errors import CheckpointError
from ..base.files import parse_json
from ..base.limits import CONFIG_BYTES, CONFIG_ENTRIES, LAYERS, WIDTH
from ..base.safetensors_header import read_header
from ..base.tensor_file import write_tensors
from .official import is_torch_checkpoint, read_official

logger = logging.getLogger(__name__)

KIND, CONFIG, PROVENANCE = "mmgt_kind", "mmgt_config", "mmgt_provenance"

UNREADABLE = "this is not a readable safetensors file or torch checkpoint"

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True)
class ModelFile:
    """The contents of one of our model files.

    Attributes:
        kind: "smga", "video", "autoencoder" or another of `recognize.py`; "" for a file without our header.
        config: the model's configuration as plain JSON values.
        tensors: name -> tensor, official key names.
        provenance: free-form JSON: training command, source file, license note.
    """

    kind: str
    config: dict[str, Any]
    tensors: dict[str, Tensor]
    provenance: dict[str, Any] = field(default_factory=dict)


def read_model_file(path: str | os.PathLike[str]) -> ModelFile:
    """Read a safetensors file and our header, or a published torch checkpoint, which has none.

    The tensors are views of the mapped file where the format allows it. Raises CheckpointError when the file
    is neither, or is a checkpoint that holds more than plain tensors.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if is_torch_checkpoint(path):
            return ModelFile("", {}, read_official(path).tensors)
        metadata = read_header(path, damaged=UNREADABLE).metadata
        with safe_open(os.fspath(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        header = {key: _json_object(metadata.get(key, "{}")) for key in (CONFIG, PROVENANCE)}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{UNREADABLE} ({error})", where=path, fix="download or convert it again"
        ) from error
    return ModelFile(metadata.get(KIND, ""), header[CONFIG], tensors, header[PROVENANCE])


def write_model_file(path: str | os.PathLike[str], file: ModelFile) -> None:
    """Write a model file; it appears under its name only when it is complete."""
    header = {
        KIND: file.kind,
        CONFIG: json.dumps(file.config, sort_keys=True),
        PROVENANCE: json.dumps(file.provenance, sort_keys=True),
    }
    write_tensors(path, {name: tensor.cpu() for name, tensor in file.tensors.items()}, header)


def config_to_json(config: Any) -> dict[str, Any]:
    """A frozen dataclass as JSON values (tuples become lists)."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def config_from_json(cls: type[ConfigT], values: Mapping[str, Any], where: object = None) -> ConfigT:
    """Build the frozen dataclass `cls` from JSON values; an unknown name is an error, a missing
    one its default.

    Raises:
        CheckpointError: also for a value of another type than the field's, or beyond `limits.py`.
        InputError: values that do not go together.
    """
    known = get_type_hints(cls)
    unknown = sorted(set(values) - set(known))
    if unknown:
        names = ", ".join(name if name.isidentifier() else ascii(name) for name in unknown)
        raise CheckpointError(
            f"its configuration has the unknown entries {names[:200]}",
            where=where,
            fix="update ComfyUI-MMGT: the file was made by a newer version",
        )
    for name, value in values.items():
        deep = "layers" in name or "blocks" in name
        if not _is(known[name], value, LAYERS if deep else WIDTH):
            raise CheckpointError(
                f"its configuration says {name} = {json.dumps(value)[:80]}",
                where=where,
                fix="choose another file",
            )
    try:
        return cls(**{name: _tuples(value) for name, value in values.items()})
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CheckpointError(
            f"its configuration is not valid ({error})", where=where, fix="choose another file"
        ) from error


def check_names_and_shapes(
    found: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]], where: object, what: str
) -> None:
    """Raise CheckpointError unless `found` has exactly the names and shapes of `expected`.

    The message names the first few offenders of the first kind of fault: missing, extra, misshapen.
    """
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    misshapen = [
        f"{name} {tuple(found[name].shape)} instead of {tuple(shape)}"
        for name, shape in expected.items()
        if name in found and tuple(found[name].shape) != tuple(shape)
    ]
    for fault, names in (("lacks", missing), ("has the unknown", extra), ("has the misshapen", misshapen)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise CheckpointError(
                f"as {what} it {fault} {'tensor' if len(names) == 1 else 'tensors'} "
                f"{', '.join(names[:3])}{more}",
                where=where,
                fix="choose the file that belongs to this model, or convert it again",
            )


def without_extras(
    found: Mapping[str, Tensor], expected: Collection[str], where: object
) -> Mapping[str, Tensor]:
    """The tensors without those that are not expected, with a warning, if all that are expected are there.

    Otherwise all of them, for `check_names_and_shapes` to say what is wrong. For published files, which may
    carry what no network reads.
    """
    extra = [name for name in found if name not in expected]
    if not extra or any(name not in found for name in expected):
        return found
    shown = f"{', '.join(extra[:3])}{f' and {len(extra) - 3} more' if len(extra) > 3 else ''}"
    logger.warning("%s: left out what this network does not read: %s", os.path.basename(str(where)), shown)
    return {name: tensor for name, tensor in found.items() if name in expected}


def _json_object(text: str) -> dict[str, Any]:
    if len(text) > CONFIG_BYTES:
        raise ValueError("its header holds too long a text")
    value = parse_json(text)
    if not isinstance(value, dict):
        raise ValueError("its header does not hold a table")
    return value


def _is(kind: Any, value: Any, largest: int) -> bool:
    """Whether a JSON value is of a field's type, numbers at most `largest`."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        items = value if isinstance(value, list | tuple) and len(value) <= CONFIG_ENTRIES else None
        if items is None or (Ellipsis not in kinds and len(items) != len(kinds)):
            return False
        return all(_is(kinds[0], item, largest) for item in items)
    if kind is str:
        return isinstance(value, str) and len(value) <= 200
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if not isinstance(value, int if kind is int else int | float):
        return False
    return math.isfinite(value) and abs(value) <= largest


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
