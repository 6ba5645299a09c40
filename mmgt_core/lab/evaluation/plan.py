"""How much is measured: the real counts, and the few of a smoke run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Counts of an evaluation.

    Attributes:
        speech_clips: utterances for Stage I, each of `windows_per_clip` windows of 80 frames.
        silent_windows: windows of digital silence.
        identities: presenters for Stage II and end to end, one clip each.
        control_clips: how many of them get another's sound in the end-to-end control.
        mouth_frames: frames of a clip on which the mouth is followed.
        picture_frames: how many of them the wrong pose and the wrong portrait are tried on.
        still_frames: frames of the still pose.
        sampler_clips: how many presenters are also drawn in many steps with guidance.
        motion_batch: windows that Stage I makes at a time.
        quick: whether the table must say that it is a smoke run.
    """

    speech_clips: int = 112
    windows_per_clip: int = 2
    silent_windows: int = 16
    identities: int = 32
    control_clips: int = 16
    mouth_frames: int = 12
    picture_frames: int = 4
    still_frames: int = 4
    sampler_clips: int = 8
    motion_batch: int = 28
    quick: bool = False


REAL = Plan()
QUICK = Plan(
    speech_clips=5,
    silent_windows=3,
    identities=3,
    mouth_frames=12,
    picture_frames=4,
    still_frames=4,
    sampler_clips=1,
    quick=True,
)
