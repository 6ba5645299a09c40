"""OpenPose JSON and POSE_KEYPOINT: round trips, every layout people bring, clear refusals."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.openpose import parse_poses, read_pose_file, to_pose_keypoint, write_pose_file


def some_motion(frames: int = 1, width: int = 640, height: int = 480, seed: int = 0) -> Motion:
    """Somebody near the middle of the image, drifting, everything visible, the hands on their wrists."""
    generator = torch.Generator().manual_seed(seed)
    person = torch.rand(134, 3, generator=generator)
    person[skeleton.LEFT_HAND.start] = person[skeleton.LEFT_WRIST]
    person[skeleton.RIGHT_HAND.start] = person[skeleton.RIGHT_WRIST]
    keypoints = person.repeat(frames, 1, 1) * torch.tensor([0.4, 0.6, 0.6]) + torch.tensor([0.3, 0.2, 0.35])
    keypoints[..., 0] += 0.002 * torch.arange(frames)[:, None]
    return Motion(keypoints, width, height)


def flat(count: int, x: float = 100.0, y: float = 50.0, score: float = 0.9) -> list[float]:
    """`count` points spread over 100 x 100 pixels from (x, y)."""
    steps = np.linspace(0, 100, count)
    return np.stack([x + steps, y + steps, np.full(count, score)], axis=-1).flatten().tolist()


@settings(max_examples=30, deadline=None)
@given(
    frames=st.integers(1, 4),
    width=st.integers(64, 4096),
    height=st.integers(64, 4096),
    seed=st.integers(0, 99),
    hidden=st.sets(st.integers(0, 133)),
)
def test_round_trip(frames, width, height, seed, hidden):
    motion = some_motion(frames, width, height, seed)
    motion.keypoints[:, list(hidden)[:120], 2] = 0
    poses = to_pose_keypoint(motion)
    back = parse_poses(json.loads(json.dumps(poses)))
    assert (back.width, back.height, back.frames) == (width, height, frames)
    assert torch.equal(back.keypoints[..., 2], motion.keypoints[..., 2])
    seen = motion.keypoints[..., 2] > 0
    assert (back.pixels() - motion.pixels()).abs()[seen].max() < 0.01


def test_lists_have_full_length():
    motion = some_motion()
    motion.keypoints[..., 2] = 0
    motion.keypoints[:, skeleton.NOSE, 2] = 1
    (frame,) = to_pose_keypoint(motion)
    assert (frame["canvas_width"], frame["canvas_height"]) == (640, 480)
    (person,) = frame["people"]
    assert {key: len(values) // 3 for key, values in person.items()} == {
        "pose_keypoints_2d": 18, "face_keypoints_2d": 70, "foot_keypoints_2d": 6,
        "hand_left_keypoints_2d": 21, "hand_right_keypoints_2d": 21,
    }  # fmt: skip
    assert sum(map(bool, person["pose_keypoints_2d"])) == 3 and not any(person["face_keypoints_2d"])


def test_pupils_lie_in_the_eyes():
    motion = some_motion()
    face = np.reshape(to_pose_keypoint(motion)[0]["people"][0]["face_keypoints_2d"], (70, 3))
    np.testing.assert_allclose(face[68, :2], face[36:42, :2].mean(axis=0), atol=0.011)
    np.testing.assert_allclose(face[69, :2], face[42:48, :2].mean(axis=0), atol=0.011)


def test_a_minute_is_small():
    """The lists of a clip stay with a host for as long as it remembers the node: 12 MB a minute at most."""
    motion = some_motion(1500)
    motion.keypoints[..., :2] += 0.05 * torch.rand(1500, 134, 2, generator=torch.Generator().manual_seed(1))
    tracemalloc.start()
    try:
        poses = to_pose_keypoint(motion)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(poses) == 1500 and size < 12e6  # 21e6 where every number is an object of its own


def test_body_25():
    body = np.reshape(flat(25), (25, 3)).copy()
    body[:, 0] = np.arange(25) + 10
    motion = parse_poses(
        {
            "people": [{"pose_keypoints_2d": body.flatten().tolist()}],
            "canvas_width": 512,
            "canvas_height": 512,
        }
    )
    found = motion.pixels()[0, :, 0].round().int() - 10
    assert found[: skeleton.FEET.stop].tolist() == [*range(8), *range(9, 25)]
    names = (
        skeleton.RIGHT_HIP,
        skeleton.LEFT_HIP,
        skeleton.RIGHT_EYE,
        skeleton.LEFT_EAR,
        skeleton.FEET.start,
    )
    assert [found[name].item() for name in names] == [9, 12, 15, 18, 19]  # BODY_25's own numbers


@pytest.mark.parametrize("absent", [None, [], "missing"])
@pytest.mark.parametrize("face", [68, 70])
def test_absent_parts_are_not_visible(absent, face):
    person = {
        "pose_keypoints_2d": flat(18),
        "face_keypoints_2d": flat(face),
        "hand_left_keypoints_2d": absent,
    }
    if absent == "missing":
        del person["hand_left_keypoints_2d"]
    motion = parse_poses([{"people": [person], "canvas_width": 300, "canvas_height": 300}])
    score = motion.keypoints[0, :, 2]
    assert (score[skeleton.BODY] > 0.8).all() and (score[skeleton.FACE] > 0.8).all()
    assert not score[skeleton.LEFT_HAND].any() and not score[skeleton.RIGHT_HAND].any()


def test_fractions_and_given_size():
    body = np.reshape(flat(18), (18, 3))
    fractions = (body / [400, 200, 1]).flatten().tolist()
    a = parse_poses({"people": [{"pose_keypoints_2d": fractions}], "canvas_width": 400, "canvas_height": 200})
    b = parse_poses({"people": [{"pose_keypoints_2d": flat(18)}]}, size=(400, 200))
    torch.testing.assert_close(a.keypoints, b.keypoints)
    torch.testing.assert_close(a.pixels()[0, :18].double(), torch.from_numpy(body[:, :2]), atol=1e-3, rtol=0)


def crowd(*places: tuple[float, float]) -> dict:
    """People of growing size at the given places."""
    people = [
        {"pose_keypoints_2d": [v for i in range(18) for v in (x + i * size, y + i * size, 0.9)]}
        for size, (x, y) in enumerate(places, 1)
    ]
    return {"people": people, "canvas_width": 1000, "canvas_height": 1000}


def test_largest_or_chosen_person():
    document = crowd((100, 100), (500, 500))
    assert parse_poses(document).pixels()[0, 0].tolist() == pytest.approx([500, 500])
    assert parse_poses(document, person=0).pixels()[0, 0].tolist() == pytest.approx([100, 100])
    with pytest.raises(InputError, match="no person 2"):
        parse_poses(document, person=2)


def test_the_person_is_followed_through_a_clip():
    first, second = crowd((100, 100), (500, 500)), crowd((110, 100), (510, 500))
    second["people"].reverse()
    empty = {"people": []}
    motion = parse_poses([empty, first, second, empty, second])
    assert motion.pixels()[:, 0, 0].tolist() == pytest.approx([500, 500, 510, 510, 510])
    assert (motion.keypoints[:, 0, 2] > 0).tolist() == [False, True, True, False, True]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"people": []}, "no person"),
        ({"people": [{"pose_keypoints_2d": flat(18, score=0)}]}, "no person"),
        ([], "not a pose"),
        ([1], "not a pose"),
        ({"joints": []}, "not a pose"),
        ("text", "not a pose"),
        ({"people": ["text"]}, "not an object"),
        ({"people": [{"pose_keypoints_2d": flat(17)}]}, "51 numbers instead of 54 or 75"),
        ({"people": [{"pose_keypoints_2d": ["a"] * 54}]}, "not a list of numbers"),
        ({"people": [{"pose_keypoints_2d": flat(18)}]}, "how large"),
    ],
)
def test_refusals_name_the_file(tmp_path, document, words):
    path = tmp_path / "pose.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=words) as caught:
        read_pose_file(path)
    assert "pose.json" in str(caught.value)


def test_files(tmp_path):
    for frames in (1, 3):
        path, motion = tmp_path / f"{frames}.json", some_motion(frames)
        write_pose_file(path, motion)
        assert (read_pose_file(path).pixels() - motion.pixels()).abs().max() < 0.01
    with pytest.raises(InputError, match="no such file"):
        read_pose_file(tmp_path / "none.json")
    (tmp_path / "x.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="not JSON"):
        read_pose_file(tmp_path / "x.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.json", "3.json", "x.json"]


def test_odd_numbers_count_as_not_visible():
    body = flat(18)
    body[3:6] = [None, None, None]
    body[8] = 7.0
    motion = parse_poses({"people": [{"pose_keypoints_2d": body}], "canvas_width": 300, "canvas_height": 300})
    assert motion.keypoints[0, 1].tolist() == [0, 0, 0] and motion.keypoints[0, 2, 2] == 1
