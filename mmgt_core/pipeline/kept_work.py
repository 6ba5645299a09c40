"""The work folder of one video: its key, what it needs of the disk, and its motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import assets
from ..pose.motion import Motion
from ..work.disk import require_space
from ..work.folder import WorkFolder, default_root
from ..work.key import work_key
from .settings import MotionSettings, Settings, StrPath, VideoSettings

if TYPE_CHECKING:
    from ..video.config import VideoConfig
    from .request import VideoRequest

MOTION = "motion"
AFTERWARDS = ("windows_per_batch", "background_lock")  # settings that do not change the work
BYTES_PER_PIXEL = 0.06  # of a video file; H.264 at this quality took less for everything that was measured
SOUND_BYTES = 1000  # of a frame's sound
SPARE = 2**24  # bytes; journals, headers, what is written besides


def video_key(settings: Settings, model: VideoConfig, **inputs: Any) -> str:
    """The key of a video whose portrait, pose and sound are `inputs`.

    Where files go, how many windows run side by side and the rate of the output do not change the work.
    """
    files = {
        "motion_model": settings.motion.model or assets.asset(assets.MOTION_MODEL),
        "video_model": settings.video.model or assets.asset(assets.VIDEO_MODEL),
        "wavlm": settings.motion.wavlm,
        "wav2vec2": settings.video.wav2vec2,
        "vae": settings.video.vae,
        "clip_vision": settings.video.clip_vision,
    }
    return work_key(
        {
            **inputs,
            "files": {name: _path(file) for name, file in files.items()},
            "motion": _numbers(settings.motion, MotionSettings(), "model", "wavlm"),
            "video": _numbers(settings.video, VideoSettings(), "model", "wav2vec2", "vae", "clip_vision"),
            "config": model,
        }
    )


@contextmanager
def work_of(
    settings: Settings, key: Callable[[], str], request: VideoRequest, config: VideoConfig, frames: int
) -> Iterator[WorkFolder | None]:
    """The work folder of a run, or None where none is wanted; refuses a disk on which the run will not fit.

    It is removed when the block ends well, unless it is to be kept.
    """
    out = Path(request.out)
    needs = {out.parent: video_bytes(config, frames)}
    if not settings.work.use:
        require_space(needs)
        yield None
        return
    root = default_root() if settings.work.root is None else Path(settings.work.root)
    names = {"out": out.name, "image": Path(request.image).name, "frames": str(frames)}
    if request.audio is not None:
        names["audio"] = Path(request.audio).name
    with WorkFolder.open(root, key(), names) as work:
        there = sum(file.stat().st_size for file in work.path.iterdir() if file.is_file())
        needs[work.path] = max(0, work_bytes(config, frames) - there)
        require_space(needs)
        yield work
        if not settings.work.keep:
            work.remove()


def work_bytes(config: VideoConfig, frames: int) -> int:
    """What a run keeps at most: three steps' latents while one replaces another, and one step's windows."""
    latents = frames * config.latent_channels * (config.size // 8) ** 2 * 4
    windows = config.window / (config.window - config.overlap) * (2 if config.cfg > 1 else 1)
    return round(latents * (3 + windows)) + SPARE


def video_bytes(config: VideoConfig, frames: int) -> int:
    """About the largest size of the video file."""
    return round(frames * (config.size**2 * BYTES_PER_PIXEL + SOUND_BYTES)) + SPARE


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


def _numbers(settings: Any, default: Any, *files: str) -> dict[str, Any]:
    """What of some settings changes numbers and is no file."""
    names = [name for name in vars(default) if name not in (*files, *AFTERWARDS, "device")]
    from ..base.device import choose_device

    return {name: getattr(settings, name) for name in names} | {"device": choose_device(settings.device).type}
