"""The silence gate: quiet where the speaker is quiet (a still mouth, and if wanted the pose at rest)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.notes import Note
from ..base.timebase import FPS
from ..media.waveform import Waveform
from ..pose import skeleton
from ..pose.motion import Motion
from .speech_level import SILENCE_DB, frame_levels, missing_gain

OPEN_DB = -25.0  # relative to the loud parts
RAMP_FRAMES = 6  # for which Stage I's correction toward the first pose lasts (`smga.diffusion`)
LEAD_IN = 0.3  # seconds; longer than the correction
CORNERS = (0, 6)  # of the 20 lip points
UPPER_LIP, LOWER_LIP = (13, 14, 15), (19, 18, 17)  # inner lip points that face each other
OPEN_MOUTH = 0.1  # widths of the mouth; a closed mouth that a detector found opens less
# The upper face moves with the head and not with speech: it says where the resting mouth belongs.
STEADY = slice(skeleton.BROWS.start, skeleton.LEFT_EYE_RING.stop)


def silence_gate(
    waveform: Waveform,
    *,
    open_db: float = OPEN_DB,
    close_db: float = -32.0,
    hold: int = 5,
    lead: int = 2,
    fade: int = 4,
) -> NDArray[np.float32]:
    """(frames,) 1 where somebody speaks, 0 where nobody does, ramps between.

    Levels count from the recording's own loud parts (the 95th percentile of its frames that are not silent),
    with hysteresis: the gate opens above `open_db` and closes below `close_db`. Speech that was recorded too
    quietly gives the gate of the same speech at an ordinary level.

    Args:
        waveform: the recording.
        open_db, close_db: decibels relative to the loud parts, close_db <= open_db.
        hold: frames that it stays open after the last loud one, so that short pauses do not close it.
        lead: frames that it opens before the first loud one, as lips part before the sound.
        fade: frames that opening and closing take.
    """
    if close_db > open_db:
        raise InputError(
            f"the gate must close at a lower level than it opens at, not at {close_db} above {open_db}"
        )
    level, opens, closes = _thresholds(waveform, open_db, close_db)
    speaking = np.zeros(level.size, bool)
    is_open, quiet = False, 0
    for frame, db in enumerate(level.tolist()):
        quiet = 0 if db >= closes else quiet + 1
        is_open = db > opens or (is_open and quiet <= hold)
        speaking[frame] = is_open
    for frame in np.flatnonzero(np.diff(speaking.astype(int)) == 1):
        speaking[max(0, frame + 1 - lead) : frame + 1] = True
    return _ramps(speaking, fade)


def speech_start(waveform: Waveform, open_db: float = OPEN_DB) -> int | None:
    """The first frame loud enough to open the gate, or None in silence."""
    level, opens, _ = _thresholds(waveform, open_db, open_db)
    loud = np.flatnonzero(level > opens)
    return int(loud[0]) if loud.size else None


def note_early_start(voice: Waveform, note: Note) -> None:
    """A remark where speech starts while the motion still leaves the portrait's pose."""
    start = speech_start(voice)
    if start is not None and start < RAMP_FRAMES:
        note(
            f"speech starts {start / FPS:.2f} s after the beginning, while the motion still leaves the "
            f"portrait's pose, so the mouth opens less at first; a lead_in of {LEAD_IN:g} s prevents this"
        )


def _thresholds(
    waveform: Waveform, open_db: float, close_db: float
) -> tuple[NDArray[np.float32], float, float]:
    """(frames,) levels, and the levels at which the gate opens and closes, all in decibels."""
    level = frame_levels(waveform)
    gain = missing_gain(level)
    level = level + np.float32(gain) if gain else level
    audible = level[level > SILENCE_DB]
    if audible.size == 0:
        return level, SILENCE_DB, SILENCE_DB
    reference = float(np.percentile(audible, 95))
    return level, max(reference + open_db, SILENCE_DB), max(reference + close_db, SILENCE_DB)


