"""Reading and writing model files: safetensors whose header carries kind, configuration and provenance.

Published torch checkpoints are read too, without their header's help (see `official.py`).
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from ..errors import CheckpointError
from .official import is_torch_checkpoint, read_official

KIND, CONFIG, PROVENANCE = "mmgt_kind", "mmgt_config", "mmgt_provenance"

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True)
class ModelFile:
    """The contents of one of our model files.

    Attributes:
        kind: "smga", "video", "autoencoder" or another of `recognise.py`; "" for a file without our header.
        config: the model's configuration as plain JSON values.
        tensors: name -> tensor, official key names.
        provenance: free-form JSON: training command, source file, licence note.
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
        with safe_open(os.fspath(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        header = {key: _json_object(metadata.get(key, "{}")) for key in (CONFIG, PROVENANCE)}
    except FileNotFoundError as error:
        raise CheckpointError("there is no such model file", where=path, fix="check the path") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"this is not a readable safetensors file or torch checkpoint ({error})",
            where=path,
            fix="download or convert it again",
        ) from error
    return ModelFile(metadata.get(KIND, ""), header[CONFIG], tensors, header[PROVENANCE])


def write_model_file(path: str | os.PathLike[str], file: ModelFile) -> None:
    """Write a model file; it appears under its name only when it is complete."""
    from safetensors.torch import save_file

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    metadata = {
        "format": "pt",
        KIND: file.kind,
        CONFIG: json.dumps(file.config, sort_keys=True),
        PROVENANCE: json.dumps(file.provenance, sort_keys=True),
    }
    try:
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in file.tensors.items()},
            partial,
            metadata,
        )
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def config_to_json(config: Any) -> dict[str, Any]:
    """A frozen dataclass as JSON values (tuples become lists)."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def config_from_json(cls: type[ConfigT], values: Mapping[str, Any], where: object = None) -> ConfigT:
    """Build the frozen dataclass `cls` from JSON values; an unknown name is an error, a missing one its
    default.
    """
    known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CheckpointError(
            f"its configuration has the unknown entries {', '.join(unknown)}",
            where=where,
            fix="update ComfyUI-MMGT: the file was made by a newer version",
        )
    try:
        return cls(**{name: _tuples(value) for name, value in values.items()})
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"its configuration is not valid ({error})", where=where) from error


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


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("its header is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("its header does not hold a table")
    return value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
