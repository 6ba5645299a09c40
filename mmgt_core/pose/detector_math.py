"""The arithmetic around DWPose's two networks: what goes in, and what comes out means (docs/method.md 1.3).

The networks themselves (YOLOX person detector, SimCC whole-body pose) run elsewhere; images are uint8
BGR as in the published pipeline.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import skeleton

Array = NDArray[np.float32]

DETECTOR_SIZE = 640
PAD_VALUE = 114
STRIDES = (8, 16, 32)
NMS_IOU = 0.45
CANDIDATE_SCORE = 0.1
PERSON_SCORE = 0.3
PERSON_CLASS = 0

POSE_SIZE = (288, 384)  # width, height of the pose network's input
BOX_PADDING = 1.25
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)
SIMCC_SPLIT = 2.0  # SimCC bins per input pixel


def letterbox(image: NDArray[np.uint8], size: int = DETECTOR_SIZE) -> tuple[Array, float]:
    """Detector input: the image in the upper left corner of a gray square.

    Args:
        image: uint8 BGR (height, width, 3).

    Returns:
        float32 (3, size, size) of 0..255, and the scale from image to square.
    """
    height, width = image.shape[:2]
    ratio = min(size / height, size / width)
    resized = cv2.resize(image, (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR)
    square = np.full((size, size, 3), PAD_VALUE, np.uint8)
    square[: resized.shape[0], : resized.shape[1]] = resized
    return np.ascontiguousarray(square.transpose(2, 0, 1), dtype=np.float32), ratio


def decode_yolox(raw: Array, size: int = DETECTOR_SIZE) -> tuple[Array, Array]:
    """YOLOX output (anchors, 5 + classes) -> boxes x1, y1, x2, y2 in square pixels and scores per class."""
    grids, strides = [], []
    for stride in STRIDES:
        cells = size // stride
        y, x = np.mgrid[:cells, :cells]
        grids.append(np.stack([x, y], axis=-1).reshape(-1, 2))
        strides.append(np.full((cells * cells, 1), stride))
    grid, stride = np.concatenate(grids), np.concatenate(strides)
    centre, extent = (raw[:, :2] + grid) * stride, np.exp(raw[:, 2:4]) * stride
    boxes = np.concatenate([centre - extent / 2, centre + extent / 2], axis=1)
    return boxes.astype(np.float32), (raw[:, 4:5] * raw[:, 5:]).astype(np.float32)


def non_maximum_suppression(boxes: Array, scores: Array, iou: float = NMS_IOU) -> list[int]:
    """Indices of the kept boxes, best first; areas count pixels inclusively (+1), as published."""
    x1, y1, x2, y2 = boxes.T
    areas = (x2 - x1 + 1) * (y2 - y1 + 1)
    order, kept = scores.argsort()[::-1], []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        width = np.maximum(0, np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest]) + 1)
        height = np.maximum(0, np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest]) + 1)
        common = width * height
        order = rest[common / (areas[best] + areas[rest] - common) <= iou]
    return kept


def person_boxes(raw: Array, ratio: float) -> Array:
    """Detector output (1, anchors, 5 + classes) -> persons (n, 4) in image pixels, best first, n >= 0."""
    boxes, scores = decode_yolox(raw[0])
    boxes, score = (boxes / ratio).astype(np.float32), scores[:, PERSON_CLASS]
    candidates = np.flatnonzero(score > CANDIDATE_SCORE)
    kept = candidates[non_maximum_suppression(boxes[candidates], score[candidates])]
    return boxes[kept[score[kept] > PERSON_SCORE]]


def pose_region(box: Array, size: tuple[int, int] = POSE_SIZE) -> tuple[Array, Array]:
    """Center and extent (x, y in image pixels) of the padded region with the network's aspect."""
    centre = (box[:2] + box[2:]) / 2
    width, height = ((box[2:] - box[:2]) * BOX_PADDING).tolist()
    aspect = size[0] / size[1]
    extent = (width, width / aspect) if width > height * aspect else (height * aspect, height)
    return centre.astype(np.float32), np.array(extent, np.float32)


