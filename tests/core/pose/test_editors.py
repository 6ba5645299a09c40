"""Round trips: generate here, edit in the editors that people use, render here; on files of their shapes.

The editors themselves are not run. The shapes of ultimate-openpose-editor, openpose-editor and
WanAnimatePreprocess are those of their files; of Magos and ProportionChanger it is only known that they take
and give POSE_KEYPOINT, so two usual variants of it stand in for them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import torch

from mmgt_core.pose import skeleton
from mmgt_core.pose.absent import BODY, with_places
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.openpose import parse_poses, to_pose_keypoint

WIDTH, HEIGHT, FRAMES = 640, 480, 12
BODY_KEY, FACE_KEY = "pose_keypoints_2d", "face_keypoints_2d"
HANDS = ("hand_left_keypoints_2d", "hand_right_keypoints_2d")
RAISED = 20.0  # pixels by which the edit lifts the right wrist in frame 5
Document = list[dict[str, Any]]


@pytest.fixture
def motion() -> Motion:
    """A person who sways, whose left hand is lost in frames 3 and 4."""
    points = torch.zeros(FRAMES, 134, 3)
    points[:, :24, :2] = torch.tensor(BODY) * torch.tensor([0.2, 0.26]) + torch.tensor([0.5, 0.3])
    points[:, :24, 2] = 1
    keypoints = with_places(Motion(points, WIDTH, HEIGHT)).keypoints.clone()
    keypoints[..., 0] += 0.01 * torch.sin(torch.arange(FRAMES) / 2)[:, None]
    keypoints[..., 2] = 1
    keypoints[3:5, skeleton.LEFT_HAND] = 0
    return Motion(keypoints, WIDTH, HEIGHT)


def lifted(frames: Document) -> Document:
    """The edit of a person in a timeline editor: one joint of one frame."""
    frames = copy.deepcopy(frames)
    frames[5]["people"][0][BODY_KEY][3 * skeleton.RIGHT_WRIST + 1] -= RAISED
    return frames


def ultimate(frames: Document) -> Any:
    """ultimate-openpose-editor: a text; lists that are not there are null, blank frames have empty lists."""
    frames = copy.deepcopy(frames)
    for frame in frames:
        for person in frame["people"]:
            for key in HANDS:
                if not any(person[key][2::3]):
                    person[key] = None
            person.pop("foot_keypoints_2d")
    return json.dumps(frames)


def magos(frames: Document) -> Any:
    """POSE_KEYPOINT with a face of 68 points."""
    frames = copy.deepcopy(frames)
    for frame in frames:
        frame["people"][0][FACE_KEY] = frame["people"][0][FACE_KEY][: 3 * 68]
    return frames


def proportion_changer(frames: Document) -> Any:
    """POSE_KEYPOINT with fractions of the canvas in place of pixels."""
    frames = copy.deepcopy(frames)
    for frame in frames:
        for values in frame["people"][0].values():
            values[0::3] = [x / frame["canvas_width"] for x in values[0::3]]
            values[1::3] = [y / frame["canvas_height"] for y in values[1::3]]
    return frames


def wan_animate(frames: Document) -> Any:
    """WanAnimatePreprocess: POSEDATA with fractions, 20 body points, a face behind a point that is none."""

    def part(values: list[float], least: int = 0) -> list[list[float]]:
        points = [
            [values[i] / WIDTH, values[i + 1] / HEIGHT, values[i + 2]] for i in range(0, len(values), 3)
        ]
        return points + [[0.0, 0.0, 0.0]] * (least - len(points))

    metas = []
    for frame in frames:
        person = frame["people"][0]
        metas.append(
            {
                "width": WIDTH,
                "height": HEIGHT,
                "keypoints_body": part(person[BODY_KEY], 20),
                "keypoints_face": [[0.0, 0.0, 0.0], *part(person[FACE_KEY][: 3 * 68])],
                "keypoints_left_hand": part(person[HANDS[0]]),
                "keypoints_right_hand": part(person[HANDS[1]]),
            }
        )
    return {"pose_metas_original": metas, "pose_metas": [], "retarget_image": None, "refer_pose_meta": None}


def openpose_editor(frames: Document) -> Any:
    """openpose-editor: 18 body points of each person, no scores."""
    return [
        {
            "width": frame["canvas_width"],
            "height": frame["canvas_height"],
            "keypoints": [
                [[values[i], values[i + 1]] if values[i + 2] else None for i in range(0, len(values), 3)]
                for values in (person[BODY_KEY] for person in frame["people"])
            ],
        }
        for frame in frames
    ]


ALL = [point for point in range(134) if point not in range(18, 24)]
TOOLS: dict[str, tuple[Callable[[Document], Any], list[int]]] = {
    "ultimate-openpose-editor": (ultimate, ALL),
    "Magos": (magos, list(range(134))),
    "ProportionChanger": (proportion_changer, list(range(134))),
    "WanAnimatePreprocess": (wan_animate, ALL),
    "openpose-editor": (openpose_editor, list(range(18))),
}
"""Tool -> its shape, and the points that it keeps."""


@pytest.mark.parametrize("tool", TOOLS)
def test_generate_edit_there_render_here(motion, tool):
    shape, kept = TOOLS[tool]
    found = parse_poses(shape(lifted(to_pose_keypoint(motion))))
    assert (found.frames, found.width, found.height) == (FRAMES, WIDTH, HEIGHT)
    seen = motion.keypoints[..., 2] > 0
    others = torch.ones(134, dtype=torch.bool)
    others[kept] = False
    assert torch.equal(found.keypoints[:, kept, 2] > 0.3, seen[:, kept]), "what was lost is lost"
    assert not (found.keypoints[:, others, 2] > 0.3).any(), "what the tool drops is not visible"
    wanted = motion.pixels().clone()
    wanted[5, skeleton.RIGHT_WRIST, 1] -= RAISED
    off = (found.pixels() - wanted)[:, kept][seen[:, kept]]
    assert off.abs().max() < 0.01


def test_the_edit_is_in_the_drawing(motion):
    """The last step of the chain: the lifted wrist is drawn where the editor put it."""
    from mmgt_core.media.pose_clip import ClipSettings, pose_clip

    found = parse_poses(ultimate(lifted(to_pose_keypoint(motion))))
    clip = pose_clip(found, ClipSettings(width=WIDTH, height=HEIGHT, fps=25, frame_rule="none"))
    images = next(clip.images())[1]
    for frame in (4, 5):
        x, y = (round(value) for value in found.pixels()[frame, skeleton.RIGHT_WRIST].tolist())
        color = tuple(images[frame, y, x].tolist())
        assert color in {(170, 255, 0), (0, 0, 255)}, "the joint, or the hand on it"
    assert (images[5] != images[4]).any()
