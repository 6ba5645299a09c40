"""`--detector-dir`: the pose of the portrait, or of a driving video, found by the detector's two files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from mmgt_core.media.images import save_image
from mmgt_core.media.video_writer import VideoWriter
from mmgt_core.pipeline.pose_finder import PoseFinder
from mmgt_core.pose.motion_file import load_motion

from ..pose.tiny_onnx import paint, write_networks

WIDTH, HEIGHT = 120, 96
PEOPLE = [(0.3, 0.5, 60), (0.75, 0.5, 255)]


@pytest.fixture(scope="module")
def detector(tmp_path_factory) -> Path:
    return write_networks(tmp_path_factory.mktemp("the detector's files"))


@pytest.fixture(scope="module")
def portrait(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("portraits") / "two people.png"
    save_image(path, paint(WIDTH, HEIGHT, PEOPLE))
    return path


def test_generate_needs_no_keypoints(mmgt, inputs, portrait, detector, tmp_path):
    out = tmp_path / "video.mp4"
    outcome = mmgt(inputs.generate(out, image=portrait, keypoints=None, detector_dir=detector))
    assert outcome.code == 0, outcome.err
    assert out.is_file() and outcome.out.strip() == str(out)


def test_motion_needs_no_keypoints(mmgt, inputs, portrait, detector, tmp_path):
    out = tmp_path / "motion.safetensors"
    outcome = mmgt(
        inputs.motion_command(out, image=portrait, keypoints=None, detector_dir=detector, person=1)
    )
    assert outcome.code == 0, outcome.err
    motion = load_motion(out)
    assert (motion.width, motion.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("person", [None, 0, 1])
def test_the_chosen_person_is_found(portrait, detector, person):
    from mmgt_core.media.images import load_image

    finder = PoseFinder(detector, person, "cpu")
    found = {
        who: finder_.on_portrait(load_image(portrait), portrait).motion.keypoints[0, 0, 0].item()
        for who, finder_ in ((person, finder), (0, PoseFinder(detector, 0)), (1, PoseFinder(detector, 1)))
    }
    assert sorted((found[0], found[1])) == pytest.approx([x for x, *_ in PEOPLE], abs=0.02)
    if person is None:
        assert found[None] == pytest.approx(PEOPLE[1][0], abs=0.02)  # the larger one


def test_a_driving_video_becomes_the_motion(mmgt, inputs, portrait, detector, tmp_path):
    driving, out = tmp_path / "driving.mp4", tmp_path / "video.mp4"
    with VideoWriter(driving, WIDTH, HEIGHT) as video:
        for x in np.linspace(0.3, 0.5, 6):
            video.write(paint(WIDTH, HEIGHT, [(x, 0.5, 128)])[None])
    arguments = inputs.generate(out, image=portrait, keypoints=None, audio=None, motion=driving)
    refused = mmgt(arguments)
    assert refused.code == 2 and "--detector-dir" in refused.err
    outcome = mmgt([*arguments, "--detector-dir", str(detector)])
    assert outcome.code == 0, outcome.err
    assert out.is_file()
    found = PoseFinder(detector).in_video(driving).motion
    assert found.frames == 6
    assert found.keypoints[:, 0, 0].tolist() == pytest.approx(np.linspace(0.3, 0.5, 6), abs=0.03)


def test_what_cannot_be_found_is_said_in_one_line(mmgt, inputs, portrait, detector, tmp_path):
    out, empty = tmp_path / "video.mp4", tmp_path / "nobody.png"
    save_image(empty, np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    for changes, text in (
        ({"image": empty, "detector_dir": detector}, "no person was found"),
        ({"image": portrait, "detector_dir": detector, "person": 50}, "there is no person 50"),
        ({"image": portrait, "detector_dir": tmp_path}, "yolox_l.onnx"),
        ({"image": portrait}, "--detector-dir"),
    ):
        outcome = mmgt(inputs.generate(out, keypoints=None, **changes))
        assert outcome.code == 2 and text in outcome.err, outcome.err
        assert not out.exists()
