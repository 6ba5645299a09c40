"""The speaker widgets of the loaders: which speaker adapters there are, and which one is chosen."""

from __future__ import annotations

from pathlib import Path

import folder_paths
from comfy_api.latest import io

from ...mmgt_core.base.errors import InputError, MMGTError
from ...mmgt_core.base.tensor_file import file_sha256
from ...mmgt_core.checkpoints.speaker_adapter import (
    FIX,
    MOST_STRENGTH,
    Speaker,
    Stage,
    adapted_stages,
)
from ...mmgt_core.checkpoints.speaker_files import FOLDERS, is_speaker_file
from .node_text import show_note

NO_SPEAKER = "none"


def speaker_inputs() -> list[io.Input]:
    """The two widgets, for the end of a loader's inputs."""
    return [
        io.Combo.Input(
            "speaker",
            options=[NO_SPEAKER, *speaker_names()],
            default=NO_SPEAKER,
            optional=True,
            tooltip=(
                "Speaker adapter in models/loras or models/mmgt, made by the command mmgt train speaker for "
                "this model. none = the model as it is."
            ),
        ),
        io.Float.Input(
            "speaker_strength",
            default=1.0,
            min=0.0,
            max=MOST_STRENGTH,
            step=0.05,
            optional=True,
            tooltip="Strength of the speaker adapter. 0 = off; 1 = as trained.",
        ),
    ]


def speaker_names() -> list[str]:
    """The speaker adapters in models/loras and models/mmgt; other files there are not listed."""
    found: dict[str, None] = {}
    for folder in FOLDERS:
        for name in folder_paths.get_filename_list(folder):
            path = folder_paths.get_full_path(folder, name)
            if path is not None and is_speaker_file(path):
                found[name] = None
    return list(found)


def speaker_path(name: str) -> Path:
    """The file of an entry of `speaker_names`; raises InputError if it is missing or another file."""
    found = [path for folder in FOLDERS if (path := folder_paths.get_full_path(folder, name)) is not None]
    if not found:
        raise InputError(
            "this speaker adapter does not exist",
            where=name,
            fix="put it into models/loras and choose it again",
        )
    path = next((path for path in found if is_speaker_file(path)), None)
    if path is None:
        raise InputError("this is not a speaker adapter", where=name, fix=FIX)
    return Path(path)


def speaker_fault(name: str | None) -> bool | str:
    """True, or the error text for a missing or wrong file, as `validate_inputs` returns it.

    None stands for a connected input, whose value is not known yet.
    """
    try:
        if name not in (None, NO_SPEAKER):
            speaker_path(name)
    except MMGTError as error:
        return str(error)
    return True


def speaker_fingerprint(name: str | None) -> str:
    """A hash of the file's content: a loader runs again when the speaker was trained again."""
    if name in (None, NO_SPEAKER):
        return ""
    try:
        return file_sha256(speaker_path(name))
    except (MMGTError, OSError):
        return name


def chosen_speaker(name: str, strength: float, stage: Stage) -> Speaker | None:
    """The widgets' values for the loader of one stage.

    Raises MMGTError if the file cannot be used or has nothing for the stage.
    """
    if name == NO_SPEAKER:
        return None
    return adapted_stages(Speaker(speaker_path(name), strength), (stage,), show_note).get(stage)
