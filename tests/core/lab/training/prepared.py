"""A prepared data set whose images and features tell which clip and frame they are of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmgt_core.base.feature_kinds import LOG_MEL
from mmgt_core.lab.dataset.arrays import to_npy
from mmgt_core.lab.dataset.clip import ClipInfo
from mmgt_core.lab.dataset.encode import flac, mp4
from mmgt_core.lab.dataset.layout import MOTION, PROSODY, SOUND, SPEECH, VIDEO, array_layouts
from mmgt_core.lab.dataset.writer import PendingClip, write_dataset

SIZE = 64
GRAY = 2  # gray values between neighboring frames
LAYOUTS = array_layouts(LOG_MEL)
CLIPS = (("a", 100), ("b", 90), ("c", 120), ("d", 95))


def make(folder: Path, *, shard_bytes: int = 2**22) -> Path:
    """Three clips to train on and one held out, each of a speaker of its own.

    Frame k of clip c has the gray value 2 k (mod 240), its features start with (c, k / 100), and its body
    leans by k.
    """
    clips = [_pending(index, name, frames) for index, (name, frames) in enumerate(CLIPS)]
    write_dataset(
        folder, clips, size=SIZE, speech=LOG_MEL, wavlm=False, split="speaker", shard_bytes=shard_bytes
    )
    return folder


def motion(index: int, frames: int) -> np.ndarray:
    """(frames, 134, 3): an upright figure in the middle that sways; every point is seen."""
    rng = np.random.default_rng(100 + index)
    points = rng.uniform(0.3, 0.7, (134, 2))
    sway = 0.05 * np.sin(np.arange(frames) / 6)[:, None]
    keypoints = np.ones((frames, 134, 3), np.float32)
    keypoints[..., 0], keypoints[..., 1] = points[:, 0] + sway, points[:, 1]
    return keypoints


def _pending(index: int, name: str, frames: int) -> PendingClip:
    source = name * 64
    info = ClipInfo(f"{source[:12]}-000", f"speaker {name}", source, 0.0, frames / 25, frames, SIZE, SIZE)
    rng = np.random.default_rng(index)

    def load() -> dict[str, bytes]:
        prosody = rng.normal(size=(frames, 35)).astype(np.float16)
        speech = rng.normal(size=(frames, 1, 40)).astype(np.float16)
        for rows in (prosody, speech[:, 0]):
            rows[:, 0], rows[:, 1] = index, np.arange(frames) / 100
        images = [np.full((SIZE, SIZE, 3), k * GRAY % 240, np.uint8) for k in range(frames)]
        return {
            MOTION: to_npy(motion(index, frames), LAYOUTS[MOTION]),
            PROSODY: to_npy(prosody, LAYOUTS[PROSODY]),
            SPEECH: to_npy(speech, LAYOUTS[SPEECH]),
            SOUND: flac(rng.integers(-9000, 9000, frames * 640).astype(np.int16)),
            VIDEO: mp4(images, SIZE),
        }

    return PendingClip(info, "validation" if name == "d" else "train", load, size=frames * 3000)
