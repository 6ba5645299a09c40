"""Exports: what has a reader comes back within 0.01 pixels; the rest says what the points say."""

from __future__ import annotations

import csv
import io
import json
import struct

import numpy as np
import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.pose import skeleton
from mmgt_core.pose.absent import BODY, with_places
from mmgt_core.pose.exports.after_effects import from_after_effects
from mmgt_core.pose.exports.arkit import SHAPES, blend_shapes
from mmgt_core.pose.exports.csv_table import from_csv
from mmgt_core.pose.exports.face_measures import face_measures
from mmgt_core.pose.exports.formats import ENDINGS, FORMATS, export_motion
from mmgt_core.pose.exports.point_names import POINT_NAMES
from mmgt_core.pose.exports.pose_format import from_pose_format, to_pose_format
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.openpose import parse_poses, read_pose_file
from mmgt_core.pose.visibility import visible_points

FRAMES, WIDTH, HEIGHT = 20, 640, 480


def figure(frames: int = FRAMES) -> Motion:
    """A person with face and hands, everything visible, at rest."""
    points = torch.zeros(frames, 134, 3)
    points[:, :24, :2] = torch.tensor(BODY) * torch.tensor([0.2, 0.26]) + torch.tensor([0.5, 0.3])
    points[:, :24, 2] = 1
    placed = with_places(Motion(points, WIDTH, HEIGHT)).keypoints.clone()
    placed[..., 2] = 0.9
    return Motion(placed, WIDTH, HEIGHT)


@pytest.fixture
def motion():
    """The figure in movement; one hand is lost for a while, one toe is never seen."""
    keypoints = figure().keypoints.clone()
    wave = torch.rand(134, 2, generator=torch.Generator().manual_seed(1)) * 6
    keypoints[..., :2] += 0.004 * torch.sin(torch.arange(FRAMES)[:, None, None] / 3 + wave)
    keypoints[5:9, skeleton.LEFT_HAND] = 0
    keypoints[:, 20] = 0
    return Motion(keypoints, WIDTH, HEIGHT)


def same(found: Motion, motion: Motion, points: slice | list[int] = slice(None)) -> None:
    """Both show the same points, at the same places within 0.01 pixels."""
    seen = visible_points(motion)[:, points]
    assert (visible_points(found)[:, points] == seen).all() and not seen.all()
    off = (found.pixels(WIDTH, HEIGHT) - motion.pixels())[:, points][torch.from_numpy(seen)]
    assert off.abs().max() < 0.01


@pytest.mark.parametrize("kind", ["openpose", "openpose frames"])
def test_openpose_comes_back(motion, tmp_path, kind):
    path = export_motion(tmp_path / f"poses{ENDINGS[kind]}", motion, kind)
    same(read_pose_file(path), motion)
    if kind == "openpose frames":
        names = sorted(file.name for file in path.iterdir())
        assert len(names) == FRAMES and names[0] == "poses_000000000000_keypoints.json"
        with pytest.raises(InputError, match="not empty"):
            export_motion(path, motion, kind)


def test_mmpose_comes_back_but_for_the_neck(motion, tmp_path):
    path = export_motion(tmp_path / "poses.json", motion, "mmpose")
    document = json.loads(path.read_text())
    one = document["instance_info"][3]["instances"][0]
    assert document["instance_info"][3]["frame_id"] == 4
    assert len(one["keypoints"]) == len(one["keypoint_scores"]) == 133
    found = parse_poses(document, size=(WIDTH, HEIGHT))
    same(found, motion, [point for point in range(134) if point != skeleton.NECK])
    middle = motion.pixels()[:, [2, 5]].mean(dim=1)
    assert torch.allclose(found.pixels()[:, skeleton.NECK], middle, atol=0.01)


