"""Pose files as other tools write them: hands, absent points, odd lists, gaps, folders and foreign shapes."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.openpose import parse_poses, read_pose_file, to_pose_keypoint

WIDTH, HEIGHT = 640, 480
HANDS = ("hand_left_keypoints_2d", "hand_right_keypoints_2d")


def person(frames: int = 1, seed: int = 0) -> Motion:
    """Somebody with hands at the wrists, who moves to the right by a pixel a frame."""
    points = torch.rand(134, 3, generator=torch.Generator().manual_seed(seed)) * 0.1 + 0.45
    points[skeleton.LEFT_WRIST, :2] = torch.tensor([0.7, 0.8])
    points[skeleton.RIGHT_WRIST, :2] = torch.tensor([0.3, 0.8])
    for hand, wrist in (
        (skeleton.LEFT_HAND, skeleton.LEFT_WRIST),
        (skeleton.RIGHT_HAND, skeleton.RIGHT_WRIST),
    ):
        points[hand, :2] = points[wrist, :2] + 0.05 * torch.linspace(0, 1, 21)[:, None]
    points[:, 2] = 0.9
    motion = points.repeat(frames, 1, 1)
    motion[..., 0] += torch.arange(frames)[:, None] / WIDTH
    return Motion(motion, WIDTH, HEIGHT)


def written(frames: int = 1) -> list[dict]:
    return copy.deepcopy(to_pose_keypoint(person(frames)))


def close(found: Motion, wanted: Motion, tolerance: float = 0.011) -> bool:
    return bool((found.pixels() - wanted.pixels()).abs().max() < tolerance)


def swap(frame: dict) -> None:
    lists = frame["people"][0]
    lists[HANDS[0]], lists[HANDS[1]] = lists[HANDS[1]], lists[HANDS[0]]


@pytest.mark.parametrize("which", [range(10), [4], [2, 7]])
def test_exchanged_hands_go_to_the_wrist_that_they_are_nearer_to(which):
    frames, notes = written(10), []
    for index in which:
        swap(frames[index])
    assert close(parse_poses(frames, note=notes.append), person(10))
    assert len(notes) == 1 and f"exchanged in {len(which)} of 10 frames" in notes[0]


def test_a_tool_that_exchanges_hands_does_so_where_they_touch():
    wanted, notes = person(10), []
    wanted.keypoints[4, [skeleton.LEFT_WRIST, skeleton.RIGHT_WRIST], :2] = torch.tensor([0.5, 0.8])
    frames = to_pose_keypoint(wanted)
    for frame in frames:
        swap(frame)
    assert close(parse_poses(frames, note=notes.append), wanted)
    assert "in 10 of 10 frames" in notes[0]


def test_folded_hands_stay_where_they_are():
    """A hand found a little off its wrist, and nearer to the other one, in a pose whose wrists touch."""
    wanted = person()
    wanted.keypoints[:, [skeleton.LEFT_SHOULDER, skeleton.RIGHT_SHOULDER], 0] = torch.tensor([0.7, 0.3])
    wanted.keypoints[:, [skeleton.LEFT_WRIST, skeleton.RIGHT_WRIST], 0] = torch.tensor([0.52, 0.48])
    wanted.keypoints[:, skeleton.RIGHT_HAND, 2] = 0
    wanted.keypoints[:, skeleton.LEFT_HAND.start, :2] = wanted.keypoints[:, skeleton.RIGHT_WRIST, :2]
    found = parse_poses(to_pose_keypoint(wanted), note=pytest.fail)
    assert (found.keypoints[..., 2] > 0).equal(wanted.keypoints[..., 2] > 0)


def test_a_single_hand_on_the_wrong_wrist_is_moved():
    (frame,), notes = written(), []
    frame["people"][0][HANDS[0]] = frame["people"][0].pop(HANDS[1])
    motion = parse_poses(frame, note=notes.append)
    assert len(notes) == 1 and not motion.keypoints[0, skeleton.LEFT_HAND].any()
    right = skeleton.RIGHT_HAND
    assert (motion.pixels()[:, right] - person().pixels()[:, right]).abs().max() < 0.011


@pytest.mark.parametrize("crossed", [False, True])
def test_hands_that_are_right_stay_without_a_remark(crossed):
    wanted = person()
    if crossed:  # arms crossed: the left wrist is on the right, with its hand
        places = [skeleton.LEFT_WRIST, *range(92, 113)], [skeleton.RIGHT_WRIST, *range(113, 134)]
        wanted.keypoints[:, [*places[0], *places[1]]] = wanted.keypoints[:, [*places[1], *places[0]]].clone()
    assert close(parse_poses(to_pose_keypoint(wanted), note=pytest.fail), wanted)


def test_an_odd_list_costs_its_own_part_in_its_own_frame():
    frames, notes = written(10), []
    face = frames[7]["people"][0]["face_keypoints_2d"]
    frames[7]["people"][0]["face_keypoints_2d"] = face[:168]
    motion = parse_poses(frames, note=notes.append)
    seen = motion.keypoints[..., 2] > 0
    assert not seen[7, skeleton.FACE].any() and seen[7, skeleton.BODY].all()
    assert seen[[0, 6, 8], skeleton.FACE.start].all() and seen.sum() == 10 * 134 - 68
    assert notes == [
        "face_keypoints_2d has 168 numbers instead of 204 or 210 in frame 7; "
        "these points count as not visible"
    ]


def test_odd_lists_of_many_frames_are_one_remark():
    frames, notes = written(10), []
    for index in (2, 3, 9):
        frames[index]["people"][0][HANDS[0]] = [1.0] * 60
    parse_poses(frames, note=notes.append)
    assert len(notes) == 1 and "in frame 2 and 2 more of 10 frames" in notes[0]


@pytest.mark.parametrize("absent", [(-1, -1, 1.0), (0, 0, 1.0), (-0.97, -1.0, 1.0), (-1, -1, 0.0)])
def test_points_that_stand_for_absent_are_not_visible(absent):
    (frame,) = written()
    frame["people"][0][HANDS[0]] = list(absent) * 21
    motion = parse_poses(frame)
    assert not motion.keypoints[0, skeleton.LEFT_HAND].any()
    assert (motion.keypoints[0, skeleton.RIGHT_HAND, 2] > 0.8).all()


def test_absent_points_as_fractions_are_not_visible():
    """A preprocessor divides -1 by a size that was padded to 64."""
    (frame,) = written()
    for values in frame["people"][0].values():
        values[0::3] = [x / WIDTH for x in values[0::3]]
        values[1::3] = [y / HEIGHT for y in values[1::3]]
    frame["people"][0][HANDS[0]] = [-1 / WIDTH, -1 / (64 * -(-HEIGHT // 64)), 1.0] * 21
    motion = parse_poses(frame)
    assert not motion.keypoints[0, skeleton.LEFT_HAND].any()
    assert close(parse_poses([frame]).window([0]), motion)


def test_coordinates_from_minus_one_to_one():
    """OpenPose's --keypoint_scale 4."""
    (frame,) = written()
    for values in frame["people"][0].values():
        values[0::3] = [2 * x / WIDTH - 1 for x in values[0::3]]
        values[1::3] = [2 * y / HEIGHT - 1 for y in values[1::3]]
    assert close(parse_poses(frame), person())


