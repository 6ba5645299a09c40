"""Put a motion into a library: the motion file with its tags, an animated preview, and the sound."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from ..base.atomic_files import atomic_write
from ..base.errors import InputError
from ..base.timebase import FPS
from ..media.sound_file import save_wav
from ..media.waveform import Waveform
from ..pose.drawing import draw_pose
from ..pose.motion import Motion
from ..pose.motion_file import save_motion
from .clips import MOTION, PREVIEW, SOUND, LibraryClip, checked_name, parsed_tags

PREVIEW_SIDE, PREVIEW_STRIDE, PREVIEW_FRAMES = 112, 3, 50
"""Pixels of the longer side; every how many frames is shown; how many at most: the first six seconds."""
QUALITY = 20


def save_clip(
    folder: str | os.PathLike[str],
    name: str,
    motion: Motion,
    *,
    tags: str = "",
    license: str = "",
    sound: Waveform | None = None,
    overwrite: bool = False,
    small: bool = False,
) -> LibraryClip:
    """Write a clip; each file appears when it is complete, the motion file last.

    Args:
        name: of the clip; "talks/hello" puts it into a folder.
        tags: words with commas between them.
        license: of the motion, such as CC0-1.0; "" = not said.
        sound: what belongs to it; cut or padded to its length.
        overwrite: whether a clip of that name is replaced; else a number is added to the new one's.
        small: float16 points: half the size, exact within a quarter of a pixel of 512.

    Raises InputError for a name or tags that cannot be used.
    """
    words, name = parsed_tags(tags), checked_name(name)
    if not motion.frames:
        raise InputError("the motion has no frame", where="motion", fix="give a motion of at least one frame")
    path, chosen, count = Path(folder) / f"{name}{MOTION}", name, 1
    while path.exists() and not overwrite:
        count += 1
        chosen = f"{name} {count}"
        path = Path(folder) / f"{chosen}{MOTION}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_preview(path.with_suffix(PREVIEW), motion)
    if sound is not None:
        save_wav(path.with_suffix(SOUND), sound.padded(round(motion.frames / FPS * sound.rate)))
    else:
        path.with_suffix(SOUND).unlink(missing_ok=True)
    save_motion(path, motion, tags=words, license=license, half=small)
    return LibraryClip(chosen, path, words, license, motion.frames / FPS)


def write_preview(path: str | os.PathLike[str], motion: Motion) -> None:
    """An animated WebP of the skeleton that loops."""
    from PIL import Image

    ratio = PREVIEW_SIDE / max(motion.width, motion.height)
    size = max(2, round(motion.width * ratio)), max(2, round(motion.height * ratio))
    shown = motion.window(slice(0, PREVIEW_STRIDE * PREVIEW_FRAMES, PREVIEW_STRIDE))
    frames = [Image.fromarray(np.ascontiguousarray(frame)) for frame in draw_pose(shown, size)]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 * PREVIEW_STRIDE / FPS),
        loop=0,
        quality=QUALITY,
        method=6,
    )
    with atomic_write(path) as temporary:
        Path(temporary).write_bytes(buffer.getvalue())


def export_clip(clip: LibraryClip, out: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Copy a clip's motion, and its sound where it has one, to a place outside the library -> the files.

    Raises InputError for a name that is no motion file's, and where a file cannot be written.
    """
    out = Path(out)
    if out.suffix.lower() != MOTION:
        raise InputError("motions are written as .safetensors", where=out, fix="end the name in .safetensors")
    copies = [(clip.path, out)]
    if clip.sound is not None:
        copies.append((clip.sound, out.with_suffix(SOUND)))
    for source, target in copies:
        with atomic_write(target) as temporary:
            Path(temporary).write_bytes(source.read_bytes())
    return tuple(target for _, target in copies)
