"""The host's services in our terms: model folders, progress with interruption, conversion of its types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from comfy_execution.graph_utils import ExecutionBlocker
from PIL import Image

from ...mmgt_core import assets
from ...mmgt_core.base.errors import InputError, MMGTError
from ...mmgt_core.base.progress import Progress
from ...mmgt_core.base.timebase import FPS, sample_count
from ...mmgt_core.checkpoints.folders import missing
from ...mmgt_core.checkpoints.registry import known_file
from ...mmgt_core.media.waveform import Waveform

FOLDER = "mmgt"
"""Our folder among the host's models."""
ENDINGS = (".safetensors", ".pth", ".pt", ".ckpt")
"""Of model files: ours, and those as published."""
DEMO = "demo (built in)"
FRAME_RATE = float(FPS)
PREVIEW_SIZE = 512  # pixels, the longer side of what a node shows while it works
POSE_STYLE = "paper"  # as the pose guider knows skeletons, so that the frames can go on to it


def register_model_folder() -> None:
    """Make the host list `models/mmgt`, with the endings that its other model folders have."""
    folder = str(Path(folder_paths.models_dir) / FOLDER)
    if FOLDER not in folder_paths.folder_names_and_paths:
        endings = {*folder_paths.supported_pt_extensions, ".onnx"}  # the pose detector's
        folder_paths.folder_names_and_paths[FOLDER] = ([folder], endings)
    else:
        folder_paths.add_model_folder_path(FOLDER, folder)


def model_files(*more_folders: str) -> list[str]:
    """What a loader offers: the demo model, then the model files of our folder and of `more_folders`."""
    found: dict[str, None] = {DEMO: None}
    for folder in (FOLDER, *more_folders):
        found.update(
            dict.fromkeys(
                name for name in folder_paths.get_filename_list(folder) if name.lower().endswith(ENDINGS)
            )
        )
    return list(found)


def model_path(name: str, demo: str, *more_folders: str) -> Path:
    """The file behind an entry of `model_files`; `demo` is the shipped file that the first one stands for.

    Raises CheckpointError, the sentence that says which file goes where, for a published one that is missing.
    """
    if name == DEMO:
        return assets.asset(demo)
    for folder in (FOLDER, *more_folders):
        path = folder_paths.get_full_path(folder, name)
        if path is not None:
            return Path(path)
    published = known_file(name)
    if published is not None:
        raise missing(published)
    raise InputError(
        "there is no such model file", where=name, fix=f"put it into models/{FOLDER} and choose it again"
    )


def model_fault(name: str | None, demo: str, *more_folders: str) -> bool | str:
    """True, or why there is no such model file, as the host's `validate_inputs` answers.

    None is a name that another node will tell.
    """
    try:
        if name is not None:
            model_path(name, demo, *more_folders)
    except MMGTError as error:
        return str(error)
    return True


def choices_fault(
    find: Callable[[str, str], Path], unset: str, *choices: tuple[str | None, str]
) -> bool | str:
    """What is wrong with chosen files, for `validate_inputs`; True where `find(choice, known)` has all.

    None, the choice that another node will tell, and `unset` are not looked for.
    """
    try:
        for choice, known in choices:
            if choice not in (None, unset):
                find(choice, known)
    except MMGTError as error:
        return str(error)
    return True


@contextmanager
def host_fix(fix: str) -> Iterator[None]:
    """Errors of the engine inside the block advise what helps here, not what helps on the command line."""
    try:
        yield
    except InputError as error:
        raise InputError(error.what, where=error.where, fix=fix) from error


def host_progress() -> Progress:
    """Progress shown on the node that is running; raises when the person has pressed Cancel."""
    bar = comfy.utils.ProgressBar(1)

    def progress(done: int, total: int, preview: Any = None, /) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        picture = None if preview is None else ("JPEG", Image.fromarray(preview), PREVIEW_SIZE)
        bar.update_absolute(done, total, picture)

    return progress


def to_waveform(audio: dict[str, Any] | None) -> Waveform:
    """AUDIO -> the mean of its channels; raises InputError for an empty one or several at once."""
    if not audio or audio["waveform"].shape[0] == 0:  # a silent video brings none
        raise InputError("there is no sound", where="audio", fix="give a recording of at least 0.04 s")
    samples = audio["waveform"]
    if samples.shape[0] != 1:
        raise InputError(
            f"there are {samples.shape[0]} recordings at once", where="audio", fix="give one AUDIO at a time"
        )
    return Waveform.from_channels(samples[0].cpu().float().numpy(), int(audio["sample_rate"]))


def cut_audio(audio: dict[str, Any], start: float, frames: int) -> dict[str, Any]:
    """The part of an AUDIO from `start` seconds on, exactly `frames` frames long, silence after its end."""
    rate = int(audio["sample_rate"])
    first, wanted = round(start * rate), sample_count(frames, rate)
    part = audio["waveform"][..., first : first + wanted]
    return {
        **audio,
        "waveform": torch.nn.functional.pad(part, (0, wanted - part.shape[-1])),
        "sample_rate": rate,
    }


def one_image(image: torch.Tensor, name: str) -> Any:
    """IMAGE of a single picture -> uint8 numpy (height, width, 3); raises InputError for several."""
    from ...mmgt_core.media.images import to_uint8

    if image.shape[0] != 1:
        raise InputError(
            f"there are {image.shape[0]} pictures at once",
            where=name,
            fix="give one, for example through ImageFromBatch",
        )
    return to_uint8(image[0, ..., :3])


def pose_images(motion: Any, size: tuple[int, int]) -> torch.Tensor:
    """The skeleton of every frame as IMAGE (frames, height, width, 3) for previews and other nodes."""
    from ...mmgt_core.pose.drawing import draw_pose

    return torch.from_numpy(draw_pose(motion, size, POSE_STYLE)).float() / 255


def fitting_size(width: int, height: int, short_side: int) -> tuple[int, int]:
    """About `short_side` pixels along the shorter side, the aspect kept, both sides even."""
    ratio = short_side / min(width, height)
    return max(2, round(width * ratio / 2) * 2), max(2, round(height * ratio / 2) * 2)


def not_there(why: str) -> Any:
    """Stands on an output that was not made: whoever links it is told why, everything else runs on."""
    return ExecutionBlocker(why)
