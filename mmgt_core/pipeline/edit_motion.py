"""`mmgt edit`: the operations of the editing nodes, from file to file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..base.errors import InputError
from ..base.notes import Note, unnoted
from ..media.lead import held, lead_frames
from ..media.sound_file import load_waveform
from ..media.speech_beats import speech_beats
from ..pose.edit import blended, retargeted, smoothed
from ..pose.editing.beats import emphasized
from ..pose.editing.curves import key_curve
from ..pose.editing.filters import one_euro, savitzky_golay
from ..pose.editing.mirroring import mirrored
from ..pose.editing.mixing import crossed
from ..pose.editing.parts import check_part
from ..pose.editing.proportions import with_proportions
from ..pose.editing.steps import PartEdit, TimeEdit, with_part, with_timing
from ..pose.gaps import filled
from ..pose.motion import Motion
from ..pose.motion_file import save_motion
from .given_motion import read_motion

PAIR_FIX = "write the part, = and the value, such as lips=1.5 or left-hand=clip.safetensors"


@dataclass(frozen=True)
class EditSettings:
    """Operations, done in the order of this list."""

    fill_gaps: int = 0
    """Longest gap of a point in frames that is filled by interpolation."""
    start: float = 0.0
    """Seconds of the motion to skip."""
    duration: float = 0.0
    """Seconds to keep. 0 = until the end."""
    speed: float = 1.0
    """Playback speed. 2 = half as long."""
    append: Path | None = None
    """Motion that follows."""
    loop: float = 0.0
    """Repeat until the motion lasts this many seconds. 0 = off."""
    fade: int = 10
    """Cross-fade in frames where motions are joined or repeated."""
    second: Path | None = None
    """Motion to blend with."""
    blend: str = "0.5"
    """Weight of the second motion: a number, or a curve of seconds:value pairs such as "0:0, 1.5:1"."""
    mirror: bool = False
    """Exchange left and right."""
    replace: tuple[str, ...] = ()
    """Parts of other motions, such as lips=other.safetensors."""
    hold: tuple[str, ...] = ()
    """Parts that keep the pose of a frame, such as left-hand=0."""
    gain: tuple[str, ...] = ()
    """Scales of the movement of parts, such as body=1.2 lips=0.8. Parts: body, head, left-hand, right-hand,
    lips, brows, eyes."""
    offset: tuple[str, ...] = ()
    """Offsets of parts in pixels to the right and down, such as head=0,-5."""
    lag: tuple[str, ...] = ()
    """Frames by which parts come later, such as lips=-2."""
    smooth: Literal["none", "gaussian", "one-euro", "savitzky-golay"] = "none"
    """Smoothing. Lips are not smoothed."""
    smoothing: float | None = None
    """gaussian: width in frames (2); one-euro: cutoff in Hz (1.5); savitzky-golay: window in frames (9)."""
    beat_emphasis: float = 0.0
    """Enlarge arm movement at the beats of the speech. 1 = double. Requires --audio."""
    audio: Path | None = None
    """Speech of the motion, for --beat-emphasis."""
    portrait_pose: Path | None = None
    """Pose of another portrait, to retarget the motion to it."""
    retarget: Literal["positions", "proportions"] = "positions"
    """positions = points move as before from where the pose has them; proportions = bones keep the lengths of
    the pose and take the motion's directions."""
    lead_in: float = 0.0
    """Seconds for which the first pose is held before the motion."""
    lead_out: float = 0.0
    """Seconds for which the last pose is held after the motion."""


def edit_motion_file(motion: Path, out: Path, settings: EditSettings, note: Note = unnoted) -> Motion:
    """Edit a motion file into a new one -> the edited motion. Raises InputError for what is not possible."""
    if Path(out).suffix.lower() != ".safetensors":
        raise InputError("motions are written as .safetensors", where=out, fix="end the name in .safetensors")
    edited = edited_motion(read_motion(motion, note=note), settings, note)
    save_motion(out, edited)
    return edited


def edited_motion(motion: Motion, chosen: EditSettings, note: Note = unnoted) -> Motion:
    """The motion with all operations of the settings."""
    append = None if chosen.append is None else read_motion(chosen.append, note=note)
    timing = TimeEdit(chosen.start, chosen.duration, chosen.speed, append, chosen.loop, chosen.fade)
    motion = with_timing(filled(motion, chosen.fill_gaps), timing)
    if chosen.second is not None:
        motion = _blended(motion, read_motion(chosen.second, note=note), chosen.blend)
    motion = mirrored(motion) if chosen.mirror else motion
    for edit in _part_edits(chosen, note):
        motion = with_part(motion, edit)
    motion = _smoothed(motion, chosen)
    if chosen.beat_emphasis:
        if chosen.audio is None:
            raise InputError("beat emphasis needs the speech", where="--beat-emphasis", fix="give --audio")
        beats = speech_beats(load_waveform(chosen.audio)).tolist()
        motion = emphasized(motion, beats, chosen.beat_emphasis)
    if chosen.portrait_pose is not None:
        to = with_proportions if chosen.retarget == "proportions" else retargeted
        motion = to(motion, read_motion(chosen.portrait_pose, note=note))
    return held(motion, lead_frames(chosen.lead_in, "lead_in"), lead_frames(chosen.lead_out, "lead_out"))


def _blended(motion: Motion, second: Motion, blend: str) -> Motion:
    if ":" in blend:
        return crossed(motion, second, key_curve(blend, motion.frames))
    return blended(motion, second, _number("--blend", blend))


def _smoothed(motion: Motion, chosen: EditSettings) -> Motion:
    value = chosen.smoothing
    if chosen.smooth == "gaussian":
        return smoothed(motion, 2.0 if value is None else value)
    if chosen.smooth == "one-euro":
        return one_euro(motion, 1.5 if value is None else value)
    if chosen.smooth == "savitzky-golay":
        return savitzky_golay(motion, 9 if value is None else round(value))
    return motion


def _part_edits(chosen: EditSettings, note: Note) -> Iterator[PartEdit]:
    for part, value in _pairs("--replace", chosen.replace):
        yield replace(part, replace_from=read_motion(value, note=note))
    for part, value in _pairs("--hold", chosen.hold):
        yield replace(part, hold=round(_number("--hold", value)))
    for part, value in _pairs("--gain", chosen.gain):
        yield replace(part, gain=_number("--gain", value))
    for part, value in _pairs("--offset", chosen.offset):
        right, comma, down = value.partition(",")
        if not comma:
            raise InputError(f"{value!r} is no offset", where="--offset", fix="write two numbers: head=0,-5")
        yield replace(part, offset=(_number("--offset", right), _number("--offset", down)))
    for part, value in _pairs("--lag", chosen.lag):
        yield replace(part, lag=round(_number("--lag", value)))


def _pairs(option: str, words: tuple[str, ...]) -> Iterator[tuple[PartEdit, str]]:
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"{word!r} names no value", where=option, fix=PAIR_FIX)
        yield PartEdit(check_part(name.strip().replace("-", " "))), value


def _number(option: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{text!r} is no number", where=option, fix=PAIR_FIX)
    return number
