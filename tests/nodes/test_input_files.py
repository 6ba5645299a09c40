"""What people bring as files: names of every kind, nothing from outside the input folder, missing models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

NAMES = [
    "pose.json",
    "a pose with spaces.json",
    'it\'s "quoted".json',
    "姿势 文件.json",
    "часть 1.JSON",
    "a;b&c$(d).json",
]
OUTSIDE = ["../secret.json", "../../etc/passwd", "/etc/passwd", "sub/../../secret.json", "..\\secret.json",
           "secret.json\0.json", "../input_other/x.json", "x" * 400 + ".json", "link.json",
           "pose.json [elsewhere]"]  # fmt: skip


def openpose(x: float = 50.0) -> str:
    body = [value for joint in range(18) for value in (x + joint, 20.0 + 2 * joint, 1.0)]
    return json.dumps({"canvas_width": 200, "canvas_height": 100, "people": [{"pose_keypoints_2d": body}]})


@pytest.fixture
def inputs(tmp_path, monkeypatch) -> Path:
    """The host's input folder, with a secret beside it."""
    import folder_paths

    folder = tmp_path / "input"
    folder.mkdir()
    (tmp_path / "secret.json").write_text(openpose())
    (tmp_path / "input_other").mkdir()
    (tmp_path / "input_other" / "x.json").write_text(openpose())
    monkeypatch.setattr(folder_paths, "input_directory", str(folder))
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_kind_are_offered_and_read(pack, inputs, name):
    node = pack("nodes.motion_files").MMGTMotionFromPose
    (inputs / name).write_text(openpose(), encoding="utf-8")
    offered = next(given.options for given in node.define_schema().inputs if given.id == "file")
    assert offered == ["none", name] and node.validate_inputs(file=name) is True
    motion = node.execute(file=name, person=-1).args[0]
    assert motion.frames == 1 and abs(float(motion.pixels()[0, 0, 0]) - 50) < 1e-3


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_the_input_folder_is_read(pack, inputs, name):
    (inputs / "link.json").symlink_to(inputs.parent / "secret.json")
    module = pack("nodes.motion_files")
    for node, choices in ((module.MMGTMotionFromPose, {"person": -1}), (module.MMGTLoadMotion, {})):
        fault = node.validate_inputs(file=name)
        assert isinstance(fault, str) and "ComfyUI's input folder" in fault and fault.endswith(".")
        with pytest.raises(pack("mmgt_core.base.errors").InputError, match="input folder"):
            node.execute(file=name, **choices)


def test_files_of_subfolders_and_of_the_output_folder_are_read_too(pack, inputs, tmp_path, monkeypatch):
    import folder_paths

    node = pack("nodes.motion_files").MMGTMotionFromPose
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "out"))
    for place in (inputs / "jobs", tmp_path / "out"):
        place.mkdir()
        (place / "pose 1.json").write_text(openpose(70))
    for name in ("jobs/pose 1.json", "pose 1.json [output]"):
        assert node.validate_inputs(file=name) is True
        assert abs(float(node.execute(file=name, person=-1).args[0].pixels()[0, 0, 0]) - 70) < 1e-3
    assert "no such file" in node.validate_inputs(file="pose 1.json")


def test_a_node_runs_again_when_the_content_changes_and_only_then(pack, inputs):
    node = pack("nodes.motion_files").MMGTMotionFromPose
    path = inputs / "pose.json"
    path.write_text(openpose(50))
    first = node.fingerprint_inputs(file="pose.json", person=-1)
    path.write_text(openpose(50))  # another time stamp, the same bytes
    assert node.fingerprint_inputs(file="pose.json", person=-1) == first
    path.write_text(openpose(51))
    assert node.fingerprint_inputs(file="pose.json", person=-1) != first


def test_low_scores_in_a_pose_file_are_shown(pack, inputs):
    (inputs / "pose.json").write_text(openpose())
    found = pack("nodes.motion_files").MMGTMotionFromPose.execute(file="pose.json", person=-1)
    assert [text.split(" is ")[0] for text in found.ui["text"]] == [
        "The face",
        "The left hand",
        "The right hand",
    ]
    with pytest.raises(Exception, match="there is no person 3; people are counted from 0 to 0"):
        pack("nodes.motion_files").MMGTMotionFromPose.execute(file="pose.json", person=3)


def test_a_name_that_comes_through_a_link_is_looked_at_when_it_is_there(pack, inputs):
    """The host asks with None before anything runs."""
    assert pack("nodes.motion_files").MMGTMotionFromPose.validate_inputs(file=None) is True
    assert pack("nodes.motion_files").MMGTLoadMotion.validate_inputs(file=None) is True
    assert pack("nodes.motion_files").MMGTLoadMotion.fingerprint_inputs(file=None) == ""
    assert pack("nodes.loaders").MMGTLoadVideoModel.validate_inputs(file=None) is True
    assert pack("nodes.detect_pose").MMGTDetectPose.validate_inputs(pose_detector=None) is True
    assert pack("nodes.audio_features").LoadAudioFeatures.validate_inputs(video_encoder=None) is True


