"""Poses of other tools in the nodes: folders, frame rates, remarks, gaps."""

from __future__ import annotations

import json

import pytest
import torch


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """The host's input folder."""
    import folder_paths

    folder = tmp_path / "input"
    folder.mkdir()
    monkeypatch.setattr(folder_paths, "input_directory", str(folder))
    return folder


@pytest.fixture
def motion(pack):
    """Ten frames of somebody with hands at the wrists."""
    skeleton = pack("mmgt_core.pose.skeleton")
    points = torch.rand(1, 134, 3, generator=torch.Generator().manual_seed(0)).repeat(10, 1, 1) * 0.4 + 0.3
    points[..., 2] = 0.9
    points[..., 0] += 0.01 * torch.arange(10)[:, None]
    for hand, wrist in (
        (skeleton.LEFT_HAND, skeleton.LEFT_WRIST),
        (skeleton.RIGHT_HAND, skeleton.RIGHT_WRIST),
    ):
        points[:, hand.start] = points[:, wrist]
    return pack("mmgt_core.pose.motion").Motion(points, 200, 100)


@pytest.fixture
def poses(pack, motion):
    return pack("mmgt_core.pose.openpose").to_pose_keypoint(motion)


@pytest.fixture
def node(pack):
    return pack("nodes.motion_files").MMGTMotionFromPose


def test_a_folder_of_openpose_is_offered_and_read(node, inputs, motion, poses):
    folder = inputs / "my poses 姿势"
    folder.mkdir()
    (inputs / "other").mkdir()
    (inputs / "other" / "workflow.json").write_text("{}")
    for index, frame in enumerate(poses):
        (folder / f"a_{index:012d}_keypoints.json").write_text(json.dumps(frame))
    name = f"{folder.name}/"
    offered = next(given.options for given in node.define_schema().inputs if given.id == "file")
    assert offered == ["none", name] and node.validate_inputs(file=name) is True
    found = node.execute(file=name, person=-1).args[0]
    assert found.frames == 10 and (found.pixels() - motion.pixels()).abs().max() < 0.011
    before = node.fingerprint_inputs(file=name)
    assert node.fingerprint_inputs(file=name) == before
    (folder / "a_000000000003_keypoints.json").write_text(json.dumps(poses[4]))
    assert node.fingerprint_inputs(file=name) != before


@pytest.mark.parametrize("name", ["../outside/", "/etc/", "gone/", "link/"])
def test_folders_outside_are_not_read(node, inputs, name):
    (inputs.parent / "outside").mkdir()
    (inputs / "link").symlink_to(inputs.parent / "outside")
    assert "input folder" in node.validate_inputs(file=name)


@pytest.mark.parametrize("fps", [16.0, 30.0])
def test_the_last_pose_stays_at_its_second(node, motion, poses, fps):
    found = node.execute(file="none", person=-1, pose_keypoint=poses, motion_fps=fps).args[0]
    assert 0 <= found.frames / 25 - 10 / fps < 1 / 25
    last = (found.keypoints[:, 0, 0] - motion.keypoints[-1, 0, 0]).abs()
    assert abs(int((last < 1e-4).nonzero()[0]) / 25 - 9 / fps) < 1 / 25
    assert node.execute(file="none", person=-1, pose_keypoint=poses).args[0].frames == 10


def test_remarks_are_shown(pack, node, poses, monkeypatch):
    for frame in poses:
        person = frame["people"][0]
        left, right = "hand_left_keypoints_2d", "hand_right_keypoints_2d"
        person[left], person[right] = person[right], person[left]
    poses[7]["people"][0]["face_keypoints_2d"] = [1.0] * 168
    shown = node.execute(file="none", person=-1, pose_keypoint=poses).ui["text"]
    assert any("are exchanged in 10 of 10 frames" in text for text in shown)
    assert any("168 numbers" in text and text.endswith(".") for text in shown)
    detect = pack("nodes.detect_pose").MMGTDetectPose
    assert detect.execute(image=torch.zeros(10, 100, 200, 3), pose_keypoint=poses).ui["text"] == shown
    messages: list[str] = []
    monkeypatch.setattr(pack("nodes.comfy.node_text"), "show_message", messages.append)
    pack("nodes.comfy.sockets").as_motion(poses)
    assert messages == shown[: len(messages)] and len(messages) == 2


def test_gaps_stay_gaps_or_are_filled(pack, motion):
    edit = pack("nodes.edit_motion").MMGTEditMotion.execute
    given = motion.keypoints.clone()
    given[4:6, 92:113] = 0
    lost = type(motion)(given, motion.width, motion.height)
    gains = {"body": 1.0, "face": 1.0, "hands": 1.0, "smoothing": 1.0, "blend": 0.5}
    kept = edit(motion=lost, **gains).args[0].keypoints
    full = edit(motion=lost, **gains, fill_gaps=2).args[0].keypoints
    wanted = edit(motion=motion, **gains).args[0].keypoints
    assert not kept[4:6, 92:113].any() and (full[4:6, 92:113, 2] > 0.8).all()
    seen = [0, 1, 2, 3, 6, 7, 8, 9]
    assert (kept[seen] - wanted[seen]).abs().max() < 0.01 and (full - wanted).abs().max() < 0.01


def test_a_motion_is_held_for_its_leads(pack, motion):
    edit = pack("nodes.edit_motion").MMGTEditMotion.execute
    still = {"body": 1.0, "face": 1.0, "hands": 1.0, "smoothing": 0.0, "blend": 0.5}
    found = edit(motion=motion, **still, lead_in=0.2, lead_out=0.08).args[0]
    assert found.frames == 17 and torch.equal(found.keypoints[5:15], motion.keypoints)