def apply_to_motion(
    motion: Motion, gate: NDArray[np.float32], first_pose: Motion, *, rest: Literal["mouth", "pose"] = "mouth"
) -> Motion:
    """The motion with the mouth (or the whole pose) of `first_pose` where the gate is closed.

    The resting mouth rides with the head: it is placed by the similarity that carries the upper face of
    the first pose to that of the frame. Where the first pose has an open mouth, the lips rest as in the frame
    of the motion in which they are open least. Eyes stay as they are, scores too.

    Args:
        motion: (frames, 134, 3).
        gate: (frames,) in 0..1.
        first_pose: one frame, in the same image.
        rest: "mouth" stills the lips only; "pose" also brings body, head and hands to rest, more slowly.

    Raises:
        InputError: gate and motion differ in length.
    """
    if len(gate) != motion.frames:
        raise InputError(f"the gate has {len(gate)} frames, the motion {motion.frames}")
    speaking = torch.from_numpy(np.asarray(gate, np.float32)).to(motion.keypoints)
    resting = first_pose.keypoints[0].to(motion.keypoints)
    keypoints = motion.keypoints.clone()
    if rest == "pose":
        slow = torch.from_numpy(_ramps(np.asarray(gate) > 0, FPS // 2)).to(keypoints)[:, None, None]
        moving = [
            joint
            for joint in range(skeleton.KEYPOINTS)
            if joint not in range(*skeleton.LIPS.indices(skeleton.KEYPOINTS))
        ]
        keypoints[:, moving, :2] = slow * keypoints[:, moving, :2] + (1 - slow) * resting[moving, :2]
    elif rest != "mouth":
        raise InputError(f'at rest come "mouth" or "pose", not "{rest}"')
    aspect = motion.width / motion.height
    mouth = _carried(_closed(motion.keypoints, resting, aspect)[:, :2], keypoints[..., :2], aspect)
    blend = speaking[:, None, None]
    keypoints[:, skeleton.LIPS, :2] = blend * keypoints[:, skeleton.LIPS, :2] + (1 - blend) * mouth
    return replace(motion, keypoints=keypoints)


def _closed(keypoints: torch.Tensor, resting: torch.Tensor, aspect: float) -> torch.Tensor:
    """(134, 3) the pose whose lips are at rest: `resting`, unless its mouth is open."""
    open_, least = _apertures(resting[None], aspect)[0], _apertures(keypoints, aspect)
    frame = least.argmin()
    return keypoints[frame] if open_ > OPEN_MOUTH and least[frame] < open_ / 2 else resting


def _apertures(keypoints: torch.Tensor, aspect: float) -> torch.Tensor:
    """(frames,) mean height of the opening between the lips in widths of the mouth."""
    lips = keypoints[:, skeleton.LIPS, :2] * keypoints.new_tensor([aspect, 1.0])
    width = (lips[:, CORNERS[0]] - lips[:, CORNERS[1]]).norm(dim=-1)
    gaps = (lips[:, list(UPPER_LIP)] - lips[:, list(LOWER_LIP)]).norm(dim=-1).mean(dim=1)
    return gaps / width.clamp_min(1e-6)


def _carried(resting: torch.Tensor, points: torch.Tensor, aspect: float) -> torch.Tensor:
    """(frames, 20, 2) resting lips under the least-squares similarity of the upper face."""
    scale = points.new_tensor([aspect, 1.0])  # fractions -> a plane in which both axes have the same unit
    source = torch.view_as_complex((resting * scale).contiguous())
    target = torch.view_as_complex((points * scale).contiguous())
    steady, face = source[STEADY], target[:, STEADY]
    origin, place = steady.mean(), face.mean(dim=1, keepdim=True)
    spread = (steady - origin).abs().square().sum().clamp_min(1e-12)
    turn = ((face - place) * (steady - origin).conj()).sum(dim=1, keepdim=True) / spread
    return torch.view_as_real(place + turn * (source[skeleton.LIPS] - origin)) / scale


def _ramps(open_: NDArray[np.bool_], fade: int) -> NDArray[np.float32]:
    """1 where open, falling smoothly to 0 over `fade` frames on the closed side of every edge."""
    if not open_.any():
        return np.zeros(open_.size, np.float32)
    frames = np.arange(open_.size)
    places = np.flatnonzero(open_)
    after = places.searchsorted(frames).clip(max=places.size - 1)
    distance = np.minimum(np.abs(frames - places[after]), np.abs(frames - places[np.maximum(after - 1, 0)]))
    ramp = np.clip(1 - distance / (fade + 1), 0, 1)
    return (ramp**2 * (3 - 2 * ramp)).astype(np.float32)
