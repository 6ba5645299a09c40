"""Poses as people bring them, through the whole command: folders, frame rates and remarks."""

from __future__ import annotations

import json

import pytest

from mmgt_core.media.video_reader import read_video
from mmgt_core.pose.motion_file import load_motion
from mmgt_core.pose.openpose import to_pose_keypoint


@pytest.fixture
def clip(inputs) -> list[dict]:
    """The given motion's frames as POSE_KEYPOINT."""
    return to_pose_keypoint(load_motion(inputs.motion))


def rendered(inputs, mmgt, out, motion, **options):
    """(frames of the video, stderr) of a given motion."""
    outcome = mmgt(inputs.generate(out, keypoints=None, audio=None, motion=motion, **options))
    assert outcome.code == 0, outcome.err
    return read_video(out).frames, outcome.err


def test_a_folder_with_a_file_a_frame_is_a_motion(inputs, mmgt, tmp_path, clip):
    folder, whole = tmp_path / "poses", tmp_path / "clip.json"
    folder.mkdir()
    for index, frame in enumerate(clip):
        alone = {key: value for key, value in frame.items() if not key.startswith("canvas")}
        (folder / f"a_{index:012d}_keypoints.json").write_text(json.dumps(alone))
    whole.write_text(json.dumps(clip))
    wanted, _ = rendered(inputs, mmgt, tmp_path / "a.mp4", whole)
    found, _ = rendered(inputs, mmgt, tmp_path / "b.mp4", folder)
    assert len(found) == len(clip) and (found == wanted).all()


@pytest.mark.parametrize("fps", [12.5, 50])
def test_a_clip_of_another_rate_lasts_as_long(inputs, mmgt, tmp_path, clip, fps):
    path = tmp_path / "clip.json"
    path.write_text(json.dumps(clip))
    frames, _ = rendered(inputs, mmgt, tmp_path / "a.mp4", path, motion_fps=fps)
    assert 0 <= len(frames) / 25 - len(clip) / fps < 1 / 25


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"motion_fps": 16}, "no frame rate of its own"),
        ({"motion_fps": 0.5}, "motion_fps: 0.5 frames a second"),
    ],
)
def test_a_rate_that_cannot_be_used_is_refused(inputs, mmgt, tmp_path, options, words):
    outcome = mmgt(inputs.generate(tmp_path / "a.mp4", motion=inputs.motion, audio=None, **options))
    assert outcome.code == 2 and words in outcome.err


def test_remarks_about_a_pose_are_shown(inputs, mmgt, tmp_path, document):
    person = document["people"][0]
    left, right = "hand_left_keypoints_2d", "hand_right_keypoints_2d"
    person[left], person[right] = person[right], person[left]
    person["face_keypoints_2d"] = person["face_keypoints_2d"][:168]
    path = tmp_path / "pose.json"
    path.write_text(json.dumps(document))
    for arguments in (
        inputs.generate(tmp_path / "a.mp4", keypoints=path, duration=0.2),
        inputs.motion_command(tmp_path / "a.safetensors", keypoints=path, duration=0.2),
    ):
        outcome = mmgt(arguments)
        assert outcome.code == 0, outcome.err
        assert "note: the lists of the left and the right hand are exchanged" in outcome.err
        assert "note: face_keypoints_2d has 168 numbers" in outcome.err
