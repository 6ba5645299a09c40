"""The practice videos as a plan: who speaks in which file, and which fault it has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .held_out import training_seed

FAULTS = (
    "cut", "two people", "silence", "variable rate", "truncated", "29.97 fps", "48 kHz stereo", "hand leaves",
    "turned away", "small", "no sound", "short", "late picture",
)  # fmt: skip
"""Kinds of faults; each is in at least one of 40 files, and the files of all other numbers are "clean"."""
LASTING = ("two people", "silence", "hand leaves", "turned away")
"""Faults of a part of the file, which begin and end."""
REASONS = {
    "cut": "cut", "two people": "several people", "silence": "silence", "hand leaves": "hands",
    "turned away": "turned away", "small": "small", "no sound": "no sound", "short": "short",
    "truncated": "unreadable",
}  # fmt: skip
"""Fault -> the reason by which `mmgt prepare` has to name it; the others have to be accepted whole."""
POSES = ("list", "folder", "keypoints")
"""How the poses are written: NAME.json, the folder NAME_keypoints, or NAME_keypoints.json."""
LENGTH = (8.0, 20.0)  # seconds of a file
SHORT = 2.0  # seconds of one that is too short for a window


@dataclass(frozen=True)
class VideoPlan:
    """One practice video; everything in it follows from these values.

    Attributes:
        name: path below the output folder, without an ending: "speaker-03/talk-1".
        speaker: label, the folder's name.
        identity: seed of looks and voice, the same in all files of a speaker.
        seed: of words, gestures and the fault's place.
        fault: "clean" or one of `FAULTS`.
        poses: one of `POSES`.
        wide: whether the image is wider than high (4:3).
    """

    name: str
    speaker: str
    identity: int
    seed: int
    fault: str = "clean"
    poses: str = "list"
    wide: bool = False


def plan_videos(count: int, seed: int = 0) -> list[VideoPlan]:
    """The plans of `count` videos, of which each speaker has one or two; equal seeds give equal plans.

    The first 3 of 4 speakers have two files. Faults are spread over the files at random.
    """
    rng = np.random.default_rng([0x91D0, seed])
    faults = [*FAULTS, *["clean"] * max(count - len(FAULTS), 0)][:count]
    faults = [faults[index] for index in rng.permutation(count)]
    plans: list[VideoPlan] = []
    speaker = 0
    while len(plans) < count:
        for talk in range(1 if speaker % 4 == 3 else 2):
            if len(plans) < count:
                number, label = len(plans), f"speaker-{speaker:02d}"
                plans.append(
                    VideoPlan(
                        name="/".join([label, f"talk-{talk}"]),
                        speaker=label,
                        identity=training_seed(seed, 900_000 + speaker),
                        seed=training_seed(seed, 910_000 + number),
                        fault=faults[number],
                        poses=POSES[number % len(POSES)],
                        wide=bool(rng.random() < 0.5),
                    )
                )
        speaker += 1
    return plans
