"""The only place that opens torch checkpoints (.pth, .pt, .ckpt): plain tensors only, mapped from the
disk, never code.

Such a file is a zip of raw numbers and one pickle that says what they are. The pickle is read by
torch's restricted reader alone (`weights_only=True`), which knows tensors, numbers, text and dicts and
refuses the rest. Objects of other kinds beside the weights are read as empty stand-ins: their own classes
are never imported, and nothing of them runs.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..base.errors import CheckpointError, InputError
from ..base.files import existing_file, shown
from ..base.limits import PICKLE_BYTES, TENSORS

ZIP = b"PK\x03\x04"
LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9"  # how files of torch before 1.6 begin
SAFE_COPY = "get it as safetensors, or from where it was published, and try again"

# Where a file keeps its weights, best first: averaged weights are the ones that the authors infer with.
WRAPPERS = ("ema_state_dict", "model_state_dict", "state_dict", "model", "ema", "module", "network", "net")
# What else such a file may hold, and why nothing is lost by leaving it out.
IGNORED = {
    "model_state_dict": "the averaged weights of the same network are in ema_state_dict",
    "optimizer_state_dict": "only resuming the authors' own training run would read it",
    "optimizer": "as optimizer_state_dict",
    "lr_schedulers": "as optimizer_state_dict",
    "normalizer": "None in every release (docs/method.md 3)",
    "epoch": "a counter",
    "global_step": "a counter",
    "pytorch-lightning_version": "a remark",
    "animatediff_config": "a remark",
    "cfg": "read where the format has one (WavLM)",
}
UNKNOWN = "not a part of the network"
PARALLEL = "module."  # what torch's data-parallel wrapper puts before every name


@dataclass(frozen=True)
class OfficialFile:
    """What a torch checkpoint holds.

    Attributes:
        tensors: name -> tensor, views of the mapped file; wrappers and `module.` prefixes are gone.
        extras: what stood beside the weights and is plain data (numbers, text, lists, dicts).
        ignored: name of everything left out -> why.
    """

    tensors: dict[str, Tensor]
    extras: dict[str, Any] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)


def is_torch_checkpoint(path: str | os.PathLike[str]) -> bool:
    """Whether the file begins as torch checkpoints do; its name does not matter.

    Raises CheckpointError where there is no ordinary file: a pipe or a device would never end.
    """
    try:
        path = existing_file(path, "the model file")
        with open(path, "rb") as file:
            start = file.read(16)
    except (InputError, OSError) as error:
        raise CheckpointError(
            "there is no such model file", where=shown(path), fix="check the path"
        ) from error
    return start.startswith((ZIP, LEGACY))


def read_official(path: str | os.PathLike[str]) -> OfficialFile:
    """Read a torch checkpoint without running anything in it.

    Raises CheckpointError for a file that is torn, holds more than plain tensors, or claims tensors
    larger than itself.
    """
    content = _load(path)
    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        raise CheckpointError(
            f"it holds a {type(content).__name__}, not tensors by name", where=path, fix="choose a model file"
        )
    state, extras, ignored = _unwrap(content, path)
    tensors = {name.removeprefix(PARALLEL): tensor for name, tensor in state.items()}
    if len(tensors) != len(state):
        raise CheckpointError(
            "it holds the same tensor with and without 'module.'", where=path, fix=SAFE_COPY
        )
    for name, tensor in tensors.items():
        _check(name, tensor, path)
    return OfficialFile(tensors, extras, ignored)


def _load(path: str | os.PathLike[str]) -> Any:
    if os.fspath(path).endswith(".safetensors"):  # torch goes by the name and would read it as such
        raise CheckpointError(
            "this is a torch checkpoint under the name of a safetensors file",
            where=path,
            fix="give its name the ending .pth",
        )
    try:
        mapped = _check_zip(path)
        with _stand_ins(path):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except (CheckpointError, FileNotFoundError, PermissionError, MemoryError):
        raise
    # Untrusted bytes can cause any exception here, and all of them mean the same to the user.
    except Exception as error:
        if type(error).__name__ == "UnpicklingError":
            raise CheckpointError(
                "it holds Python objects beyond plain tensors, which could run code; nothing of it was run",
                where=path,
                fix=SAFE_COPY,
            ) from error
        raise CheckpointError(
            "this torch checkpoint is torn or not one at all", where=path, fix="download it again"
        ) from error


class _Inert:
    """Takes the place of an object of an unknown class: accepts everything and does nothing."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_args: Any, **_kwargs: Any) -> None: ...

    def __setstate__(self, _state: Any) -> None: ...