def test_a_table_comes_back(motion, tmp_path):
    path = export_motion(tmp_path / "poses.csv", motion, "csv")
    text = path.read_text()
    same(from_csv(text.splitlines()), motion)
    rows = list(csv.DictReader(text.splitlines()))
    assert rows[5]["left_hand_wrist_x"] == "" and rows[2]["seconds"] == "0.0800"
    assert float(rows[2]["nose_x"]) == pytest.approx(float(motion.pixels()[2, 0, 0]), abs=1e-3)
    for broken in ("", "a,b\n1,2", text.replace("640", "0"), text.replace("0.0800", "x")[:-30], text[:-50]):
        with pytest.raises(InputError, match="table"):
            from_csv(io.StringIO(broken))


def test_pose_format_comes_back(motion, tmp_path):
    data = export_motion(tmp_path / "m.pose", motion, "pose").read_bytes()
    same(from_pose_format(data), motion)
    for broken in (b"", data[:-4], data[:20], b"\0" * 500, data[:-4] + struct.pack("<f", float("nan"))):
        with pytest.raises(InputError, match=r"\.pose file"):
            from_pose_format(broken)


def test_the_package_pose_format_reads_it(motion):
    package = pytest.importorskip("pose_format", reason="the package pose-format is not installed")
    pose = package.Pose.read(to_pose_format(motion))
    assert pose.body.fps == 25 and pose.body.data.shape == (FRAMES, 1, 134, 2)
    dimensions = pose.header.dimensions
    assert (dimensions.width, dimensions.height) == (WIDTH, HEIGHT)
    seen = visible_points(motion)
    assert ((pose.body.confidence[:, 0] > 0) == seen).all()
    off = pose.body.data.data[:, 0] - motion.pixels().numpy()
    assert np.abs(off[seen]).max() < 0.01
    assert [name for part in pose.header.components for name in part.points] == list(POINT_NAMES)


def test_after_effects_keys_are_the_visible_points(motion, tmp_path):
    text = export_motion(tmp_path / "keys.txt", motion, "after effects").read_text()
    assert text.startswith("Adobe After Effects 8.0 Keyframe Data\n") and text.endswith(
        "End of Keyframe Data\n"
    )
    assert "\tUnits Per Second\t25\n\tSource Width\t640\n\tSource Height\t480\n" in text
    found, seen, pixels = from_after_effects(text), visible_points(motion), motion.pixels()
    assert set(found) == set(np.flatnonzero(seen.any(axis=0)).tolist()) and 20 not in found
    for point, keys in found.items():
        assert list(keys) == np.flatnonzero(seen[:, point]).tolist()
        for frame, place in keys.items():
            assert pixels[frame, point].tolist() == pytest.approx(place, abs=0.01)


def test_blender_tracks_stand_upright(motion, tmp_path):
    document = json.loads(export_motion(tmp_path / "tracks.json", motion, "blender").read_text())
    tracks = {track["name"]: track for track in document["points"]}
    assert document["fps"] == 25 and document["frames"] == FRAMES and "left_heel" not in tracks
    assert tracks["left_hand_wrist"]["frame"] == [*range(1, 6), *range(10, 21)]
    nose, hip = tracks["nose"], tracks["left_hip"]
    assert nose["z"][0] > hip["z"][0] > 0
    x = (motion.pixels()[0, 0, 0] - WIDTH / 2) / HEIGHT
    assert nose["x"][0] == pytest.approx(float(x), abs=1e-5)


def with_face(change) -> Motion:
    """The figure at rest, whose face (frames, 68, 2 pixels) `change` alters from frame 14 on."""
    motion = figure()
    pixels = motion.pixels().clone()
    face = pixels[14:, skeleton.FACE]
    change(face)
    pixels[14:, skeleton.FACE] = face
    keypoints = motion.keypoints.clone()
    keypoints[..., :2] = pixels / torch.tensor([WIDTH, HEIGHT])
    return Motion(keypoints, WIDTH, HEIGHT)


def opened(face):
    face[:, 65:68, 1] += 12
    face[:, 55:60, 1] += 12


def rolled(face):
    middle, turn = face[:, 30:31].clone(), torch.deg2rad(torch.tensor(20.0))
    x, y = (face - middle).unbind(-1)
    face[:] = middle + torch.stack([x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos()], -1)


