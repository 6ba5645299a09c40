"""A motion as a video of its moving skeleton."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.progress import Progress, silent
from ..marks.record import Record
from ..media.video_writer import VideoWriter
from ..media.waveform import Waveform
from ..pose.motion import Motion
from .settings import StrPath

SHORT_SIDE = 512  # pixels
DRAWN_AT_ONCE = 32  # images in memory
GENERATED = Record()


def write_skeleton(
    out: StrPath,
    motion: Motion,
    sound: Sequence[Waveform] = (),
    progress: Progress = silent,
    record: Record | None = GENERATED,
) -> None:
    """Draw every frame into a video with the sound, in the shape of the motion's image.

    `record` is what the file says about its origin (None: nothing).
    """
    from ..pose.drawing import draw_pose

    scale = SHORT_SIDE / min(motion.width, motion.height)
    width, height = (max(2, round(side * scale)) for side in (motion.width, motion.height))
    with VideoWriter(out, width, height, audio=sound or None, record=record) as video:
        for start in range(0, motion.frames, DRAWN_AT_ONCE):
            stop = min(start + DRAWN_AT_ONCE, motion.frames)
            video.write(draw_pose(motion.window(slice(start, stop)), (width, height)))
            progress(stop, motion.frames)
