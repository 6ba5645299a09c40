"""MMPose's predictions of a video: 133 points of COCO-WholeBody for every frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import skeleton
from ..motion import Motion
from .points import pixel_points

DECIMALS = 3


def to_mmpose(motion: Motion) -> dict[str, Any]:
    """`{"meta_info": ..., "instance_info": [{"frame_id": 1, "instances": [...]}, ...]}`, one person.

    The neck has no place there: readers put it between the shoulders.
    """
    points = pixel_points(motion)
    coco = np.concatenate([points[:, :17], points[:, skeleton.BODY.stop :]], axis=1)
    for ours, theirs in enumerate(skeleton.OPENPOSE_FROM_COCO):
        if ours != skeleton.NECK:
            coco[:, theirs] = points[:, ours]
    return {
        "meta_info": {"dataset_name": "coco_wholebody", "image_size": [motion.width, motion.height]},
        "instance_info": [
            {"frame_id": index + 1, "instances": [_instance(frame)]} for index, frame in enumerate(coco)
        ],
    }


def _instance(points: np.ndarray) -> dict[str, Any]:
    seen = points[points[:, 2] > 0, :2]
    box = [*seen.min(axis=0), *seen.max(axis=0)] if len(seen) else [0.0] * 4
    return {
        "keypoints": points[:, :2].round(DECIMALS).tolist(),
        "keypoint_scores": points[:, 2].round(DECIMALS + 1).tolist(),
        "bbox": [[round(float(side), DECIMALS) for side in box]],
        "bbox_score": 1.0,
    }
