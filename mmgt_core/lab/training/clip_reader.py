"""Windows of prepared clips as Stage II reads them: cropped images, pose images, masks and sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...audio.windows import frame_windows
from ...pose.drawing import draw_pose
from ...pose.motion import Motion
from ...pose.motion_masks import motion_masks
from ...video.config import VideoConfig
from ...video.mask_pyramid import MaskPyramid, mask_pyramid
from ..dataset.clip import Clip
from .draws import Draws, Shuffle
from .hiding import freeze_face, hide_mouth
from .presenter_data import picture_boxes
from .video_loss import BatchSettings

PIECE = 80  # frames of a clip that count as one piece of an epoch: long clips come oftener


@dataclass(frozen=True)
class Crop:
    """A part of a square image that is enlarged to the whole: left, top, width, height as fractions of it."""

    left: float
    top: float
    width: float
    height: float

    def motion(self, motion: Motion) -> Motion:
        """The motion as it is in the enlarged part."""
        keypoints = motion.keypoints.clone()
        found = ~(keypoints == 0).all(-1)  # (0, 0) with score 0 is no place
        corner = keypoints.new_tensor([self.left, self.top])
        size = keypoints.new_tensor([self.width, self.height])
        keypoints[..., :2] = torch.where(
            found[..., None], (keypoints[..., :2] - corner) / size, keypoints[..., :2]
        )
        return replace(motion, keypoints=keypoints)

    def image(self, image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        """The part of an image (h, w, 3), enlarged or reduced to `side` pixels."""
        height, width = image.shape[:2]
        x, y = round(self.left * width), round(self.top * height)
        part = image[y : y + round(self.height * height), x : x + round(self.width * width)]
        way = cv2.INTER_AREA if part.shape[0] >= side else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (side, side), interpolation=way), np.uint8)


class ClipReader:
    """Makes the CPU tensors of a step from clips in memory. Any process of a data loader may do it.

    Args:
        clips: with motion, speech and video.
        seeds: decide the order in which they come.
    """

    def __init__(
        self, clips: Sequence[Clip], config: VideoConfig, settings: BatchSettings, seeds: tuple[int, ...]
    ):
        self.clips, self.config, self.settings = clips, config, settings
        self.pieces = [n for n, clip in enumerate(clips) for _ in range(max(1, clip.frames // PIECE))]
        self.order = Shuffle(len(self.pieces), *seeds)

    def read(self, draws: Draws, first_step: int = 0) -> dict[str, Tensor]:
        """The own clips of a step: images, references (uint8), poses, masks, sound and boxes, as `ClipBatch`.

        Args:
            first_step: step at which these clips came into memory.
        """
        count = draws.share(self.settings.clips)
        position = draws.position(count) - first_step * draws.parts * count
        chosen = self.order.take(position, count).tolist()
        numbers = draws.uniform(count, 8 + self.settings.rows).double().tolist()
        parts = [self._clip(self.clips[self.pieces[n]], row) for n, row in zip(chosen, numbers, strict=True)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _clip(self, clip: Clip, numbers: list[float]) -> dict[str, Tensor]:
        settings, config = self.settings, self.config
        assert clip.motion is not None and clip.speech is not None, "asked for"
        crop = random_crop(settings.crop, numbers[:4])
        windows = [window_frames(clip.frames, settings.frames, number) for number in numbers[8:]]
        reference = reference_frame(clip.frames, windows, settings.reference_distance, numbers[4])
        frames = [frame for window in windows for frame in window]
        # Each part by itself: what lies between two of them need not be decoded.
        seen = [image for part in (*windows, [reference]) for image in clip.images(list(part))]
        images = [crop.image(image, config.size) for image in seen]
        motion = crop.motion(Motion(torch.from_numpy(clip.motion.copy()), config.size, config.size))
        chosen, masks_of = motion.window(frames), motion.window(frames)
        if numbers[5] < settings.hidden_mouth:
            frozen = int(numbers[6] * clip.frames)
            chosen, masks_of = hide_mouth(chosen), freeze_face(motion.window([frozen, *frames]))
            masks_of = masks_of.window(slice(1, None))
        if config.motion_mask == "still":
            masks_of = motion.window([0] * len(frames))
        masks = motion_masks(masks_of)
        rasters, side = masks.rasters(), config.size // 8
        full = settings.full_mask or config.full_mask
        pyramid = mask_pyramid(rasters.face_hands, rasters.lips, (side, side), full, rasters.hands)
        if config.motion_mask == "none":
            pyramid = MaskPyramid.ones(len(frames), side, side)
        sound = frame_windows(torch.from_numpy(clip.speech).float(), config.audio_window // 2)
        return {
            "images": torch.from_numpy(np.stack(images[:-1])),
            "references": torch.from_numpy(images[-1])[None],
            "poses": torch.as_tensor(np.asarray(draw_pose(chosen, config.size, config.pose_style))),
            "sound": sound[frames],
            "boxes": torch.from_numpy(picture_boxes(chosen, motion_masks(motion.window(frames)))),
            **{f"masks{n}": level for n, level in enumerate(pyramid.levels)},
        }


def random_crop(least: float, numbers: Sequence[float]) -> Crop:
    """A part with an area of `least` to 1 and sides that differ by a ratio of `least` to 1, as published.

    Args:
        numbers: four in [0, 1).
    """
    if least >= 1:
        return Crop(0.0, 0.0, 1.0, 1.0)
    area, ratio = (least + (1 - least) * number for number in numbers[:2])
    width, height = min(1.0, (area * ratio) ** 0.5), min(1.0, (area / ratio) ** 0.5)
    return Crop((1 - width) * numbers[2], (1 - height) * numbers[3], width, height)


def window_frames(length: int, frames: int, number: float) -> range:
    """A window of a clip; its sound windows stay inside where the clip is long enough, as published."""
    margin = 2 if length >= frames + 5 else 0
    first = margin + int(number * (length - frames - 2 * margin + 1))
    return range(first, first + frames)


def reference_frame(length: int, windows: Sequence[range], distance: int, number: float) -> int:
    """A frame at least `distance` frames away from the windows, or the farthest one where there is none."""
    away = [min(max(w.start - f, f - w.stop + 1, 0) for w in windows) for f in range(length)]
    enough = min(distance, max(away))
    candidates = [frame for frame, gap in enumerate(away) if gap >= enough]
    return candidates[int(number * len(candidates))]