@pytest.mark.parametrize("empty", [None, {"people": None}, {"people": []}])
def test_empty_frames_are_gaps(empty):
    frames, notes = written(6), []
    frames[3] = empty
    motion = parse_poses(frames, note=notes.append)
    assert motion.frames == 6 and not motion.keypoints[3, :, 2].any() and motion.keypoints[4, :, 2].all()
    assert notes == ["1 of 6 frames show nobody; their points count as not visible"]


def body_25(frame: dict) -> dict:
    """The frame as OpenPose itself writes it: BODY_25, no canvas, the feet in the body list."""
    lists = frame["people"][0]
    body, feet = (np.reshape(lists[key], (-1, 3)) for key in ("pose_keypoints_2d", "foot_keypoints_2d"))
    rows = np.concatenate([body[:8], np.ones((1, 3)), body[8:18], feet])
    other = {key: lists[key] for key in ("face_keypoints_2d", *HANDS)}
    return {
        "version": 1.3,
        "people": [{"person_id": [-1], "pose_keypoints_2d": rows.flatten().tolist()} | other],
    }


def write_folder(folder, frames, numbers=None, stem="x") -> None:
    folder.mkdir(exist_ok=True)
    for number, frame in zip(numbers or range(len(frames)), frames, strict=True):
        (folder / f"{stem}_{number:012d}_keypoints.json").write_text(json.dumps(frame))


def test_a_folder_of_openpose_is_read_in_the_order_of_its_numbers(tmp_path):
    frames = [body_25(frame) for frame in written(12)]
    frames[3] = frames[4] = {"version": 1.3, "people": []}
    write_folder(tmp_path / "poses", frames, numbers=[*range(995, 1007)])
    (tmp_path / "poses" / "read me.txt").write_text("no pose")
    motion = read_pose_file(tmp_path / "poses", size=(WIDTH, HEIGHT))
    seen = [0, 1, 2, *range(5, 12)]
    assert motion.frames == 12 and not motion.keypoints[3:5, :, 2].any()
    assert close(motion.window(seen), person(12).window(seen))


def test_numbers_without_leading_zeros(tmp_path):
    for index, frame in enumerate(written(12)):
        (tmp_path / f"{index}.json").write_text(json.dumps(frame))
    assert close(read_pose_file(tmp_path), person(12))


def test_folders_that_are_no_clip_are_refused(tmp_path):
    with pytest.raises(InputError, match="contains no poses") as caught:
        read_pose_file(tmp_path)
    assert str(tmp_path) in str(caught.value)
    write_folder(tmp_path, written(2), stem="a")
    write_folder(tmp_path, written(2), stem="b")
    with pytest.raises(InputError, match=r"poses of 2 videos \(a, b\)"):
        read_pose_file(tmp_path)