def blinked(face):
    for top, bottom in ((37, 41), (38, 40), (43, 47), (44, 46)):
        face[:, top, 1] = face[:, bottom, 1] - 0.1


def raised(face):
    face[:, 17:27, 1] -= 4


@pytest.mark.parametrize(
    ("change", "shapes"),
    [
        (opened, {"jawOpen"}),
        (blinked, {"eyeBlinkLeft", "eyeBlinkRight"}),
        (raised, {"browInnerUp", "browOuterUpLeft", "browOuterUpRight"}),
        (rolled, set()),
    ],
)
def test_blend_shapes_say_what_the_face_does(change, shapes):
    tracks = blend_shapes(with_face(change))
    assert tuple(tracks) == SHAPES and len(SHAPES) == 12
    for name, track in tracks.items():
        more = track[15] - track[5]
        assert (more > 0.3) if name in shapes else (abs(more) < 0.05), (name, more)
        assert (track >= 0).all() and (track <= 1).all()


def test_the_head_s_angles():
    face = face_measures(with_face(rolled))
    assert face.roll[15] - face.roll[5] == pytest.approx(20, abs=0.1)
    assert abs(face.yaw[15] - face.yaw[5]) < 1 and abs(face.mouth_open[15] - face.mouth_open[5]) < 0.01

    def turned(face):
        face[:, 27:36, 0] += 8  # the nose, toward the person's left

    face = face_measures(with_face(turned))
    assert face.yaw[15] - face.yaw[5] > 5 and abs(face.roll[15] - face.roll[5]) < 1


def test_live2d_counts_and_keys(tmp_path):
    motion = with_face(opened)
    keypoints = motion.keypoints.clone()
    keypoints[3, skeleton.FACE.start, 2] = 0
    path = export_motion(tmp_path / "talk.motion3.json", Motion(keypoints, WIDTH, HEIGHT), "live2d")
    document = json.loads(path.read_text())
    meta, curves = document["Meta"], {curve["Id"]: curve["Segments"] for curve in document["Curves"]}
    assert document["Version"] == 3 and meta["CurveCount"] == len(curves) == 9
    assert meta["Duration"] == FRAMES / 25 and meta["TotalSegmentCount"] == 9 * (FRAMES - 2)
    assert meta["TotalPointCount"] == meta["TotalSegmentCount"] + 9
    mouth = curves["ParamMouthOpenY"]
    times = [mouth[0], *mouth[3::3]]
    values = [mouth[1], *mouth[4::3]]
    assert set(mouth[2::3]) == {0} and times == sorted(times) and 0.12 not in times
    assert values[-1] - values[0] > 0.3 and all(0 <= value <= 1 for value in values)


def test_without_a_face_there_is_none(tmp_path):
    keypoints = figure(3).keypoints.clone()
    keypoints[:, skeleton.FACE] = 0
    motion = Motion(keypoints, WIDTH, HEIGHT)
    assert (
        json.loads(export_motion(tmp_path / "a.motion3.json", motion, "live2d").read_text())["Curves"] == []
    )
    rows = export_motion(tmp_path / "a.csv", motion, "arkit").read_text().splitlines()
    assert rows[1:] == [f"{frame},{frame / 25:.4f}" + "," * 12 for frame in range(3)]


def test_the_ending_is_checked(motion, tmp_path):
    for kind in FORMATS:
        if ENDINGS[kind]:
            with pytest.raises(InputError, match="end the name in"):
                export_motion(tmp_path / "a.xyz", motion, kind)
    with pytest.raises(InputError, match="is no format"):
        export_motion(tmp_path / "a.bvh", motion, "bvh")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_every_point_has_its_own_name():
    assert len(set(POINT_NAMES)) == 134
    assert POINT_NAMES[skeleton.LEFT_WRIST] == "left_wrist" and POINT_NAMES[92] == "left_hand_wrist"
    assert POINT_NAMES[skeleton.FACE.start] == "face_0" and POINT_NAMES[133] == "right_hand_little_4"
