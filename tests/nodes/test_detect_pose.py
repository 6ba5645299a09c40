"""The pose detector as a node, around two tiny networks that see what the tests paint."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

TINY = Path(__file__).resolve().parents[1] / "core" / "pose" / "tiny_onnx.py"
MODULE = "nodes.detect_pose"


@pytest.fixture(scope="module")
def tiny():
    """The module that makes the tiny networks and paints people for them."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    spec = importlib.util.spec_from_file_location("mmgt_tests_tiny_onnx", TINY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def networks(tiny, tmp_path_factory) -> Path:
    return tiny.write_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture
def models(monkeypatch, tmp_path) -> Path:
    """The host's models folder, empty, with a folder for ours."""
    import folder_paths

    (tmp_path / "mmgt").mkdir()
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path))
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "mmgt", ([str(tmp_path / "mmgt")], {".onnx"}))
    return tmp_path


def image(*pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).float() / 255


def places(motion) -> np.ndarray:
    """(frames, 2): where the points are, in pixels; the tiny network puts all of them on one spot."""
    return motion.pixels().mean(dim=1).numpy()


def test_a_portrait_with_the_largest_person_or_another(pack, tiny, networks, models):
    shutil.copytree(networks, models / "mmgt", dirs_exist_ok=True)
    detect = pack(MODULE).MMGTDetectPose.execute
    small, large = (0.25, 0.5), (0.7, 0.5)
    given = image(tiny.paint(640, 480, [(*small, 0), (*large, 255)]))
    found = detect(image=given)
    assert np.allclose(places(found.args[0]), [(448, 240)], atol=13)
    assert found.args[1][0]["canvas_width"] == 640 and len(found.args[1]) == 1
    spots = [places(detect(image=given, person=index).args[0])[0, 0] for index in (0, 1)]
    assert sorted(spots) == pytest.approx([160, 448], abs=13)
    with pytest.raises(Exception, match="image: there is no person 2; 2 were found.*choose another"):
        detect(image=given, person=2)
    with pytest.raises(Exception, match="image: no person was found; use an? image"):
        detect(image=torch.full((1, 300, 200, 3), 0.35))


def moving(tiny, count: int) -> list[np.ndarray]:
    return [tiny.paint(160, 128, [(0.3 + 0.02 * k, 0.5, 128)]) for k in range(count)]


def test_driving_frames_are_followed_and_brought_to_25_a_second(pack, tiny, networks, models):
    shutil.copytree(networks, models / "dwpose")
    frames = moving(tiny, 12)
    frames[5][:] = 0  # nobody, once
    found = pack(MODULE).MMGTDetectPose.execute(image=image(*frames), fps=30.0)
    assert found.args[0].frames == 10 == len(found.args[1])
    x = places(found.args[0])[:, 0]
    expected = 160 * (0.3 + 0.02 * np.minimum(np.arange(10) * 30 / 25, 11))
    assert np.allclose(x, expected, atol=4) and (np.diff(x) > 0).all()
    assert "The person is missing on 1 of 12 frames." in found.ui["text"]


def test_a_video_is_read_from_its_file(pack, tiny, networks, models, tmp_path):
    from comfy_api.latest import InputImpl

    shutil.copytree(networks, models / "mmgt", dirs_exist_ok=True)
    path = tmp_path / "driving 驾驶.mp4"
    pack("mmgt_core.media.video_writer").write_video(path, np.stack(moving(tiny, 12)), 30)
    found = pack(MODULE).MMGTDetectPose.execute(image=InputImpl.VideoFromFile(str(path)))
    assert found.args[0].frames == 10 and (found.args[0].width, found.args[0].height) == (160, 128)
    assert np.all(np.diff(places(found.args[0])[:, 0]) > 0)


def test_low_scores_are_shown_on_the_node(pack, tiny, models):
    scores = np.ones(133)
    scores[tiny.LEFT_HAND] = 0.1
    tiny.write_networks(models / "mmgt", scores)
    found = pack(MODULE).MMGTDetectPose.execute(image=image(tiny.paint(256, 256, [(0.5, 0.5, 128)])))
    assert found.ui["text"] == ["The left hand is not seen clearly (0% of its points)."]
    assert found.ui["images"][0]["filename"].endswith(".webp"), "the preview is there all the same"


