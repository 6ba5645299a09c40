"""What a prepared data set consists of: the entries of a clip, their types and shapes, and their limits."""

from __future__ import annotations

from dataclasses import dataclass

from ...base.feature_kinds import LOG_MEL, PROSODY_CHANNELS, WAV2VEC2
from ...base.timebase import FPS, WINDOW_FRAMES
from ...pose.skeleton import CHANNELS, KEYPOINTS

VERSION = 1
INDEX, SHARDS = "dataset.json", "shards"
SPLITS = ("train", "validation")

INFO, MOTION, PROSODY = "json", "motion.npy", "prosody.npy"
WAVLM, SPEECH = "wavlm.npy", "speech.npy"
SOUND, VIDEO = "flac", "mp4"
ENTRIES = (INFO, MOTION, PROSODY, WAVLM, SPEECH, SOUND, VIDEO)
REQUIRED = (INFO, MOTION, PROSODY, SPEECH, SOUND, VIDEO)

SHORTEST, LONGEST = WINDOW_FRAMES, 30 * FPS  # frames of a clip, both included
WINDOW_SECONDS, STRIDE_SECONDS = 3.2, 0.5  # the windows that the paper trains Stage I on
WAVLM_CHANNELS = 1024
SPEECH_SHAPES = {LOG_MEL: (1, 40), WAV2VEC2: (12, 768)}
"""Kind of Stage II's audio features -> (blocks, channels) of a row."""

SIZES = (64, 2048)  # pixels of a side of the square video, both included
KEYFRAME = 12  # frames between two images of the video that need no other image


@dataclass(frozen=True)
class ArrayLayout:
    """The type of an array entry and the shape of one frame's row of it."""

    dtype: str
    row: tuple[int, ...]


def array_layouts(speech: str) -> dict[str, ArrayLayout]:
    """Array entries of a data set whose Stage II features are of the kind `speech`; rows are frames."""
    return {
        MOTION: ArrayLayout("<f4", (KEYPOINTS, CHANNELS)),
        PROSODY: ArrayLayout("<f2", (PROSODY_CHANNELS,)),
        WAVLM: ArrayLayout("<f2", (WAVLM_CHANNELS,)),
        SPEECH: ArrayLayout("<f2", SPEECH_SHAPES[speech]),
    }


def windows_of(frames: int) -> int:
    """Windows of 3.2 s every 0.5 s (12.5 frames) that a clip of so many frames holds."""
    if frames < WINDOW_FRAMES:
        return 0
    return int((frames - WINDOW_FRAMES) / (STRIDE_SECONDS * FPS)) + 1
