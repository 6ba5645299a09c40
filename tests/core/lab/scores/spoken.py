"""Clips whose lips, sound and images belong together: the drawn presenter says sounds made by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from mmgt_core.base.feature_kinds import LOG_MEL
from mmgt_core.base.timebase import FPS, SAMPLE_RATE
from mmgt_core.lab.dataset.arrays import to_npy
from mmgt_core.lab.dataset.clip import ClipInfo
from mmgt_core.lab.dataset.encode import flac, mp4
from mmgt_core.lab.dataset.layout import MOTION, PROSODY, SOUND, SPEECH, VIDEO, array_layouts
from mmgt_core.lab.dataset.writer import PendingClip, write_dataset
from mmgt_core.lab.presenter.draw import draw_frames
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.lab.presenter.motion_rules import perform
from mmgt_core.lab.presenter.phonemes import Phoneme
from mmgt_core.media.video_writer import write_video
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_file import save_motion

LEVELS = {"a": 0.5, "i": 0.25, "m": 0.05, "t": 0.03, "": 0.0}
LASTS = 0.12  # seconds of each speech sound
SIDE = 64


@dataclass(frozen=True)
class Spoken:
    """Motion, sound, and images of the same moments."""

    motion: Motion
    sound: Waveform
    images: np.ndarray
    phonemes: tuple[Phoneme, ...] = ()

    def at(self, index: np.ndarray) -> Spoken:
        """The clip whose frame k looks like frame index[k], with the sound as it was."""
        images = self.images[index] if len(self.images) else self.images
        return replace(self, motion=self.motion.window(index.tolist()), images=images)

    def write(self, folder: Path, name: str, *, video: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        save_motion(folder / f"{name}.safetensors", self.motion)
        if video:
            write_video(folder / f"{name}.mp4", self.images, audio=self.sound, crf=1)


def spoken(seed: int, seconds: float = 4.0, *, drawn: bool = True) -> Spoken:
    """A clip whose loudness follows the opening of the mouth; a pause of 1.2 s in its middle."""
    rng = np.random.default_rng(seed)
    count = round(seconds / LASTS)
    sounds = rng.choice(list("aimt"), count).tolist()
    sounds[count // 2 - 5 : count // 2 + 5] = [""] * 10
    phonemes = [
        Phoneme(symbol, i * LASTS, (i + 1) * LASTS, stress=2 * (i % 3 == 0) * (symbol in ("a", "i")))
        for i, symbol in enumerate(sounds)
    ]
    identity = sample_identity(seed)
    motion = perform(phonemes, seconds, identity, seed).motion
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    which = np.minimum((times / LASTS).astype(int), count - 1)
    level = np.array([LEVELS[symbol] for symbol in sounds])[which]
    samples = level * np.sin(2 * np.pi * 180 * times) * (1 + 0.1 * rng.normal(size=len(times)))
    images = draw_frames(identity, motion, SIDE) if drawn else np.zeros((0, SIDE, SIDE, 3), np.uint8)
    sound = Waveform(samples.astype(np.float32).clip(-1, 1), SAMPLE_RATE)
    return Spoken(motion, sound, images, tuple(phonemes))


def late(frames: int, count: int) -> np.ndarray:
    """Indices of a clip of `count` frames that comes `frames` later."""
    return np.maximum(np.arange(count) - frames, 0)


def clicks(times: list[float], seconds: float) -> Waveform:
    """Short tones at these times, with silence of a lower level between them."""
    samples = 0.003 * np.random.default_rng(0).normal(size=round(seconds * SAMPLE_RATE))
    for time in times:
        first = round(time * SAMPLE_RATE)
        span = np.arange(min(2400, len(samples) - first))
        samples[first : first + len(span)] += 0.5 * np.sin(0.3 * span) * np.exp(-span / 600)
    return Waveform(samples.astype(np.float32), SAMPLE_RATE)


def strokes(times: list[float], seconds: float) -> Motion:
    """A still figure whose wrists travel from stop to stop and arrive at these times."""
    frames = round(seconds * FPS)
    points = torch.rand(1, 134, 2, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.2
    points = points.expand(frames, -1, -1)
    keypoints = torch.cat([points, torch.ones(frames, 134, 1)], -1).clone()
    moments = (np.arange(frames) + 0.5) / FPS
    stops = np.array([0.0, *times, seconds])
    for wrist in (4, 7):
        part = np.searchsorted(stops, moments, side="right").clip(1, len(stops) - 1)
        share = (moments - stops[part - 1]) / (stops[part] - stops[part - 1])
        # The speed is a bell between two stops: it is lowest exactly at a stop.
        way = part + share - np.sin(2 * np.pi * share) / (2 * np.pi)
        keypoints[:, wrist, 0] = torch.from_numpy(0.3 + 0.1 * (way % 2 - 1).__abs__()).float()
    return Motion(keypoints)


def prepared(folder: Path, clips: list[Spoken]) -> Path:
    """A prepared data set of these clips, the last of them held out; features are zeros."""
    layouts = array_layouts(LOG_MEL)

    def pending(number: int, clip: Spoken) -> PendingClip:
        frames, source = clip.motion.frames, f"{number:x}" * 64
        side = clip.images.shape[1]
        key = f"{source[:12]}-000"
        info = ClipInfo(key, f"speaker {number}", source, 0.0, frames / FPS, frames, side, side)
        images = clip.images if len(clip.images) else np.zeros((frames, side, side, 3), np.uint8)

        def load() -> dict[str, bytes]:
            return {
                MOTION: to_npy(clip.motion.keypoints.numpy().astype(np.float32), layouts[MOTION]),
                PROSODY: to_npy(np.zeros((frames, 35), np.float16), layouts[PROSODY]),
                SPEECH: to_npy(np.zeros((frames, 1, 40), np.float16), layouts[SPEECH]),
                SOUND: flac((clip.sound.samples[: frames * 640] * 32767).astype(np.int16)),
                VIDEO: mp4(list(images), side),
            }

        split = "validation" if number == len(clips) - 1 else "train"
        return PendingClip(info, split, load, size=frames * 3000)

    pendings = [pending(number, clip) for number, clip in enumerate(clips)]
    write_dataset(
        folder, pendings, size=SIDE, speech=LOG_MEL, wavlm=False, split="speaker", shard_bytes=2**24
    )
    return folder