def test_files_of_other_packs_are_offered_and_missing_ones_explained(pack, models, tmp_path, monkeypatch):
    import folder_paths

    node = pack(MODULE).MMGTDetectPose
    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "custom_nodes", ([str(tmp_path / "packs")], set())
    )
    with pytest.raises(Exception, match=r"YOLOX-L is missing: yolox_l.onnx belongs into models/mmgt.*yzd-v"):
        node.execute(image=torch.zeros(1, 64, 64, 3))
    assert "DWPose-L 384 is missing" in node.validate_inputs(pose_detector="gone.onnx")
    other = tmp_path / "packs" / "comfyui_controlnet_aux" / "ckpts" / "yzd-v" / "DWPose"
    other.mkdir(parents=True)
    (other / "yolox_l.onnx").write_bytes(b"no network")
    (models / "mmgt" / "my pose 姿势.onnx").write_bytes(b"no network")
    options = {given.id: given.options for given in node.define_schema().inputs if hasattr(given, "options")}
    assert options["pose_detector"] == ["auto", "my pose 姿势.onnx", "yolox_l.onnx"]
    assert node.validate_inputs(pose_detector="my pose 姿势.onnx") is True


def test_without_onnxruntime_it_says_what_to_install(pack, models, monkeypatch):
    import sys

    for name in ("yolox_l.onnx", "dw-ll_ucoco_384.onnx"):
        (models / "mmgt" / name).write_bytes(b"no network")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(Exception, match="pip install onnxruntime"):
        pack(MODULE).MMGTDetectPose.execute(image=torch.zeros(1, 64, 64, 3))


def person(x: float, score: float = 1.0) -> dict:
    """OpenPose's lists of a person 40 pixels wide around x."""
    rng = np.random.default_rng(0)

    def points(count: int, score: float) -> list[float]:
        return np.stack(
            [x + rng.uniform(-20, 20, count), rng.uniform(10, 90, count), np.full(count, score)], 1
        )

    hands = {f"hand_{side}_keypoints_2d": points(21, score).ravel().tolist() for side in ("left", "right")}
    body = {"pose_keypoints_2d": points(18, 1).ravel().tolist()}
    return body | hands | {"face_keypoints_2d": points(70, 1).ravel().tolist()}


def test_poses_of_other_packs_are_taken_with_the_same_care(pack):
    detect = pack(MODULE).MMGTDetectPose.execute
    pose = [{"canvas_width": 200, "canvas_height": 100, "people": [person(50), person(150, score=0.0)]}]
    picture = torch.zeros(1, 100, 200, 3)
    clear, unclear = (detect(image=picture, pose_keypoint=pose, person=index) for index in (0, 1))
    assert isinstance(unclear.ui, dict) and len(unclear.ui["text"]) == 2 and not isinstance(clear.ui, dict)
    assert abs(float(clear.args[0].pixels()[0, :18, 0].mean()) - 50) < 10
    with pytest.raises(Exception, match="pose_keypoint: there is no person 2"):
        detect(image=picture, pose_keypoint=pose, person=2)
    with pytest.raises(Exception, match=r"the number of poses \(2\) differs from the number of images \(1\)"):
        detect(image=picture, pose_keypoint=pose * 2)
    nobody = [{"canvas_width": 200, "canvas_height": 100, "people": []}]
    with pytest.raises(Exception, match="pose_keypoint: the pose holds no person"):
        detect(image=picture, pose_keypoint=nobody)


def test_memory_is_freed_before_the_detector_and_its_networks_are_let_go(pack, monkeypatch):
    """As on a GPU: the host does not see what onnxruntime holds."""
    import comfy.model_management as management

    files, calls = pack("nodes.comfy.detector_files"), []
    monkeypatch.setattr(management, "free_memory", lambda size, device: calls.append(("free", size)))
    monkeypatch.setattr(management, "soft_empty_cache", lambda: calls.append("empty"))
    with files.room_for_detector(torch.device("cuda")):
        calls.append("detect")
    assert calls == [("free", files.MEMORY), "detect", "empty"]
    calls.clear()
    with pytest.raises(ValueError), files.room_for_detector(torch.device("cpu")):
        raise ValueError
    assert calls == ["empty"]
