"""DWPose's arithmetic against the published pipeline (docs/method.md 1.3)."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.pose import detector_math as dwpose

FILE = "stage1/dwpose_pre_post.safetensors"


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """The test image that the goldens' README describes, BGR."""
    y, x = np.mgrid[:480, :640]
    return np.stack([(3 * x + y) % 256, (x + 2 * y) % 256, (x * y // 7) % 256], axis=-1).astype(np.uint8)


def test_letterbox(goldens, picture):
    golden = goldens(FILE)
    square, ratio = dwpose.letterbox(picture)
    step = square.shape[1] // golden.use("letterbox_sample").shape[1]
    golden.close("letterbox_sample", square[:, ::step, ::step])
    golden.close("letterbox_ratio", np.array([ratio]))


def test_person_boxes(goldens):
    golden = goldens(FILE)
    values = golden.use("yolox_values").numpy()
    raw = np.zeros((1, 8400, values.shape[1]), np.float32)
    raw[0, golden.use("yolox_rows").numpy()] = values
    ratio = golden.use("letterbox_ratio").item()
    golden.close("boxes_xyxy", dwpose.person_boxes(raw, ratio), atol=1e-4)


def test_no_person_gives_no_box():
    assert dwpose.person_boxes(np.zeros((1, 8400, 85), np.float32), 1.0).shape == (0, 4)


def test_pose_input(goldens, picture):
    golden = goldens(FILE)
    boxes = golden.use("pose_boxes").numpy()
    regions = [dwpose.pose_region(box) for box in boxes]
    golden.close("pose_center", np.stack([centre for centre, _ in regions]), atol=1e-4)
    golden.close("pose_scale", np.stack([extent for _, extent in regions]), atol=1e-4)
    crops = np.stack([dwpose.pose_crop(picture, *region) for region in regions])
    step = crops.shape[1] // golden.use("pose_crop_sample").shape[1]
    golden.close("pose_crop_sample", crops[:, ::step, ::step], atol=1e-5)


def test_simcc(goldens):
    golden = goldens(FILE)
    boxes, x, y = (golden.use(name).numpy() for name in ("pose_boxes", "simcc_x", "simcc_y"))
    found = [
        dwpose.decode_simcc(*responses, *dwpose.pose_region(box))
        for *responses, box in zip(x, y, boxes, strict=True)
    ]
    golden.close("simcc_keypoints", np.stack([keypoints for keypoints, _ in found]), atol=1e-3)
    golden.close("simcc_scores", np.stack([scores for _, scores in found]), atol=1e-6)


def test_layout(goldens):
    golden = goldens(FILE)
    found = dwpose.whole_body_134(golden.use("kp133").numpy())
    golden.close("kp134_flat", found.reshape(len(found), -1), atol=1e-4)