def test_without_any_motion_file_it_says_so(pack, inputs):
    node = pack("nodes.motion_files").MMGTLoadMotion
    assert node.define_schema().inputs[0].options == ["none"]
    assert node.validate_inputs(file="none") == pack("nodes.motion_files").NO_MOTION


@pytest.mark.parametrize(
    ("node", "name", "parts"),
    [
        (
            "MMGTLoadMotionModel",
            "audio2pose_best_model.pt",
            ("models/mmgt", "addtime/MMGT", "download motion"),
        ),
        ("MMGTLoadVideoModel", "net-32500.pth", ("models/mmgt", "addtime/MMGT", "mmgt download video")),
        ("MMGTLoadVideoModel", "net-32500.safetensors", ("net-32500.pth belongs into models/mmgt",)),
        (
            "MMGTLoadVideoModel",
            "my own 模型.safetensors",
            ("this model file does not exist", "put it into models/mmgt"),
        ),
        ("MMGTLoadVideoModel", "../../../etc/passwd", ("this model file does not exist",)),
    ],
)
def test_a_missing_model_is_one_sentence_before_anything_runs(pack, node, name, parts):
    fault = getattr(pack("nodes.loaders"), node).validate_inputs(file=name)
    assert isinstance(fault, str) and all(part in fault for part in parts), fault


def test_published_files_are_listed_beside_ours(pack, tmp_path, monkeypatch):
    import folder_paths

    for folder in ("mmgt", "diffusion_models"):
        (tmp_path / folder).mkdir()
        endings = set(folder_paths.supported_pt_extensions) | {".onnx"}
        monkeypatch.setitem(folder_paths.folder_names_and_paths, folder, ([str(tmp_path / folder)], endings))
        folder_paths.filename_list_cache.pop(folder, None)
    for name in ("mmgt/net-32500.pth", "mmgt/yolox_l.onnx", "diffusion_models/audio2pose_best_model.pt"):
        (tmp_path / name).write_bytes(b"")
    module = pack("nodes.loaders")
    for node in (module.MMGTLoadMotionModel, module.MMGTLoadVideoModel):
        options = node.define_schema().inputs[0].options
        assert options == ["demo (built in)", "net-32500.pth", "audio2pose_best_model.pt"]
        assert node.validate_inputs(file="audio2pose_best_model.pt") is True
    for folder in ("mmgt", "diffusion_models"):
        folder_paths.filename_list_cache.pop(folder, None)


@pytest.fixture
def motions(pack):
    """Two motions in which everybody waves."""
    keypoints = torch.rand(30, 134, 3, generator=torch.Generator().manual_seed(5)) * 0.1 + 0.4
    keypoints[..., 2] = 1
    motion = pack("mmgt_core.pose.motion").Motion
    return motion(keypoints, 640, 480), motion(keypoints.flip(0) + torch.tensor([0.1, 0.0, 0.0]), 640, 480)


def test_edit_motion(pack, motions):
    """Each choice of the node does what its tooltip says, and nothing at its default."""
    first, second = motions
    as_it_is = {"body": 1.0, "face": 1.0, "hands": 1.0, "smoothing": 0.0, "blend": 0.5}

    def edited(**choices):
        return pack("nodes.edit_motion").MMGTEditMotion.execute(motion=first, **(as_it_is | choices)).args[0]

    def spread(motion, part):
        points = motion.keypoints[:, part, :2] - motion.keypoints[:, part.start : part.start + 1, :2]
        return float(points.std(dim=0).mean())

    skeleton = pack("mmgt_core.pose.skeleton")
    assert torch.equal(edited().keypoints, first.keypoints)
    for name, part in (("face", skeleton.FACE), ("hands", skeleton.LEFT_HAND)):
        assert spread(edited(**{name: 2.0}), part) == pytest.approx(2 * spread(first, part), rel=0.02)
        assert spread(edited(**{name: 0.0}), part) < 1e-6
    still = edited(body=0.0, face=0.0, hands=0.0).keypoints
    assert torch.allclose(still, still[:1].expand_as(still), atol=1e-6)
    calm = edited(smoothing=2.0).keypoints.diff(dim=0)[:, skeleton.BODY].norm()
    assert calm < 0.3 * first.keypoints.diff(dim=0)[:, skeleton.BODY].norm()
    mixed = edited(second=second, blend=0.25).keypoints
    assert torch.allclose(mixed, torch.lerp(first.keypoints, second.keypoints, 0.25), atol=1e-6)
    there = edited(portrait_pose=second)
    assert torch.allclose(there.keypoints[0], second.keypoints[0], atol=1e-6), "it begins with that portrait"