def pose_crop(
    image: NDArray[np.uint8], centre: Array, extent: Array, size: tuple[int, int] = POSE_SIZE
) -> Array:
    """Pose network input: the region of the image, float32 (height, width, 3), normalized.

    The mean and deviation are those of RGB and applied to BGR, as published.
    """
    width, height = size
    half = np.array(
        [0.0, extent[0] * 0.5], np.float32
    )  # a quarter turn from the center fixes the third point
    source = np.stack([centre, centre - half, centre - half + (-half[1], half[0])]).astype(np.float32)
    middle, reach = (
        np.array([width * 0.5, height * 0.5], np.float32),
        np.array([0.0, width * 0.5], np.float32),
    )
    target = np.stack([middle, middle - reach, middle - reach + (-reach[1], reach[0])]).astype(np.float32)
    warped = warp_affine(image, cv2.getAffineTransform(source, target), size)
    return (warped.astype(np.float32) - MEAN) / STD


def warp_affine(image: NDArray[np.uint8], matrix: ArrayLike, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bilinear warp in OpenCV 4's fixed point (1/32 pixel, black outside).

    `cv2.warpAffine` itself changed with OpenCV 5, by up to five gray levels; the networks saw this one.

    Args:
        image: uint8 (height, width, channels).
        matrix: (2, 3), from image to result pixels.
        size: (width, height) of the result.
    """
    inverse = np.asarray(cv2.invertAffineTransform(np.asarray(matrix, np.float64)), np.float64)
    columns, rows = np.arange(size[0]), np.arange(size[1])

    def positions(row: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Whole pixel and 32nds of the source coordinate of every result pixel."""
        along = np.rint(row[0] * columns * 1024).astype(np.int64)
        start = np.rint((row[1] * rows + row[2]) * 1024).astype(np.int64) + 16
        value = (start[:, None] + along) >> 5
        return value >> 5, value & 31

    (x, part_x), (y, part_y) = positions(inverse[0]), positions(inverse[1])
    height, width = image.shape[:2]
    framed = np.pad(image, ((1, 1), (1, 1), (0, 0))).astype(np.int64)
    total = np.zeros((size[1], size[0], image.shape[2]), np.int64)
    for step_y, weight_y in ((0, 32 - part_y), (1, part_y)):
        for step_x, weight_x in ((0, 32 - part_x), (1, part_x)):
            pixels = framed[(y + step_y + 1).clip(0, height + 1), (x + step_x + 1).clip(0, width + 1)]
            total += pixels * (weight_x * weight_y)[..., None]
    return ((total + 512) >> 10).astype(np.uint8)


def decode_simcc(
    simcc_x: Array, simcc_y: Array, centre: Array, extent: Array, size: tuple[int, int] = POSE_SIZE
) -> tuple[Array, Array]:
    """SimCC responses of one person -> keypoints (points, 2) in image pixels and scores (points,).

    Args:
        simcc_x, simcc_y: (points, bins); a point whose response is not positive has the bin -1.
    """
    score = np.minimum(simcc_x.max(axis=1), simcc_y.max(axis=1)).astype(np.float32)
    bins = np.stack([simcc_x.argmax(axis=1), simcc_y.argmax(axis=1)], axis=1).astype(np.float32)
    bins[score <= 0] = -1
    keypoints = bins / np.float32(SIMCC_SPLIT) / np.array(size, np.float32) * extent + centre - extent / 2
    return keypoints.astype(np.float32), score


def whole_body_134(coco: Array) -> Array:
    """COCO-WholeBody (persons, 133, 3) -> our layout (persons, 134, 3) with neck, body as in OpenPose."""
    shoulders = coco[:, 5:7]
    neck = shoulders.mean(axis=1, keepdims=True)
    neck[..., 2] = (shoulders[..., 2] > skeleton.VISIBLE_SCORE).all(axis=1, keepdims=True)
    points = np.concatenate([coco[:, :17], neck, coco[:, 17:]], axis=1)
    points[:, skeleton.BODY] = points[:, list(skeleton.OPENPOSE_FROM_COCO)]
    return points
