"""Services of the host: model folders, progress with interruption, conversion of its data types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import comfy.model_management
import comfy.utils
import folder_paths
import numpy as np
import torch
from comfy_execution.graph_utils import ExecutionBlocker
from numpy.typing import NDArray
from PIL import Image

from ...mmgt_core import assets
from ...mmgt_core.base.errors import InputError, MMGTError
from ...mmgt_core.base.progress import Progress
from ...mmgt_core.base.timebase import FPS
from ...mmgt_core.checkpoints.folders import missing
from ...mmgt_core.checkpoints.registry import known_file

if TYPE_CHECKING:
    from ...mmgt_core.pose.motion import Motion

FOLDER = "mmgt"
"""MMGT's folder in the host's models folder."""
ENDINGS = (".safetensors", ".pth", ".pt", ".ckpt")
"""Extensions of model files, converted and published."""
DEMO = "demo (built in)"
FRAME_RATE = float(FPS)
PREVIEW_SIZE = 512  # pixels, the longer side of previews on a running node
POSE_STYLE = "paper"  # the style that the pose guider was trained on, so that the frames can be its input


def register_model_folder() -> None:
    """Register `models/mmgt` with the host, with the extensions of its other model folders."""
    folder = str(Path(folder_paths.models_dir) / FOLDER)
    if FOLDER not in folder_paths.folder_names_and_paths:
        endings = {*folder_paths.supported_pt_extensions, ".onnx"}  # the pose detector
        folder_paths.folder_names_and_paths[FOLDER] = ([folder], endings)
    else:
        folder_paths.add_model_folder_path(FOLDER, folder)


def model_files(*more_folders: str) -> list[str]:
    """The options of a loader: the demo model, then the model files in models/mmgt and `more_folders`."""
    found: dict[str, None] = {DEMO: None}
    for folder in (FOLDER, *more_folders):
        found.update(
            dict.fromkeys(
                name for name in folder_paths.get_filename_list(folder) if name.lower().endswith(ENDINGS)
            )
        )
    return list(found)


def model_path(name: str, demo: str, *more_folders: str) -> Path:
    """The file of an entry of `model_files`; `demo` is the file of the first entry.

    Raises CheckpointError, which names file and folder, if a published file is missing.
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
        "this model file does not exist", where=name, fix=f"put it into models/{FOLDER} and choose it again"
    )


def model_fault(name: str | None, demo: str, *more_folders: str) -> bool | str:
    """True, or the error text for a missing model file, as `validate_inputs` returns it.

    None stands for a connected input, whose value is not known yet.
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
    """True if `find(choice, known)` finds all files, else one sentence for each that is missing, as
    `validate_inputs` returns it.

    `unset` is skipped, and so is None, which stands for a connected input.
    """
    faults: dict[str, None] = {}
    for choice, known in choices:
        try:
            if choice not in (None, unset):
                find(choice, known)
        except MMGTError as error:
            faults[str(error)] = None
    return " ".join(faults) or True


@contextmanager
def host_fix(fix: str) -> Iterator[None]:
    """Replace the fix in InputErrors raised inside the block: `mmgt_core` suggests command line options."""
    try:
        yield
    except InputError as error:
        raise InputError(error.what, where=error.where, fix=fix) from error


def host_progress() -> Progress:
    """A progress bar on the running node; it raises if the run was canceled."""
    bar = comfy.utils.ProgressBar(1)

    def progress(done: int, total: int, preview: NDArray[np.uint8] | None = None, /) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        image = None if preview is None else ("JPEG", Image.fromarray(preview), PREVIEW_SIZE)
        bar.update_absolute(done, total, image)

    return progress


def one_image(image: torch.Tensor, name: str) -> NDArray[np.uint8]:
    """IMAGE with a single image -> uint8 (height, width, 3), transparency on white.

    Raises InputError for a batch.
    """
    from ...mmgt_core.media.images import on_white, to_uint8

    if image.shape[0] != 1:
        raise InputError(
            f"this is a batch of {image.shape[0]} images",
            where=name,
            fix="use a single image, for example with ImageFromBatch",
        )
    return to_uint8(on_white(image[0]))


def pose_images(motion: Motion, size: tuple[int, int]) -> torch.Tensor:
    """The skeleton of every frame as IMAGE (frames, height, width, 3), for previews and other nodes."""
    from ...mmgt_core.pose.drawing import draw_pose

    return torch.from_numpy(draw_pose(motion, size, POSE_STYLE)).float() / 255


def fitting_size(width: int, height: int, short_side: int) -> tuple[int, int]:
    """A size with about `short_side` pixels along the shorter side and the same aspect ratio; both even."""
    ratio = short_side / min(width, height)
    return max(2, round(width * ratio / 2) * 2), max(2, round(height * ratio / 2) * 2)


def blocked_output(reason: str) -> ExecutionBlocker:
    """The value of an output that was not computed: nodes connected to it fail with `reason`."""
    return ExecutionBlocker(reason)
