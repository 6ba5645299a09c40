"""DWPose on images and driving videos: YOLOX finds people, SimCC 134 points (docs/method.md 1.3).

The two published ONNX files run in onnxruntime, an optional library. Keypoints come back as fractions of the
caller's image, whatever its size and aspect.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..base.errors import CheckpointError, InputError
from ..base.progress import Progress, silent
from . import detector_math as math
from . import skeleton
from .motion import Motion
from .onnx_network import OnnxNetwork
from .openpose import Person
from .person_boxes import EVERY, PersonBoxes, checked_sizes, chosen_person, parts
from .tracking import Tracker, fill_gaps, standing_still

log = logging.getLogger(__name__)

DETECTOR_FILE, POSE_FILE = "yolox_l.onnx", "dw-ll_ucoco_384.onnx"
SOURCE = "huggingface.co/yzd-v/DWPose"
RESOLUTION, GRID = 512, 64  # the published images: shorter side 512, both sides multiples of 64
LONGEST_ASPECT = 8.0  # of an image; a person on a longer strip cannot be seen
COCO_POINTS = 133
PARTS = {"face": skeleton.FACE, "left hand": skeleton.LEFT_HAND, "right hand": skeleton.RIGHT_HAND}
CLEAR_SHARE = 0.5  # of a part's points that must be visible, or a warning names it
POSE_BATCH = 8  # images of one run of the pose network
LOST_SHARE = 0.1  # of the points must be visible, or the person is looked for in that frame
MAX_GAP = 12  # frames, about half a second: longer gaps are not guessed
NOBODY = "no person was found"
NOBODY_FIX = "use an image on which one person is seen clearly, from the head to the hands"


@dataclass(frozen=True)
class Detection:
    """A found pose: the motion (one frame for an image), and remarks that a person should read."""

    motion: Motion
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FramePeople:
    """Who is seen on a frame: float32 (134, 3) of the person that is followed, or None; and the boxes
    (n, 4) of all people, x1, y1, x2, y2; both in fractions of the image.
    """

    points: NDArray[np.float32] | None
    boxes: NDArray[np.float32]


class PoseDetector:
    """The two networks, loaded once and kept.

    Args:
        detector: `yolox_l.onnx`; pose: `dw-ll_ucoco_384.onnx`.
        device: "cpu" stays there; anything else takes an accelerator where onnxruntime offers one.

    Raises:
        DependencyError: onnxruntime is not installed.
        CheckpointError: a file is missing, damaged, or another network.
    """

    def __init__(self, detector: str | PathLike[str], pose: str | PathLike[str], *, device: str = "auto"):
        self._detector = OnnxNetwork(detector, SOURCE, device)
        self._pose = OnnxNetwork(pose, SOURCE, device)
        size = math.DETECTOR_SIZE
        anchors = sum((size // stride) ** 2 for stride in math.STRIDES)
        self._detector.check("YOLOX", DETECTOR_FILE, (3, size, size), [(anchors, None)])
        pixels = self._pose.input_shape[-2:]
        if not all(isinstance(side, int) for side in pixels):
            pixels = math.POSE_SIZE[::-1]
        self._size = (int(pixels[1]), int(pixels[0]))
        bins = [(COCO_POINTS, int(side * math.SIMCC_SPLIT)) for side in self._size]
        self._pose.check("DWPose", POSE_FILE, (3, *self._size[::-1]), bins)

    def __enter__(self) -> PoseDetector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the networks go, and the memory that onnxruntime holds for them."""
        self._detector.close()
        self._pose.close()

    @classmethod
    def from_folder(cls, folder: str | PathLike[str], *, device: str = "auto") -> PoseDetector:
        """The detector whose two files lie in `folder` under their published names."""
        missing = [name for name in (DETECTOR_FILE, POSE_FILE) if not (Path(folder) / name).is_file()]
        if missing:
            raise CheckpointError(
                f"the pose detector's {' and '.join(missing)} is not there",
                where=folder,
                fix=f"download it from {SOURCE} into this folder",
            )
        return cls(Path(folder) / DETECTOR_FILE, Path(folder) / POSE_FILE, device=device)

    def detect(self, image: NDArray[np.uint8], *, person: Person = "largest") -> Detection:
        """The pose of one person on an image.

        Args:
            image: uint8 RGB (height, width, 3) of any size.
            person: "largest", or an index, the surest detection being 0 (which the published code takes).

        Raises:
            InputError: nobody is found, nobody of that index, or the image is a narrow strip.
        """
        resized = _resized(image)
        boxes = self._boxes(resized)
        if not len(boxes):
            raise InputError(NOBODY, fix=NOBODY_FIX)
        (points,) = self._points([resized], [boxes[chosen_person(boxes, person)]])
        motion = _motion(points[None], image.shape[1::-1])
        return Detection(motion, (*self._pose.remarks, *unclear_parts(motion)))

    def track(
        self,
        frames: Iterable[NDArray[np.uint8]],
        *,
        total: int | None = None,
        person: Person = "largest",
        max_gap: int = MAX_GAP,
        every: int = EVERY,
        progress: Progress = silent,
    ) -> Detection:
        """The motion of one person through the frames of a driving video, held a few at a time.

        The person is chosen in the first frame that shows somebody and then followed by where they were. What
        is missing for at most `max_gap` frames, the whole person or single points, is interpolated; what is
        missing for longer stays where it was last seen, with score 0.

        Args:
            frames: uint8 RGB (height, width, 3), all of one size.
            total: how many, if known, for the progress.
            person: as in `detect`.
            every: frames from one search for people to the next; 1 searches every frame. Poses are found in
                every frame, in batches where the network's input allows.

        Raises:
            InputError: nobody is found on any frame, no frames, or frames of different sizes.
        """
        found: list[NDArray[np.float32] | None] = []
        size: tuple[int, int] | None = None

        def look(image: NDArray[np.uint8]) -> NDArray[np.float32]:
            progress(len(found), max(total or 0, len(found) + 1))  # a search can take a second
            return self._boxes(image)

        boxes = PersonBoxes(look, lambda people: chosen_person(people, person))
        for images in parts(map(checked_sizes(), frames), every):
            size = images[0].shape[1::-1]
            resized = [_resized(image) for image in images]
            found += self._found_points(resized, boxes.of(resized), boxes)
            progress(len(found), max(total or 0, len(found)))
        if size is None:
            raise InputError("the video has no frames", fix="give a longer one")
        if not boxes.found:
            raise InputError(f"{NOBODY} on any of the {len(found)} frames", fix=NOBODY_FIX)
        lost = sum(frame is None for frame in found)
        motion = _motion(fill_gaps(standing_still(found), max_gap, skeleton.VISIBLE_SCORE), size)
        warnings = (*self._pose.remarks, *unclear_parts(motion))
        if lost:
            text = f"the person is missing on {lost} of {len(found)} frames"
            log.warning(text)
            warnings = (text, *warnings)
        return Detection(motion, warnings)

    def frame_by_frame(
        self,
        frames: Iterable[NDArray[np.uint8]],
        *,
        person: Person = "largest",
        restarts: Container[int] = (),
    ) -> Iterator[tuple[NDArray[np.uint8], FramePeople]]:
        """Each frame and who is seen on it, the person followed as in `track`; gaps are not filled, and
        people are searched on every frame.

        Args:
            frames: uint8 RGB (height, width, 3), all of one size.
            restarts: indices of frames, such as those after a cut, from which on the person is chosen again.
        """
        tracker: Tracker | None = None
        size: tuple[int, ...] | None = None
        for index, frame in enumerate(frames):
            if size is not None and frame.shape[1::-1] != size:
                raise InputError(f"frame {index} has another size than the frames before it")
            size = frame.shape[1::-1]
            resized = _resized(frame)
            boxes = self._boxes(resized)
            if index in restarts:
                tracker = None
            if tracker is None and len(boxes):
                tracker = Tracker(boxes[chosen_person(boxes, person)])
            box = None if tracker is None else tracker.follow(boxes)
            points = None if box is None else self._points([resized], [box])[0]
            fractions = boxes / np.array(resized.shape[1::-1] * 2, np.float32)
            yield frame, FramePeople(points, fractions.astype(np.float32))

    def _boxes(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Persons on a resized BGR image, (n, 4) in its pixels, highest confidence first."""
        square, ratio = math.letterbox(image)
        (raw,) = self._detector.run(square[None])
        with np.errstate(over="ignore", invalid="ignore"):
            boxes = math.person_boxes(np.nan_to_num(raw, nan=0.0), ratio)
        return boxes[np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)]

    def _found_points(
        self,
        images: Sequence[NDArray[np.uint8]],
        where: Sequence[NDArray[np.float32] | None],
        boxes: PersonBoxes,
    ) -> list[NDArray[np.float32] | None]:
        """(134, 3) for each image, None where the person is not seen."""
        seen = [(index, box) for index, box in enumerate(where) if box is not None]
        points: list[NDArray[np.float32] | None] = [None] * len(images)
        found = self._points([images[index] for index, _ in seen], [box for _, box in seen])
        for (index, box), pose in zip(seen, found, strict=True):
            points[index] = pose
            if (pose[:, 2] >= skeleton.VISIBLE_SCORE).mean() < LOST_SHARE:
                again = boxes.again(images[index], box)
                points[index] = None if again is None else self._points([images[index]], [again])[0]
        return points

    def _points(
        self, images: Sequence[NDArray[np.uint8]], boxes: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """(134, 3) of the person in the box of each image: x and y as fractions of it, score 0..1."""
        regions = [math.pose_region(box, self._size) for box in boxes]
        crops = [
            math.pose_crop(image, *region, self._size).transpose(2, 0, 1)
            for image, region in zip(images, regions, strict=True)
        ]
        found, batch = [], POSE_BATCH if self._pose.any_batch else 1
        for start in range(0, len(crops), batch):
            across, down = map(np.nan_to_num, self._pose.run(np.stack(crops[start : start + batch])))
            part = zip(across, down, images[start:], regions[start:], strict=False)
            for simcc_x, simcc_y, image, (centre, extent) in part:
                points, score = math.decode_simcc(simcc_x, simcc_y, centre, extent, self._size)
                points = points / np.array(image.shape[1::-1], np.float32)
                whole = math.whole_body_134(np.concatenate([points, score[:, None]], axis=1)[None])[0]
                whole[:, 2] = whole[:, 2].clip(0, 1)
                found.append(whole.astype(np.float32))
        return found


def _resized(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image as the published code sees it: BGR, shorter side about 512, both multiples of 64."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise InputError(f"an image is uint8 RGB (height, width, 3), not {image.dtype} {image.shape}")
    height, width = image.shape[:2]
    scale = RESOLUTION / min(height, width)
    if max(height, width) > LONGEST_ASPECT * min(height, width):
        raise InputError(f"the image, {width} x {height} pixels, is a narrow strip", fix="crop it")
    target = tuple(round(side * scale / GRID) * GRID for side in (width, height))
    how = cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(image[..., ::-1], target, interpolation=how), np.uint8)


def _motion(points: NDArray[np.float32], size: tuple[int, int]) -> Motion:
    return Motion(torch.from_numpy(points), *size)


def unclear_parts(motion: Motion) -> tuple[str, ...]:
    """A remark for each of face and hands of which too few points are visible."""
    remarks = []
    for name, part in PARTS.items():
        share = (motion.keypoints[:, part, 2] >= skeleton.VISIBLE_SCORE).float().mean().item()
        if share < CLEAR_SHARE:
            remarks.append(f"the {name} is not seen clearly ({share:.0%} of its points)")
    for remark in remarks:
        log.warning(remark)
    return tuple(remarks)
