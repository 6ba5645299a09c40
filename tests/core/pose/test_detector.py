"""The pose detector around two tiny networks: coordinates at any size, whom it takes, tracking, refusals."""

from __future__ import annotations

import logging

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.pose import skeleton
from mmgt_core.pose.detector import DETECTOR_FILE, POSE_FILE, PoseDetector

from . import tiny_onnx
from .tiny_onnx import paint, write_networks


@pytest.fixture(scope="module")
def detector(tmp_path_factory) -> PoseDetector:
    return PoseDetector.from_folder(write_networks(tmp_path_factory.mktemp("a detector 检测")), device="cpu")


def place(motion, frame: int = 0) -> tuple[float, float]:
    """Where the points are: the tiny network puts all of them on one spot."""
    points = motion.keypoints[frame, :, :2]
    assert (points - points[0]).abs().max() < 1e-5
    return tuple(points[0].tolist())


@pytest.mark.parametrize(
    ("width", "height"),
    [(512, 512), (640, 480), (480, 640), (1920, 1080), (97, 181), (300, 100), (1000, 1333)],
)
@pytest.mark.parametrize("spot", [(0.5, 0.5), (0.3, 0.62)])
def test_keypoints_are_where_the_picture_shows_them(detector, width, height, spot):
    found = detector.detect(paint(width, height, [(*spot, 128)]))
    motion = found.motion
    assert (motion.frames, motion.width, motion.height) == (1, width, height)
    x, y = place(motion)
    # The network's pixels are coarser than the image: a box of 9 cells of 32/640 over 288 columns.
    tolerance = 0.012 * min(width, height) + 1.5
    assert abs(x - spot[0]) * width < tolerance and abs(y - spot[1]) * height < tolerance
    assert (motion.keypoints[..., 2] > skeleton.VISIBLE_SCORE).all() and motion.keypoints[..., 2].max() <= 1
    assert found.warnings == ()


def test_the_largest_person_or_one_by_index(detector):
    small, large = (0.25, 0.5), (0.7, 0.5)
    picture = paint(640, 480, [(*small, 0), (*large, 255)])
    assert place(detector.detect(picture).motion) == pytest.approx(large, abs=0.02)
    by_index = [place(detector.detect(picture, person=index).motion) for index in (0, 1)]
    assert sorted(by_index) == [pytest.approx(small, abs=0.02), pytest.approx(large, abs=0.02)]
    with pytest.raises(InputError, match="there is no person 2; 2 were found"):
        detector.detect(picture, person=2)


def test_nobody_is_an_error_that_says_so(detector):
    with pytest.raises(InputError, match="no person was found; use an image"):
        detector.detect(np.full((300, 200, 3), 90, np.uint8))


@pytest.mark.parametrize(
    ("part", "name"),
    [(tiny_onnx.FACE, "face"), (tiny_onnx.LEFT_HAND, "left hand"), (tiny_onnx.RIGHT_HAND, "right hand")],
)
def test_a_part_with_low_scores_is_named(tmp_path, caplog, part, name):
    scores = np.ones(133)
    scores[part] = 0.1
    detector = PoseDetector.from_folder(write_networks(tmp_path, scores), device="cpu")
    with caplog.at_level(logging.WARNING):
        found = detector.detect(paint(512, 512, [(0.5, 0.5, 128)]))
    assert len(found.warnings) == 1 and f"the {name} is not seen clearly" in found.warnings[0]
    assert found.warnings[0] in caplog.text
    scores = found.motion.keypoints[0, :, 2]
    assert (scores < skeleton.VISIBLE_SCORE).sum() == part.stop - part.start


