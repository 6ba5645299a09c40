"""The origin of a video that `generate_video` makes: its record, and its signature with the ingredients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .. import assets
from ..base.notes import Note
from ..marks.record import COMPOSITE, TRAINED, Record, Source
from .marking import WITHOUT_MARKS, run_details, sign_video

if TYPE_CHECKING:
    from .request import VideoRequest
    from .settings import Settings


def record_of(request: VideoRequest, settings: Settings, model: Path, note: Note) -> Record | None:
    """What the files of a run say, None and a remark where they are to say nothing.

    A portrait is taken for a real one, so that the video is a composite, unless it is one of the drawn ones
    that come with this package.
    """
    if not settings.marks.marks:
        note(WITHOUT_MARKS)
        return None
    details = {}
    if settings.marks.mark_details:
        groups = {"sampling": settings.sampling, "motion": settings.motion, "video": settings.video}
        files = {**_ingredients(request), "keypoints": request.keypoints, "motion": request.motion}
        smga = settings.motion.motion_model or assets.asset(assets.MOTION_MODEL)
        details = run_details(groups, {**files, "video model": model, "motion model": smga})
    return settings.marks.record(_source(request), details)


def sign(request: VideoRequest, settings: Settings, record: Record | None, note: Note) -> None:
    """Sign the finished video, if that is wanted."""
    if record is not None and settings.marks.signs:
        sign_video(Path(request.out), settings.marks, record, _ingredients(request), note)


def _source(request: VideoRequest) -> Source:
    shipped = {assets.FOLDER / portrait for portrait, _ in assets.PORTRAITS}
    return TRAINED if Path(request.image) in shipped else COMPOSITE


def _ingredients(request: VideoRequest) -> dict[str, Path | None]:
    return {"portrait": Path(request.image), "sound": request.audio}
