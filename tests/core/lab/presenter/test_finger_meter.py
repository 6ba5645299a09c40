"""The finger meter against true images, mittens and blur; the boxes that figures look at."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from mmgt_core.lab.presenter.draw import draw_frames
from mmgt_core.lab.presenter.figure import Posture, pose
from mmgt_core.lab.presenter.finger_meter import HANDS, five_fingers, hands_apart
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.lab.presenter.motion_rules import perform
from mmgt_core.lab.presenter.regions import face_boxes, hand_boxes, head_boxes, inside
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion

from .spoken import babble

SIZE = 256


@pytest.fixture(scope="module")
def talks():
    """Images of twelve presenters with the motions they show, hands apart."""
    found = []
    for seed in range(12):
        who = sample_identity(300 + seed)
        motion = perform(*babble(seed, speech=3), who, seed).motion
        motion = motion.window(np.flatnonzero(hands_apart(motion))[::9].tolist())
        found.append((draw_frames(who, motion, SIZE), motion))
    return found


def share(talks, change) -> float:
    found = [five_fingers(np.stack([change(f) for f in frames]), motion) for frames, motion in talks]
    return float(np.concatenate(found).mean())


def test_true_pictures_show_five_fingers(talks):
    assert sum(len(frames) for frames, _ in talks) > 50
    assert share(talks, lambda frame: frame) >= 0.9


def test_blurred_pictures_do_not(talks):
    assert share(talks, lambda frame: cv2.GaussianBlur(frame, (0, 0), 3)) < 0.05


def test_mittens_do_not(talks):
    for frames, motion in talks[:4]:
        covered = frames.copy()
        for frame, points in zip(covered, motion.keypoints.numpy()[..., :2], strict=True):
            for hand in HANDS:
                x, y = (points[hand][0] * 0.4 + points[hand][9] * 0.6) * SIZE
                outline = cv2.convexHull((points[hand] * SIZE).astype(np.int32))
                cv2.fillConvexPoly(frame, outline, frame[int(y), int(x)].tolist())
        assert not five_fingers(covered, motion).any()


def test_folded_hands_are_not_apart():
    phonemes, seconds = babble(0, speech=3)
    motion = perform(phonemes, seconds, sample_identity(301), 0).motion
    apart = hands_apart(motion)
    assert apart.any() and not apart[0]


@pytest.mark.parametrize("seed", range(8))
def test_boxes_hold_what_they_are_named_after(seed):
    who = sample_identity(seed)
    phonemes, seconds = babble(seed, speech=2)
    motion = perform(phonemes, seconds, who, seed).motion
    points = motion.keypoints.numpy()[..., :2]
    for index, hand in enumerate(HANDS):
        box = hand_boxes(motion)[:, index, None]
        assert ((points[:, hand] >= box[..., :2]) & (points[:, hand] <= box[..., 2:])).all()
    head, face = head_boxes(motion), face_boxes(motion)
    assert (head[:, :2] <= face[:, :2]).all() and (head[:, 2] >= face[:, 2]).all()
    ears = points[:, [skeleton.RIGHT_EAR, skeleton.LEFT_EAR]]
    assert ((ears >= head[:, None, :2]) & (ears <= head[:, None, 2:])).all()


def test_the_head_box_holds_the_bun():
    who = next(w for w in map(sample_identity, range(200)) if w.hair_style == "bun")
    shown = draw_frames(who, _still(who), SIZE)[0]
    bald = draw_frames(replace(who, hair_style="bald"), _still(who), SIZE)[0]
    bun = (shown != bald).any(-1)
    box = inside(head_boxes(_still(who)), SIZE)[0]
    assert bun.sum() > 500 and (bun & ~box).sum() == 0


def test_inside_counts_pixel_centers():
    boxes = np.array([[[0.25, 0.5, 0.75, 1.0], [0, 0, 0.2, 0.2]]], np.float32)
    expected = np.zeros((1, 4, 4), bool)
    expected[0, 2:, 1:3] = expected[0, 0, 0] = True
    assert np.array_equal(inside(boxes, 4), expected)


def _still(who):
    return Motion(torch.from_numpy(pose(who, Posture()))[None])
