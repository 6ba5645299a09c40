"""Images and the mouth meter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmgt_core.lab.presenter.draw import draw_frame, draw_frames
from mmgt_core.lab.presenter.figure import rest_pose
from mmgt_core.lab.presenter.identity import (
    BACKGROUND_STYLES,
    BEARDS,
    HAIR_STYLES,
    SHIRT_STYLES,
    sample_identity,
)
from mmgt_core.lab.presenter.motion_rules import perform
from mmgt_core.lab.presenter.mouth_meter import mouth_opening
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.mouth import aperture

from .spoken import babble


def performed(seed: int, frames: int | None = None):
    phonemes, seconds = babble(seed)
    motion = perform(phonemes, seconds, sample_identity(seed), seed).motion
    return motion if frames is None else motion.window(slice(0, None, max(1, motion.frames // frames)))


def blurred(frames: np.ndarray) -> np.ndarray:
    """Float frames that have been through half the resolution, as a small autoencoder leaves them."""
    import cv2

    side = frames.shape[1]
    small = [cv2.resize(f, (side // 2, side // 2), interpolation=cv2.INTER_AREA) for f in frames]
    return np.stack([cv2.resize(f, (side, side)) for f in small]).astype(np.float32) / 255


def test_identities_follow_their_seed():
    assert sample_identity(7) == sample_identity(7)
    people = [sample_identity(seed) for seed in range(60)]
    assert len({replace(p, seed=0) for p in people}) == 60
    for name, values in (("hair_style", HAIR_STYLES), ("shirt_style", SHIRT_STYLES), ("beard", BEARDS)):
        assert {getattr(p, name) for p in people} == set(values)
    assert np.array_equal(rest_pose(people[0]), rest_pose(sample_identity(0)))


def test_drawing_is_pure_and_of_the_asked_size():
    who, pose = sample_identity(3), rest_pose(sample_identity(3))
    before = pose.copy()
    first = draw_frame(who, pose, 192)
    assert first.shape == (192, 192, 3) and first.dtype == np.uint8
    draw_frame(sample_identity(4), rest_pose(sample_identity(4)), 192)
    assert np.array_equal(first, draw_frame(who, pose, 192))
    assert np.array_equal(pose, before)


def test_every_style_is_drawn_and_seen():
    who = sample_identity(11)
    pose = rest_pose(who)
    for field, values in (
        ("hair_style", HAIR_STYLES),
        ("shirt_style", SHIRT_STYLES),
        ("beard", BEARDS),
        ("background_style", BACKGROUND_STYLES),
        ("sleeves", ("long", "short")),
        ("glasses", (None, (30, 30, 36))),
    ):
        pictures = [draw_frame(replace(who, **{field: value}), pose, 128) for value in values]
        alike = {picture.tobytes() for picture in pictures}
        assert len(alike) == len(values), field


def test_moving_a_part_changes_its_place_only():
    motion = performed(2)
    who = sample_identity(2)
    keypoints = motion.keypoints.numpy()
    still = draw_frame(who, keypoints[0])
    talking = keypoints[0].copy()
    frame = int(np.argmax(aperture(motion).numpy()))
    lips = slice(72, 92)
    talking[lips] = keypoints[frame, lips]
    changed = np.abs(draw_frame(who, talking).astype(int) - still).sum(-1) > 30
    rows, columns = np.nonzero(changed)
    box = np.concatenate([keypoints[0, lips, :2], talking[lips, :2]]) * 256
    assert len(rows) > 20
    assert columns.min() > box[:, 0].min() - 8 and columns.max() < box[:, 0].max() + 8
    assert rows.min() > box[:, 1].min() - 8 and rows.max() < box[:, 1].max() + 8


@pytest.mark.parametrize("seed", range(3))
def test_repeating_the_portrait_costs_much(seed):
    motion, who = performed(seed, 12), sample_identity(seed)
    portrait = draw_frame(who, rest_pose(who)).astype(float)
    speaking = draw_frames(who, motion)[4:9]
    error = np.mean((speaking - portrait) ** 2)
    assert 10 * np.log10(255**2 / error) < 21


def test_the_meter_reads_the_aperture():
    """Correlation with the truth in each of 16 identities, on sharp and on blurred frames."""
    sharp, soft = [], []
    for seed in range(16):
        motion = performed(seed, 24)
        frames = draw_frames(sample_identity(seed), motion)
        truth = aperture(motion).numpy()
        sharp.append(np.corrcoef(truth, mouth_opening(frames, motion))[0, 1])
        soft.append(np.corrcoef(truth, mouth_opening(blurred(frames), motion))[0, 1])
    print(
        f"meter r: sharp mean {np.mean(sharp):.3f} min {np.min(sharp):.3f}; blurred mean {np.mean(soft):.3f}"
    )
    assert np.mean(sharp) >= 0.95 and np.min(sharp) >= 0.88
    assert np.mean(soft) >= 0.9


def test_the_meter_does_not_look_at_the_lips_of_the_motion():
    motion = performed(5, 12)
    frames = draw_frames(sample_identity(5), motion)
    keypoints = motion.keypoints.clone()
    keypoints[:, 72:92] = 0
    assert np.array_equal(mouth_opening(frames, motion), mouth_opening(frames, Motion(keypoints)))
