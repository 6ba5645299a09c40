"""What a video's marks may also carry: the settings of the prompt, and the SHA-256 of its input files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import folder_paths

from ...mmgt_core.base.tensor_file import file_sha256

Prompt = Mapping[str, Mapping[str, Any]]


def prompt_details(prompt: Prompt | None, node: str) -> dict[str, str]:
    """Settings and hashes of the nodes that a node depends on, itself included; no text that a person typed.

    Numbers and switches are written, by node class. Texts are not, as they may be names or paths; those that
    name a file in the host's input folder are replaced by its SHA-256.

    Args:
        prompt: as the host runs it, node id -> class and inputs; None (a node made by another node): nothing.
    """
    if not prompt or node not in prompt:
        return {}
    settings: dict[str, dict[str, Any]] = {}
    hashes: dict[str, str] = {}
    for number in sorted(upstream(prompt, node)):
        kind, inputs = str(prompt[number].get("class_type", "")), prompt[number].get("inputs", {})
        values = {name: value for name, value in inputs.items() if isinstance(value, bool | int | float)}
        if values:
            settings[f"{kind} {number}"] = values
        for name, path in input_files(inputs):
            hashes[f"{kind} {number} {name} SHA-256"] = file_sha256(path)
    whole = json.dumps(prompt, sort_keys=True).encode()
    return {
        "settings": json.dumps(settings, sort_keys=True),
        "workflow SHA-256": hashlib.sha256(whole).hexdigest(),
        **hashes,
    }


def upstream(prompt: Prompt, node: str) -> set[str]:
    """The node and all that it depends on."""
    found, waiting = set[str](), [node]
    while waiting:
        number = waiting.pop()
        if number in found or number not in prompt:
            continue
        found.add(number)
        links = [v for v in prompt[number].get("inputs", {}).values() if isinstance(v, list) and len(v) == 2]
        waiting += [str(link[0]) for link in links]
    return found


def input_files(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """(input, file) of the texts that name a file in the host's input, output or temporary folder."""
    for name, value in inputs.items():
        if (
            isinstance(value, str)
            and value
            and "\0" not in value
            and folder_paths.exists_annotated_filepath(value)
        ):
            path = Path(folder_paths.get_annotated_filepath(value))
            if path.is_file():
                yield name, path