def test_a_person_is_followed_past_another_and_through_a_gap(detector):
    """One walks right, hidden for three frames; another, larger, appears on the second frame and stands."""
    walk = np.linspace(0.2, 0.7, 11)
    frames = []
    for index, x in enumerate(walk):
        people = [] if 4 <= index < 7 else [(x, 0.3, 128)]
        other = [(0.5, 0.75, 200)] if index else []
        frames.append(paint(512, 512, [*people, *other]))
    seen = []
    found = detector.track(
        iter(frames), total=11, progress=lambda done, total, preview=None: seen.append((done, total))
    )
    track = [place(found.motion, frame) for frame in range(11)]
    assert [x for x, _ in track] == pytest.approx(walk, abs=0.02)
    assert [y for _, y in track] == pytest.approx([0.3] * 11, abs=0.02)
    assert (found.motion.keypoints[..., 2] > skeleton.VISIBLE_SCORE).all()
    assert [done for done, _ in seen] == sorted(done for done, _ in seen) and {
        total for _, total in seen
    } == {11}
    assert seen[-1] == (11, 11)
    assert found.warnings == ("the person is missing on 3 of 11 frames",)


def test_a_long_gap_is_not_guessed(detector):
    frames = [paint(256, 256, [(0.5, 0.5, 128)] if index in (1, 6) else []) for index in range(8)]
    motion = detector.track(frames, max_gap=2).motion
    visible = (motion.keypoints[:, 0, 2] > skeleton.VISIBLE_SCORE).tolist()
    assert visible == [True, True, False, False, False, False, True, True]
    assert all(place(motion, frame) == pytest.approx((0.5, 0.5), abs=0.02) for frame in range(8))


def test_videos_without_frames_or_people_or_of_changing_size(detector):
    blank = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(InputError, match="no frames"):
        detector.track([])
    with pytest.raises(InputError, match="no person was found on any of the 2 frames"):
        detector.track([blank, blank])
    with pytest.raises(InputError, match="frame 1 has another size"):
        detector.track([blank, blank[:32]])


def test_what_progress_raises_stops_the_work(detector):
    def stop(done, total, preview=None, /):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        detector.track([paint(128, 128, [(0.5, 0.5, 0)])] * 3, progress=stop)


@pytest.mark.parametrize(
    "picture", [np.zeros((20, 400, 3), np.uint8), np.zeros((20, 20), np.uint8), np.zeros((20, 20, 3))]
)
def test_pictures_that_cannot_be_used(detector, picture):
    with pytest.raises(InputError, match="narrow strip|uint8 RGB"):
        detector.detect(picture)


def test_missing_swapped_and_damaged_files_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=f"{DETECTOR_FILE} and {POSE_FILE} is not there.*yzd-v/DWPose"):
        PoseDetector.from_folder(tmp_path)
    write_networks(tmp_path)
    with pytest.raises(CheckpointError, match=f"not the YOLOX network.*take {DETECTOR_FILE}"):
        PoseDetector(tmp_path / POSE_FILE, tmp_path / POSE_FILE)
    with pytest.raises(CheckpointError, match=f"not the DWPose network.*take {POSE_FILE}"):
        PoseDetector(tmp_path / DETECTOR_FILE, tmp_path / DETECTOR_FILE)
    (tmp_path / POSE_FILE).write_bytes(b"no model")
    with pytest.raises(CheckpointError, match="not an ONNX model"):
        PoseDetector.from_folder(tmp_path)


def test_a_network_whose_numbers_are_nonsense_finds_nobody(tmp_path):
    import onnx

    write_networks(tmp_path)
    model = onnx.load(tmp_path / DETECTOR_FILE)
    before = next(item for item in model.graph.initializer if item.name == "before")
    values = np.full(tuple(before.dims), np.nan, np.float32)
    values[0, :100] = np.inf
    before.CopyFrom(onnx.numpy_helper.from_array(values, "before"))
    onnx.save(model, tmp_path / DETECTOR_FILE)
    with pytest.raises(InputError, match="no person"):
        PoseDetector.from_folder(tmp_path, device="cpu").detect(np.zeros((64, 64, 3), np.uint8))