def _stand_ins(path: str | os.PathLike[str]) -> AbstractContextManager[Any]:
    """Lets torch's restricted reader meet the unknown classes of this file, as empty stand-ins.

    What torch never reads, such as functions of `os`, stays refused; torch before 2.6 cannot list the
    classes of a file and refuses them all.
    """
    listed = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    try:
        names = listed(path) if listed is not None else []
    except Exception:  # noqa: BLE001 - untrusted bytes; the reader itself says what is wrong with them
        names = []
    classes: list[Any] = [_stand_in(*name.rpartition(".")[::2]) for name in names]
    return torch.serialization.safe_globals(classes) if classes else nullcontext()


def _stand_in(module: str, name: str) -> type[_Inert]:
    return type(name, (_Inert,), {"__module__": module, "__qualname__": name})


def _check_zip(path: str | os.PathLike[str]) -> bool:
    """Whether the file is a zip, which can be mapped; refuses one that is not as torch writes it."""
    with open(path, "rb") as file:
        if not file.read(len(ZIP)).startswith(ZIP):
            return False
    size = os.path.getsize(path)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > TENSORS:
        raise CheckpointError(f"it has more than {TENSORS} parts", where=path, fix=SAFE_COPY)
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise CheckpointError("its parts are compressed, which torch never does", where=path, fix=SAFE_COPY)
    if sum(member.file_size for member in members) > size:
        raise CheckpointError("its parts are larger than the file", where=path, fix=SAFE_COPY)
    if any(member.filename.endswith("data.pkl") and member.file_size > PICKLE_BYTES for member in members):
        raise CheckpointError("its table of contents is too large", where=path, fix=SAFE_COPY)
    return True


def _unwrap(
    content: Mapping[str, Any], where: object
) -> tuple[Mapping[str, Any], dict[str, Any], dict[str, str]]:
    """The weights, the plain data beside them, and what was left out with the reason."""
    wrapper = next((name for name in WRAPPERS if isinstance(content.get(name), Mapping)), None)
    if wrapper is None:
        state: Mapping[str, Any] = {k: v for k, v in content.items() if isinstance(v, Tensor)}
    else:
        state = content[wrapper]
    rest = {name: value for name, value in content.items() if name != wrapper and name not in state}
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError("it holds no tensors", where=where, fix="choose a published model file")
    foreign = [name for name in state if name not in tensors]
    extras = {name: value for name, value in rest.items() if name in IGNORED and _plain(value)}
    return tensors, extras, {name: IGNORED.get(name, UNKNOWN) for name in (*rest, *foreign)}


def _plain(value: Any) -> bool:
    """Whether a value is numbers, text, or lists and dicts of them."""
    if isinstance(value, Mapping):
        return all(_plain(part) for part in (*value.keys(), *value.values()))
    if isinstance(value, list | tuple):
        return all(_plain(part) for part in value)
    return value is None or isinstance(value, str | int | float | bool)


def _check(name: str, tensor: Tensor, where: object) -> None:
    """A tensor must be plain and no larger than the storage that the file holds for it."""
    plain = tensor.layout is torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    if not plain or tensor.is_complex():
        raise CheckpointError(f"{name} is not a plain tensor of numbers", where=where, fix=SAFE_COPY)
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise CheckpointError(f"{name} claims more numbers than the file holds", where=where, fix=SAFE_COPY)
