"""Driving videos: people are not looked for on every frame, poses are found in batches, results stay."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx

from mmgt_core.base.errors import CheckpointError
from mmgt_core.pose.detector import POSE_FILE, PoseDetector
from mmgt_core.pose.person_boxes import EVERY

from .tiny_onnx import paint, write_networks

TOLERANCE = 0.01  # of the image, against a search in every frame


class Counted:
    """How often each network of a detector ran, and with how many images."""

    def __init__(self, detector: PoseDetector, monkeypatch):
        self.searches, self.batches = 0, []
        look, run = detector._boxes, detector._pose.run

        def boxes(image):
            self.searches += 1
            return look(image)

        def pose(picture):
            self.batches.append(len(picture))
            return run(picture)

        monkeypatch.setattr(detector, "_boxes", boxes)
        monkeypatch.setattr(detector._pose, "run", pose)


@pytest.fixture
def detector(tmp_path) -> PoseDetector:
    return PoseDetector.from_folder(write_networks(tmp_path), device="cpu")


def walk(frames: int, step: float) -> list[np.ndarray]:
    return [paint(512, 384, [(0.3 + step * index, 0.5 + 0.3 * step * index, 128)]) for index in range(frames)]


def test_a_slow_person_is_searched_on_every_fifth_frame_with_the_same_result(detector, monkeypatch):
    frames = walk(23, 0.004)
    each = detector.track(frames, every=1).motion.keypoints
    counted = Counted(detector, monkeypatch)
    some = detector.track(frames).motion.keypoints
    assert counted.searches == 1 + -(-22 // EVERY)
    assert counted.batches == [1, *[EVERY] * (22 // EVERY), 22 % EVERY]
    assert (some - each)[..., :2].abs().max() < TOLERANCE
    assert (some - each)[..., 2].abs().max() < 0.05


def test_a_fast_person_is_searched_on_every_frame(detector, monkeypatch):
    frames = walk(11, 0.05)
    each = detector.track(frames, every=1).motion.keypoints
    counted = Counted(detector, monkeypatch)
    some = detector.track(frames).motion.keypoints
    assert counted.searches == 11 and (some - each).abs().max() < 1e-5


def test_a_moment_of_absence_between_two_searches_is_noticed(detector, monkeypatch):
    frames = walk(11, 0.0)
    frames[3] = np.zeros_like(frames[3])
    counted = Counted(detector, monkeypatch)
    found = detector.track(frames, max_gap=0)
    assert counted.searches == 4  # frames 0, 5, 10, and 3
    assert found.warnings[0] == "the person is missing on 1 of 11 frames"
    assert [bool(score > 0) for score in found.motion.keypoints[:, 0, 2]] == [
        index != 3 for index in range(11)
    ]


def test_a_network_of_one_image_gets_one_at_a_time(tmp_path, monkeypatch):
    folder = write_networks(tmp_path)
    model = onnx.load(folder / POSE_FILE)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, folder / POSE_FILE)
    detector = PoseDetector.from_folder(folder, device="cpu")
    counted = Counted(detector, monkeypatch)
    detector.track(walk(8, 0.0))
    assert counted.batches == [1] * 8


def test_the_networks_are_let_go(detector):
    with detector:
        detector.detect(walk(1, 0.0)[0])
    with pytest.raises(CheckpointError, match="the network was closed"):
        detector.detect(walk(1, 0.0)[0])
