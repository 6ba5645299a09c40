"""Access to user files: existing files, and JSON."""

from __future__ import annotations

import json
import os
from os import PathLike
from pathlib import Path
from typing import Any

from .errors import InputError
from .limits import JSON_DEPTH, PATH


def existing_file(
    path: str | PathLike[str], what: str, *, largest: int | None = None, fix: str = "give a smaller one"
) -> Path:
    """The path, if an ordinary file (or a link to one) lies there.

    Args:
        what: what it should be, with its article ("the image"), for messages.
        largest: bytes that it may have.

    Raises:
        InputError: nothing there, a folder, a device, a name that the system does not take, or too large.
    """
    path = Path(path)
    try:
        ordinary = path.is_file()
        size = path.stat().st_size if ordinary else 0
    except (OSError, ValueError) as error:  # too long, a null byte, no permission
        raise InputError(
            f"this path cannot be opened ({getattr(error, 'strerror', None) or error})",
            where=shown(path),
            fix=f"check the path of {what}",
        ) from error
    if not ordinary:
        raise InputError("there is no such file", where=shown(path), fix=f"check the path of {what}")
    if largest is not None and size > largest:
        raise InputError(f"the file has {size} bytes, more than {largest}", where=path, fix=fix)
    return path


def is_folder(path: str | PathLike[str]) -> bool:
    """Whether a folder lies there; False for a name that the system does not take."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def shown(path: str | PathLike[str]) -> str:
    """A path as messages show it: printable, and not longer than paths are."""
    text = os.fspath(path)
    text = text if len(text) <= PATH else f"{text[:60]}...{text[-20:]}"
    return text.encode("utf-8", "replace").decode().replace("\0", "\\0")


def read_json(path: str | PathLike[str], what: str, *, largest: int, fix: str) -> Any:
    """The content of a JSON file in UTF-8; see `parse_json`.

    Raises:
        InputError: missing, too large, no JSON, or nested too deeply; the file is named.
    """
    path = existing_file(path, what, largest=largest)
    try:
        return parse_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", where=path, fix=fix) from error
    except ValueError as error:
        raise InputError(f"this is not JSON ({error})", where=path, fix=fix) from error


def parse_json(data: bytes | str, *, depth: int = JSON_DEPTH, unique: bool = False) -> Any:
    """JSON as Python values.

    Args:
        depth: how deep lists and objects may be nested.
        unique: whether a name that stands twice in one object is an error (else the last one counts).

    Raises ValueError, with a short reason, for anything that is not so.
    """
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        value = json.loads(text, object_pairs_hook=_unique if unique else None)
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} in line {error.lineno}") from error
    if _depth(value, depth + 1) > depth:
        raise ValueError(f"it is nested more than {depth} deep")
    return value


def _depth(value: Any, limit: int) -> int:
    """How deep lists and objects are nested, counted up to `limit`."""
    level, depth = [value] if isinstance(value, (list, dict)) else [], 0
    while level and depth < limit:
        depth += 1
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, (list, dict))
        ]
    return depth


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:80]!r} stands in it twice")
    return values
