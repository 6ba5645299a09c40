"""The work folder of one video: its key, what it needs of the disk, and its motion."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import assets
from ..base.device import choose_device
from ..pose.motion import Motion
from ..work.disk import require_space
from ..work.folder import WorkFolder, default_root
from ..work.key import work_key
from .settings import Settings, StrPath

if TYPE_CHECKING:
    from ..video.config import VideoConfig
    from .request import VideoRequest

MOTION = "motion"
FILES = (
    "model",
    "motion_model",
    "wavlm",
    "wav2vec2",
    "vae",
    "clip_vision",
    "speaker",
)  # count by content
UNCHANGED = (
    "windows_at_once",
    "lock_background",
    "devices",
    "compile",
)  # settings that do not change the latents
BYTES_PER_PIXEL = 0.06  # of a video file; H.264 at this quality took less for everything that was measured
SOUND_BYTES = 1000  # of a frame's sound
SPARE = 2**24  # bytes; journals, headers, what is written besides


def video_key(settings: Settings, model: VideoConfig, **inputs: Any) -> str:
    """The key of a video whose portrait, pose and sound are `inputs`.

    Where files go, how many windows run side by side and the rate of the output do not change the work.
    """
    files = {
        "motion_model": settings.motion.motion_model or assets.asset(assets.MOTION_MODEL),
        "video_model": settings.video.model or assets.asset(assets.VIDEO_MODEL),
        "wavlm": settings.motion.wavlm,
        "wav2vec2": settings.video.wav2vec2,
        "vae": settings.video.vae,
        "clip_vision": settings.video.clip_vision,
        "speaker": settings.speaker.speaker,
    }
    return work_key(
        {
            **inputs,
            "files": {name: _path(file) for name, file in files.items()},
            "settings": {
                **_values(settings.motion),
                **_values(settings.video),
                **_values(settings.sampling),
                **(_values(settings.speaker) if settings.speaker.speaker is not None else {}),
                "device": choose_device(settings.device).type,
            },
            "config": model,
        }
    )


@contextmanager
def work_of(
    settings: Settings,
    key: Callable[[], str],
    request: VideoRequest,
    config: VideoConfig,
    frames: int,
    size: tuple[int, int],
) -> Iterator[WorkFolder | None]:
    """The work folder of a run, or None where none is wanted; refuses a disk on which the run will not fit.

    It is removed when the block ends well, unless it is to be kept.
    """
    out = Path(request.out)
    needs = {out.parent: video_bytes(frames, size)}
    if not settings.work.keep_work:
        require_space(needs)
        yield None
        return
    root = default_root() if settings.work.work_dir is None else Path(settings.work.work_dir)
    names = {"out": out.name, "image": Path(request.image).name, "frames": str(frames)}
    if request.audio is not None:
        names["audio"] = Path(request.audio).name
    with WorkFolder.open(root, key(), names) as work:
        there = sum(file.stat().st_size for file in work.path.iterdir() if file.is_file())
        needs[work.path] = max(0, work_bytes(config, frames, size) - there)
        require_space(needs)
        yield work
        if not settings.work.keep_finished:
            work.remove()


def work_bytes(config: VideoConfig, frames: int, size: tuple[int, int]) -> int:
    """What a run keeps at most: three steps' latents while one replaces another, and one step's windows.

    Args:
        size: (width, height) of the sampled video in pixels.
    """
    latents = frames * config.latent_channels * (size[0] // 8) * (size[1] // 8) * 4
    windows = config.window / (config.window - config.overlap) * (2 if config.cfg > 1 else 1)
    return round(latents * (3 + windows)) + SPARE


def video_bytes(frames: int, size: tuple[int, int]) -> int:
    """About the largest size of a video file whose frames have `size` (width, height)."""
    return round(frames * (size[0] * size[1] * BYTES_PER_PIXEL + SOUND_BYTES)) + SPARE


def kept_motion(work: WorkFolder | None, make: Callable[[], Motion]) -> Motion:
    """The motion that the folder keeps, else the one that `make` makes, which it then keeps."""
    kept = None if work is None else work.load(MOTION)
    if kept is not None and "keypoints" in kept.tensors:
        return Motion(kept.tensors["keypoints"], int(kept.values["width"]), int(kept.values["height"]))
    motion = make()
    if work is not None:
        size = {"width": str(motion.width), "height": str(motion.height)}
        work.save(MOTION, {"keypoints": motion.keypoints}, size)
    return motion


def _path(file: StrPath | None) -> Path | None:
    return None if file is None else Path(file)


def _values(settings: Any) -> dict[str, Any]:
    """The settings that change numbers and are no files, by name."""
    names = [field.name for field in dataclasses.fields(settings)]
    return {name: getattr(settings, name) for name in names if name not in (*UNCHANGED, *FILES)}
