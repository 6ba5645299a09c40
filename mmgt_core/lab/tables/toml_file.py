"""Reads a TOML file of a limited size, on Python 3.10 too."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from ...base.errors import DependencyError, InputError
from ...base.files import existing_file
from ...base.limits import CONFIG_BYTES


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables as dictionaries.

    Raises InputError where there is no such file, where it is too large, and where it is not TOML (with the
    line); DependencyError on Python 3.10 without tomli.
    """
    path = existing_file(path, "the configuration", largest=CONFIG_BYTES)
    for name in ("tomllib", "tomli"):
        if importlib.util.find_spec(name) is not None:
            toml = importlib.import_module(name)
            break
    else:
        raise DependencyError("Python 3.10 needs tomli to read TOML", fix="pip install 'mmgt[eval]'")
    try:
        return toml.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not TOML: {error}", where=path, fix="correct that line") from error
