"""All figures of one clip: numbers for its record, and tensors for the figures over all clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ...audio.lip_sync import loudness
from ...base.errors import InputError
from ...media.waveform import Waveform
from ...pose.motion import Motion
from ...pose.visibility import visible_points
from ..dataset.clip import Clip
from ..metrics.journal import Record
from ..metrics.motion import HANDS
from ..metrics.pose_windows import pose_windows
from .image_scores import SIZE, Distance, image_scores
from .motion_scores import BODY, motion_scores, opening, truth_scores
from .pairs import Pair
from .phonemes import phoneme_scores
from .regions import Regions, regions_of
from .settings import ScoreSettings
from .sides import FileSide, PreparedSide, Side

HEAT = 64  # cells of a side of the heat map
SHORTEST = 4  # frames
EVERY = 4  # of the frames of a window count in the diversity of motions


class ImageFeatures(Protocol):
    """Collects features of a clip's images in one pass (FID, FVD, Sync)."""

    def begin(self, regions: Regions | None, sound: Waveform | None) -> None:
        """A new clip."""
        ...

    def block(self, images: Tensor, first: int) -> None:
        """(n, 256, 256, 3) images in [0, 1], the next ones; the first of them is frame `first`."""
        ...

    def end(self) -> tuple[dict[str, Tensor], Record]:
        """Features (n, width) by name, and figures."""
        ...


class MotionFeatures(Protocol):
    """Features of motion windows (FGD)."""

    def __call__(self, windows: Tensor) -> Tensor:
        """(n, 80, 134, 2) of `pose_windows` -> (n, width)."""
        ...


@dataclass(frozen=True)
class Networks:
    """The networks that are there; each is optional.

    Attributes:
        lpips: distance of images. pose: features of motions. images: collectors of features by name.
    """

    lpips: Distance | None = None
    pose: MotionFeatures | None = None
    images: Mapping[str, ImageFeatures] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What one clip gives."""

    record: Record
    tensors: dict[str, Tensor]


def measure(pair: Pair, settings: ScoreSettings, networks: Networks) -> Measured:
    """Measure one clip; one clip's motion and sound and a few of its images are in memory.

    Raises InputError where its files cannot be read, or have nothing that can be measured.
    """
    motion = pair.pred.motion()
    true_motion = None if pair.truth is None else pair.truth.motion()
    sound = pair.sound()
    if motion is None and not pair.pred.has_video:
        raise InputError("it has neither motion nor video", where=pair.name, fix="give one of them")
    if motion is not None and motion.frames < SHORTEST:
        raise InputError(f"it has {motion.frames} frames", where=pair.name, fix=f"give at least {SHORTEST}")
    record: Record = {}
    tensors: dict[str, Tensor] = {}
    if motion is not None:
        record |= _motion(motion, true_motion, sound, settings)
        phonemes = pair.phonemes()
        record |= {} if phonemes is None else phoneme_scores(opening(motion), phonemes)
        tensors |= _motion_tensors(motion, networks)
        tensors["opening"] = torch.from_numpy(opening(motion)).float()
    if sound is not None:
        tensors["loudness"] = torch.from_numpy(loudness(sound)).float()
    if pair.pred.has_video:
        regions = None if (shown := true_motion or motion) is None else regions_of(shown, SIZE)
        more, features = _images(pair, regions, sound, networks)
        record |= more
        tensors |= features
    return Measured(record, tensors or {"nothing": torch.zeros(1)})


def fingerprint(pair: Pair) -> str:
    """What identifies the files of a clip: changed files are measured again."""
    sides = (_fingerprint(side) for side in (pair.pred, pair.truth) if side is not None)
    return "|".join([*sides, _stamp(pair.recording)])


def _fingerprint(side: Side) -> str:
    if isinstance(side, FileSide):
        return "+".join(_stamp(path) for path in (side.video, side.poses, side.recording, side.labels))
    if isinstance(side, PreparedSide):
        clip: Clip = side.clip
        return f"{clip.info.source[:16]}-{clip.info.key}-{clip.info.start:g}-{clip.info.frames}"
    return type(side).__name__


def _stamp(path: Path | None) -> str:
    if path is None:
        return ""
    status = path.stat()
    return f"{path.name}:{status.st_size}:{status.st_mtime_ns}"


def _motion(motion: Motion, truth: Motion | None, sound: Waveform | None, settings: ScoreSettings) -> Record:
    record = motion_scores(
        motion,
        sound,
        lag_ms=settings.lag_ms,
        sigma=settings.beat_sigma,
        event=settings.beat_event,
    )
    record["frames"] = float(motion.frames)
    if truth is not None:
        record |= truth_scores(motion, truth, lag_ms=settings.lag_ms)
        record["true_frames"] = float(truth.frames)
    return record


def _motion_tensors(motion: Motion, networks: Networks) -> dict[str, Tensor]:
    windows = pose_windows(motion)
    tensors = {"heat": heat_map(motion), "gesture": gestures(windows)}
    if networks.pose is not None and len(windows):
        tensors["pose"] = networks.pose(windows)
    return tensors


def gestures(windows: Tensor) -> Tensor:
    """float16 (n, width): arms and hands of each window, every fourth frame, such that the Euclidean distance
    of two windows is the root mean square distance of their points, in shoulder widths.
    """
    chosen = windows[:, ::EVERY][:, :, list(BODY)]
    count = max(chosen.shape[1] * chosen.shape[2], 1)
    return (chosen.flatten(1) / count**0.5).half()


def heat_map(motion: Motion) -> Tensor:
    """float32 (64, 64): how often each cell of the image holds a visible point of a hand, in frames."""
    seen = torch.from_numpy(visible_points(motion)[:, list(HANDS)])
    places = motion.keypoints[:, list(HANDS), :2][seen]
    cells = (places * HEAT).long()
    inside = ((cells >= 0) & (cells < HEAT)).all(-1)
    index = cells[inside][:, 1] * HEAT + cells[inside][:, 0]
    return torch.bincount(index, minlength=HEAT**2).float().view(HEAT, HEAT) / max(len(HANDS), 1)


def _images(
    pair: Pair, regions: Regions | None, sound: Waveform | None, networks: Networks
) -> tuple[Record, dict[str, Tensor]]:
    for collector in networks.images.values():
        collector.begin(regions, sound)

    def observe(shown: Tensor, _truth: Tensor | None, first: int) -> None:
        for collector in networks.images.values():
            collector.block(shown, first)

    truth = pair.truth.images() if pair.truth is not None and pair.truth.has_video else None
    record = image_scores(pair.pred.images(), truth, regions, networks.lpips, observe)
    tensors: dict[str, Tensor] = {}
    for collector in networks.images.values():
        features, figures = collector.end()
        tensors |= features
        record |= figures
    return record, tensors
