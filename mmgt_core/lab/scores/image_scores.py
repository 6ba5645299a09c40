"""The figures of one clip's images, in one pass over them: PSNR, SSIM, LPIPS, and drift over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ...base.timebase import FPS
from ..metrics.image import decibels, gradient_map, masked_mean, ssim_map
from ..metrics.journal import Record
from .regions import Regions
from .sides import Image, in_blocks

SIZE = 256  # pixels: PSNR, SSIM and LPIPS are of square images of this side, as in the paper
BLOCK = 10  # images in memory at a time
START = 4  # frames of `psnr_start`: a figure for rows that render only a few
PARTS = ("face", "hands")
FEWEST_BACKGROUND = 0.02  # of the image, that the background must cover to be measured

Distance = Callable[[Tensor, Tensor], Tensor]
"""(n, h, w, 3) images twice, in [0, 1] -> (n,) distances: LPIPS."""


@dataclass
class Means:
    """Sums and numbers of values by name, and by name and second of the clip."""

    total: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    count: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, name: str, values: Tensor | list[float], first: int | None = None) -> None:
        """Values of frames; with `first`, the number of the first one, also for the curve over seconds."""
        for offset, value in enumerate([float(v) for v in values]):
            self.total[name] += value
            self.count[name] += 1
            if first is not None:
                second = f"{name}#{(first + offset) // FPS}"
                self.total[second] += value
                self.count[second] += 1

    def record(self) -> Record:
        """Means by name; "NAME#S" is that of second S."""
        return {name: self.total[name] / self.count[name] for name in self.total}


def image_scores(
    images: Iterator[Image],
    truth: Iterator[Image] | None,
    regions: Regions | None,
    lpips: Distance | None = None,
    observe: Callable[[Tensor, Tensor | None, int], None] | None = None,
) -> Record:
    """One pass over the images, `BLOCK` at a time.

    Args:
        images: uint8 RGB at 25 a second. truth: the same of the truth; None: only drift.
        regions: where face and hands are, in the truth where there is one; None: whole frames only.
        lpips: see `Distance`.
        observe: receives each block, (n, 256, 256, 3) in [0, 1], the truth's, and its first frame's number.

    Returns:
        "psnr", "ssim", "lpips" and the same with "_face" and "_hands", means over frames (of frames in which
        the part is seen); "psnr_start" of the first 4; "sharpness", "sharpness_hands", the gradient energy
        over the truth's; "flicker", mean absolute difference of neighboring frames, levels of 255;
        "background", mean absolute difference from frame 0 in the last second, levels of
        255; "face_lpips", the face against that of frame 0 in the last second; "NAME#S", means over second S;
        "images", how many there were.
    """
    means, start, first, last = Means(), None, 0, None
    truths = None if truth is None else in_blocks(truth, BLOCK)
    for block in in_blocks(images, BLOCK):
        shown = squares(block)
        true = None
        if truths is not None:
            true_block = next(truths, [])
            if not true_block:
                break
            true = squares(true_block)
            shown, true = shown[: len(true)], true[: len(shown)]
        if start is None:
            start = shown[:1].clone()
        if true is not None:
            _likeness(means, shown, true, regions, lpips, first)
        _flicker(means, shown, last)
        last = shown[-1:]
        _drift(means, shown, start, regions, lpips, first)
        if observe is not None:
            observe(shown, true, first)
        first += len(shown)
    record = _with_sharpness(means.record())
    for name in ("background", "face_lpips"):
        seconds = [int(key.partition("#")[2]) for key in record if key.startswith(f"{name}#")]
        record.pop(name, None)
        if seconds and first > FPS:
            record[name] = record[f"{name}#{max(seconds)}"]
    return record | {"images": float(first)}


def tensor_scores(shown: Tensor, truth: Tensor, regions: Regions | None) -> Record:
    """`image_scores` without drift, of images (n, 256, 256, 3) in [0, 1] that no file has rounded."""
    means = Means()
    _likeness(means, shown, truth, regions, None, 0)
    _flicker(means, shown, None)
    return _with_sharpness({name: value for name, value in means.record().items() if "#" not in name})


def squares(block: list[Image], size: int = SIZE) -> Tensor:
    """float32 (n, size, size, 3) in [0, 1]: the images, brought to a square whatever their shape."""
    import cv2

    if block[0].shape[:2] == (size, size):
        resized = block
    else:
        shrinks = max(block[0].shape[:2]) > size
        kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = [cv2.resize(image, (size, size), interpolation=kind) for image in block]
    return torch.from_numpy(np.stack(resized)).float() / 255


def crops(images: Tensor, regions: Regions, part: str, first: int, size: int) -> tuple[Tensor, list[int]]:
    """The boxes of a part as images (m, size, size, 3), and the row of `images` that each belongs to."""
    found, rows = [], []
    for row in range(len(images)):
        for x1, y1, x2, y2 in regions.boxes(part, first + row):
            box = images[row : row + 1, y1:y2, x1:x2].permute(0, 3, 1, 2)
            box = torch.nn.functional.interpolate(box, (size, size), mode="bilinear", antialias=True)
            found.append(box.permute(0, 2, 3, 1))
            rows.append(row)
    return (torch.cat(found) if found else images.new_zeros(0, size, size, 3)), rows


def _likeness(
    means: Means, shown: Tensor, true: Tensor, regions: Regions | None, lpips: Distance | None, first: int
) -> None:
    error, likeness = (shown - true).square().mean(-1), ssim_map(shown, true)
    quality, gradients = decibels(masked_mean(error)), (gradient_map(shown), gradient_map(true))
    means.add("psnr", quality, first)
    means.add("psnr_start", quality[: max(START - first, 0)])
    for name, energy in zip(("energy", "energy_true"), gradients, strict=True):
        means.add(name, masked_mean(energy))
    means.add("ssim", masked_mean(likeness), first)
    if lpips is not None:
        means.add("lpips", lpips(shown, true), first)
    if regions is None:
        return
    for part in PARTS:
        mask = regions.mask(part, range(first, first + len(shown)))
        rows = mask.flatten(1).any(1)
        if not bool(rows.any()):
            continue
        means.add(f"psnr_{part}", decibels(masked_mean(error[rows], mask[rows])))
        means.add(f"ssim_{part}", masked_mean(likeness[rows], mask[rows]))
        if part == "hands":
            for name, energy in zip(("energy_hands", "energy_hands_true"), gradients, strict=True):
                means.add(name, masked_mean(energy[rows], mask[rows]))
        if lpips is not None:
            sides = (crops(images, regions, part, first, SIZE // 2)[0] for images in (shown, true))
            means.add(f"lpips_{part}", lpips(*sides))


def _flicker(means: Means, shown: Tensor, last: Tensor | None) -> None:
    rows = shown if last is None else torch.cat([last, shown])
    means.add("flicker", rows.diff(dim=0).abs().flatten(1).mean(1) * 255)


def _with_sharpness(record: Record) -> Record:
    """The gradient energies as ratios to the truth's; an image without edges has none."""
    for part in ("", "_hands"):
        own, true = record.pop(f"energy{part}", 0.0), record.pop(f"energy{part}_true", 0.0)
        if true > 0:
            record[f"sharpness{part}"] = own / true
    return record


def _drift(
    means: Means, shown: Tensor, start: Tensor, regions: Regions | None, lpips: Distance | None, first: int
) -> None:
    if regions is None:
        return
    mask = regions.background()
    if float(mask.float().mean()) >= FEWEST_BACKGROUND:
        change = (shown - start).abs().mean(-1)[:, mask].mean(1) * 255
        means.add("background", change, first)
    origin = None if lpips is None else crops(start, regions, "face", 0, SIZE // 2)[0]
    if lpips is not None and origin is not None and len(origin):
        faces, rows = crops(shown, regions, "face", first, SIZE // 2)
        if rows == list(range(len(shown))):
            means.add("face_lpips", lpips(faces, origin.expand_as(faces)), first)
