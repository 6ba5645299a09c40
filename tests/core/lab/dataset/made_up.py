"""Small made-up data sets: noise as motion and features, colored squares as images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmgt_core.base.feature_kinds import LOG_MEL
from mmgt_core.lab.dataset.arrays import to_npy
from mmgt_core.lab.dataset.clip import ClipInfo
from mmgt_core.lab.dataset.encode import flac, mp4
from mmgt_core.lab.dataset.index import DatasetIndex
from mmgt_core.lab.dataset.layout import MOTION, PROSODY, SOUND, SPEECH, VIDEO, WAVLM, array_layouts
from mmgt_core.lab.dataset.writer import PendingClip, write_dataset

SIZE = 64
LAYOUTS = array_layouts(LOG_MEL)


def images(frames: int, seed: int) -> list[np.ndarray]:
    """A gray value for each frame, so that a frame can be told from its neighbors."""
    return [np.full((SIZE, SIZE, 3), (seed * 40 + 2 * index) % 256, np.uint8) for index in range(frames)]


def arrays(frames: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.uniform(0, 1, (frames, *layout.row)).astype(layout.dtype)
        for name, layout in LAYOUTS.items()
    }


def samples(frames: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, frames * 640).astype(np.int16)


def pending(source: str, number: int, frames: int = 80, *, wavlm: bool = False) -> PendingClip:
    """A clip whose content follows from its source and number."""
    seed = sum(source.encode()) + number
    info = ClipInfo(
        key=f"{(source * 12)[:12]}-{number:03d}",
        speaker=f"speaker {source}",
        source=(source * 64)[:64],
        start=number * 3.2,
        seconds=frames / 25,
        frames=frames,
        width=SIZE,
        height=SIZE,
        license="CC0",
        quality={"hands": 0.5},
    )

    def load() -> dict[str, bytes]:
        own = arrays(frames, seed)
        entries = {name: to_npy(own[name], LAYOUTS[name]) for name in (MOTION, PROSODY, SPEECH)}
        if wavlm:
            entries[WAVLM] = to_npy(own[WAVLM], LAYOUTS[WAVLM])
        return {
            **entries,
            SOUND: flac(samples(frames, seed)),
            VIDEO: mp4(images(frames, seed), SIZE),
        }

    split = "validation" if source == "c" else "train"
    return PendingClip(info, split, load, size=frames * 3000)


def make(folder: Path, *, shard_bytes: int = 2**20, order: int = 1, wavlm: bool = False) -> DatasetIndex:
    """Five clips of three speakers; `order` -1 gives them to the writer from the last to the first."""
    clips = [
        pending("a", 0, wavlm=wavlm), pending("a", 1, 90, wavlm=wavlm), pending("b", 0, wavlm=wavlm),
        pending("b", 1, 100, wavlm=wavlm), pending("c", 0, wavlm=wavlm),
    ][::order]  # fmt: skip
    return write_dataset(
        folder, clips, size=SIZE, speech=LOG_MEL, wavlm=wavlm, split="speaker", shard_bytes=shard_bytes
    )
