"""The silence gate: quiet where the speaker is quiet (a still mouth, and if wanted the pose at rest)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.timebase import FPS
from ..media.waveform import Waveform
from ..pose import skeleton
from ..pose.motion import Motion

LOWEST_DB = -120.0
SILENCE_DB = -60.0  # below full scale; what is quieter is never speech
# The upper face moves with the head and not with speech: it says where the resting mouth belongs.
STEADY = slice(skeleton.BROWS.start, skeleton.LEFT_EYE_RING.stop)


def frame_levels(waveform: Waveform) -> NDArray[np.float32]:
    """(frames,) RMS of each frame's 40 ms in decibels below full scale, at least -120."""
    edges = np.minimum(-(-np.arange(waveform.frames + 1) * waveform.rate // FPS), waveform.samples.size)
    totals = np.concatenate([[0.0], np.cumsum(waveform.samples.astype(np.float64) ** 2)])
    power = np.diff(totals[edges]) / np.maximum(np.diff(edges), 1)
    return (10 * np.log10(np.maximum(power, 10 ** (LOWEST_DB / 10)))).astype(np.float32)


def silence_gate(
    waveform: Waveform,
    *,
    open_db: float = -25.0,
    close_db: float = -32.0,
    hold: int = 5,
    lead: int = 2,
    fade: int = 4,
) -> NDArray[np.float32]:
    """(frames,) 1 where somebody speaks, 0 where nobody does, ramps between.

    Levels count from the recording's own loud parts (the 95th percentile of its frames that are not silent),
    with hysteresis: the gate opens above `open_db` and closes below `close_db`.

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
    level = frame_levels(waveform)
    audible = level[level > SILENCE_DB]
    if audible.size == 0:
        return np.zeros(level.size, np.float32)
    reference = float(np.percentile(audible, 95))
    opens, closes = (max(reference + db, SILENCE_DB) for db in (open_db, close_db))
    speaking = np.zeros(level.size, bool)
    is_open, quiet = False, 0
    for frame, db in enumerate(level.tolist()):
        quiet = 0 if db >= closes else quiet + 1
        is_open = db > opens or (is_open and quiet <= hold)
        speaking[frame] = is_open
    for frame in np.flatnonzero(np.diff(speaking.astype(int)) == 1):
        speaking[max(0, frame + 1 - lead) : frame + 1] = True
    return _ramps(speaking, fade)


def apply_to_motion(
    motion: Motion, gate: NDArray[np.float32], first_pose: Motion, *, rest: Literal["mouth", "pose"] = "mouth"
) -> Motion:
    """The motion with the mouth (or the whole pose) of `first_pose` where the gate is closed.

    The resting mouth rides with the head: it is placed by the similarity that carries the upper face of
    the first pose to that of the frame. Eyes stay as they are, scores too.

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
    mouth = _carried(resting[:, :2], keypoints[..., :2], motion.width / motion.height)
    blend = speaking[:, None, None]
    keypoints[:, skeleton.LIPS, :2] = blend * keypoints[:, skeleton.LIPS, :2] + (1 - blend) * mouth
    return replace(motion, keypoints=keypoints)


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
