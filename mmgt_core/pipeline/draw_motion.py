"""`mmgt draw`: a motion file becomes the pose video of a video model, or a folder of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..base.errors import InputError
from ..base.notes import Note, unnoted
from ..base.progress import Progress, silent
from ..marks.record import TRAINED, Record
from ..media.containers import CONTAINERS
from ..media.images import load_image, save_image
from ..media.pose_clip import ClipSettings, PoseClip, pose_clip
from ..media.sound_file import load_channels
from ..media.video_writer import VideoWriter
from .given_motion import read_motion
from .marking import WITHOUT_MARKS, MarkSettings


@dataclass(frozen=True)
class DrawRequest:
    """Input files and output."""

    out: Path
    """Video file (.mp4, .mov, .mkv), or a folder for numbered PNG images, which lose nothing."""
    audio: Path | None = None
    """Recording for the video; cut or padded with silence to the duration of the images."""
    image: Path | None = None
    """Portrait of the video, whose framing the poses get. None = the image that the motion belongs to."""
    motion_fps: float | None = None
    """Frame rate of a motion from OpenPose JSON. None = 25."""
    marks: bool = True
    """Write into the files that they are generated; see docs/marks.md."""


def draw_motion_file(
    motion: Path,
    request: DrawRequest,
    settings: ClipSettings,
    note: Note = unnoted,
    progress: Progress = silent,
) -> PoseClip:
    """Draw the clip into the request's file or folder -> the clip that was drawn.

    Raises InputError for what cannot be used; a video is written whole or not at all.
    """
    out = Path(request.out)
    is_video = out.suffix.lower() in CONTAINERS
    if out.suffix and not is_video:
        raise InputError(
            f"pose images cannot be written as '{out.suffix}'",
            where=out,
            fix="end the name in .mp4, or give a folder",
        )
    if request.audio is not None and not is_video:
        raise InputError("images have no audio", where=request.audio, fix="write a video, or omit --audio")
    given = read_motion(motion, request.motion_fps, note)
    size = None if request.image is None else load_image(request.image, note).shape[1::-1]
    clip = pose_clip(given, settings, size)
    record = MarkSettings(marks=request.marks).record(TRAINED)
    if record is None:
        note(WITHOUT_MARKS)
    if is_video:
        _write_video(out, clip, request, record, note, progress)
    else:
        _write_images(out, clip, record, progress)
    return clip


def _write_video(
    out: Path, clip: PoseClip, request: DrawRequest, record: Record | None, note: Note, progress: Progress
) -> None:
    sound = () if request.audio is None else load_channels(request.audio, note=note)
    sound = [channel.padded(clip.length.samples(channel.rate)) for channel in sound]
    with VideoWriter(out, *clip.size, clip.length.fps, audio=sound or None, record=record) as video:
        for start, part in clip.images():
            video.write(part)
            progress(start + len(part), clip.frames, part[-1])


def _write_images(out: Path, clip: PoseClip, record: Record | None, progress: Progress) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for start, part in clip.images():
        for index, image in enumerate(part, start):
            save_image(out / f"pose_{index:05}.png", image, record)
        progress(start + len(part), clip.frames, part[-1])