def test_lists_of_old_openpose_are_read():
    (frame,) = written()
    old = {key.removesuffix("_2d"): values for key, values in frame["people"][0].items()}
    assert close(parse_poses({**frame, "people": [old]}), person())


def coco(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """(frames, 133, 2) pixels and (frames, 133) scores of the same person, without a neck."""
    points = person(frames).keypoints.numpy()
    whole = np.zeros((frames, 133, 3))
    order = [index for index in skeleton.OPENPOSE_FROM_COCO if index != 17]
    own = [index for index, source in enumerate(skeleton.OPENPOSE_FROM_COCO) if source != 17]
    whole[:, order] = points[:, own]
    whole[:, 17:] = points[:, 18:]
    return whole[..., :2] * [WIDTH, HEIGHT], whole[..., 2]


def mmpose(frames: int, points: int = 133) -> dict:
    places, scores = coco(frames)
    return {
        "meta_info": {},
        "instance_info": [
            {
                "frame_id": index + 1,
                "instances": [
                    {
                        "keypoints": places[index, :points].tolist(),
                        "keypoint_scores": scores[index, :points].tolist(),
                    }
                ],
            }
            for index in range(frames)
        ],
    }


def rtmlib(frames: int) -> list[dict]:
    places, scores = coco(frames)
    return [{"keypoints": [p.tolist()], "scores": [s.tolist()]} for p, s in zip(places, scores, strict=True)]


def wan_animate(frames: int) -> dict:
    points = person(frames).keypoints.numpy()
    return {
        "pose_metas_original": [
            {
                "width": WIDTH,
                "height": HEIGHT,
                "keypoints_body": np.concatenate([one[:18], one[:2]]),
                "keypoints_face": np.concatenate([one[:1], one[skeleton.FACE]]),
                "keypoints_left_hand": one[skeleton.LEFT_HAND],
                "keypoints_right_hand": one[skeleton.RIGHT_HAND],
            }
            for one in points
        ]
    }


@pytest.mark.parametrize(
    ("document", "hidden"),
    [
        (mmpose(3), []),
        (rtmlib(3), []),
        (wan_animate(3), [*range(18, 24)]),
        (mmpose(3, 17), [*range(18, 134)]),
        (json.dumps(written(3)), []),
    ],
    ids=["MMPose", "rtmlib", "WanAnimate", "MMPose body", "text"],
)
def test_shapes_of_other_tools(document, hidden):
    motion = parse_poses(document, size=(WIDTH, HEIGHT), note=pytest.fail)
    seen = [index for index in range(134) if index not in (*hidden, skeleton.NECK)]
    assert motion.frames == 3 and (motion.keypoints[:, seen, 2] > 0.8).all()
    assert not motion.keypoints[:, hidden, 2].any()
    assert (motion.pixels()[:, seen] - person(3).pixels()[:, seen]).abs().max() < 0.011


def test_the_openpose_editors_points_have_no_scores():
    body = person().pixels()[0, :18].tolist()
    body[9], body[10] = [0, 0], None
    motion = parse_poses({"width": WIDTH, "height": HEIGHT, "keypoints": [body]})
    score = motion.keypoints[0, :18, 2]
    assert (motion.width, motion.height) == (WIDTH, HEIGHT)
    assert score.tolist() == [float(index not in (9, 10)) for index in range(18)]
    assert (motion.pixels()[0, :9] - person().pixels()[0, :9]).abs().max() < 1e-3


@pytest.mark.parametrize(
    ("document", "tool"),
    [
        (
            {"version": "ap10k", "animals": [[1, 2, 1] * 17], "canvas_width": 9, "canvas_height": 9},
            "AnimalPose",
        ),
        ([{"x": 1.0, "y": 2.0}], "WanAnimate"),
        (
            {"instance_info": [{"instances": [{"keypoints": [[1, 2]] * 21, "keypoint_scores": [1] * 21}]}]},
            "MMPose",
        ),
        ({"instance_info": [{"instances": [{"keypoints": "none"}]}]}, "MMPose"),
        ({"keypoints": [[[1, 2]] * 26], "scores": [[1] * 26]}, "rtmlib"),
        ({"keypoints": 3, "width": 9, "height": 9}, "openpose-editor"),
        ({"pose_metas_original": [{}]}, "WanAnimate"),
    ],
)
def test_what_cannot_be_read_is_refused_by_the_tools_name(document, tool):
    with pytest.raises(InputError, match=tool) as caught:
        parse_poses(document, size=(WIDTH, HEIGHT))
    assert "OpenPose JSON" in str(caught.value)


def test_arrays_of_numpy_are_refused_with_the_way_to_convert_them(tmp_path):
    np.save(tmp_path / "pose.npy", np.zeros((1, 133, 2)))
    with pytest.raises(InputError, match=r"rtmlib.*JSON"):
        read_pose_file(tmp_path / "pose.npy")
