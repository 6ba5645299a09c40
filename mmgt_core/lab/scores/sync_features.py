"""Sync-C and Sync-D of one clip, while its images pass."""

from __future__ import annotations

import torch
from torch import Tensor

from ...base.timebase import SAMPLE_RATE, SAMPLES_PER_FRAME
from ...media.waveform import Waveform
from ..metrics.journal import Record
from .regions import Regions
from .syncnet import COLUMNS, FACE, FRAMES, STEP, SyncNet, cepstra, sync_scores

ABOVE, SIDES = 0.35, 0.4  # heights of the face points for the forehead; sizes of the face around it
FEWEST = 2 * FRAMES  # windows that a clip must have


class SyncFeatures:
    """Cuts the face out of each image, and compares windows of five with the sound.

    The published scripts cut faces by a detector's box and widen it by 0.4. Ours comes from the face points,
    raised by a forehead: scores compare with those of the truth beside them, measured alike.
    """

    def __init__(self, network: SyncNet):
        """Args: network, with the published weights."""
        self.network = network
        self.regions: Regions | None = None
        self.sound: Waveform | None = None
        self.faces: list[Tensor] = []
        self.lips: list[Tensor] = []
        self.frames, self.without = 0, 0

    def begin(self, regions: Regions | None, sound: Waveform | None) -> None:
        """See `ImageFeatures`."""
        self.regions, self.sound = regions, sound
        self.faces, self.lips, self.frames, self.without = [], [], 0, 0

    def block(self, images: Tensor, first: int) -> None:
        """See `ImageFeatures`."""
        if self.regions is None or self.sound is None:
            return
        for row, image in enumerate(images):
            self.frames += 1
            boxes = self.regions.boxes("face", first + row)
            if boxes:
                self.faces.append(face_image(image, boxes[0]))
            else:
                self.without += 1
                self.faces.append(self.faces[-1] if self.faces else torch.zeros(3, FACE, FACE))
            if len(self.faces) == FRAMES:
                self.lips.append(self.network.lips(torch.stack(self.faces, 1)[None]))
                self.faces = self.faces[1:]

    def end(self) -> tuple[dict[str, Tensor], Record]:
        """See `ImageFeatures`: "sync_c", "sync_d", "sync_offset" in frames, and "no_face", a share."""
        if self.sound is None or not self.frames:
            return {}, {}
        record: Record = {"no_face": self.without / self.frames}
        samples = self.sound.resampled(SAMPLE_RATE).samples
        columns = torch.from_numpy(cepstra(samples)).float().T
        count = min(len(self.lips), len(samples) // SAMPLES_PER_FRAME - FRAMES)
        count = min(count, (columns.shape[1] - COLUMNS) // STEP + 1)
        if count < FEWEST or record["no_face"] == 1:
            return {}, record
        windows = torch.stack([columns[:, STEP * k : STEP * k + COLUMNS] for k in range(count)])[:, None]
        heard = torch.cat([self.network.sound(part) for part in windows.split(32)])
        confidence, distance, offset = sync_scores(torch.cat(self.lips[:count]), heard)
        return {}, {**record, "sync_c": confidence, "sync_d": distance, "sync_offset": offset}


def face_image(image: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """(3, 224, 224) BGR in 0..255: the square around the face of an image (h, w, 3) in [0, 1]."""
    x1, y1, x2, y2 = box
    top = y1 - ABOVE * (y2 - y1)
    half = max(x2 - x1, y2 - top) / 2
    middle, center = (x1 + x2) / 2, (top + y2) / 2
    left, right = round(middle - half * (1 + SIDES)), round(middle + half * (1 + SIDES))
    upper, lower = round(center - half), round(center + half * (1 + 2 * SIDES))
    height, width = image.shape[:2]
    inside = image[max(upper, 0) : max(lower, 0), max(left, 0) : max(right, 0)].permute(2, 0, 1)
    margins = (max(-left, 0), max(right - width, 0), max(-upper, 0), max(lower - height, 0))
    padded = torch.nn.functional.pad(inside, margins, value=110 / 255)
    face = torch.nn.functional.interpolate(padded[None], (FACE, FACE), mode="bilinear", antialias=True)[0]
    return face.flip(0) * 255
