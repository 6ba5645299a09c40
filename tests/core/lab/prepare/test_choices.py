"""Stretches, split and crop by their properties, on made-up values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.lab.dataset.clip import ClipInfo
from mmgt_core.lab.prepare.cropping import square_around
from mmgt_core.lab.prepare.faults import longer, runs
from mmgt_core.lab.prepare.split import split_clips
from mmgt_core.lab.prepare.stretches import SHORT, choose, frame_range
from mmgt_core.lab.prepare.timeline import find_cuts
from mmgt_core.pose import skeleton

from . import films

REASONS = ("first", "second")


@given(st.data())
def test_what_is_kept_and_what_is_left_out_are_all_frames_once(data):
    frames = data.draw(st.integers(1, 400))
    seed = data.draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    faults = {name: np.repeat(rng.random(frames // 20 + 1) < 0.3, 20)[:frames] for name in REASONS}
    boundaries = dict.fromkeys(rng.integers(0, frames, 3).tolist(), "cut")
    middle = int(rng.integers(0, frames + 1))
    kept, rejected = choose(faults, boundaries, [(0, middle), (middle, frames)], shortest=30, longest=100)
    count = np.zeros(frames, int)
    for one in (*kept, *rejected):
        count[one.first : one.stop] += 1
    assert (count == 1).all()
    for one in kept:
        assert 30 <= one.stop - one.first <= 100
        assert not any(one.first < frame < one.stop for frame in boundaries)
        assert not any(flags[one.first : one.stop].any() for flags in faults.values())
        assert one.stop <= middle if one.interval == 0 else one.first >= middle
    for one in rejected:
        if one.reason == "first":
            assert faults["first"][one.first : one.stop].all()
        elif one.reason == "second":
            assert (faults["second"] & ~faults["first"])[one.first : one.stop].all()
        elif one.reason == SHORT:
            assert one.stop - one.first < 30


def test_runs_and_gaps():
    flags = np.array([1, 1, 0, 0, 1, 1, 1, 0, 1], bool)
    assert runs(flags) == [(0, 2), (4, 7), (8, 9)]
    assert runs(longer(flags, 2 / 25)) == [(4, 7)]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.0, None, (0, 250)), (4.4, 8.0, (110, 200)), (0.01, 0.99, (1, 24)), (9.0, 99.0, (225, 250)),
        (20.0, 30.0, (250, 250)),
    ],
)  # fmt: skip
def test_frames_of_an_interval_are_within_it(start, end, expected):
    assert frame_range(start, end, 250) == expected


def test_a_cut_is_one_high_difference_and_fast_motion_is_none():
    still = np.full(60, 1.0, np.float32)
    cut = still.copy()
    cut[30] = 40
    assert find_cuts(cut, 12) == [30]
    assert find_cuts(cut, 50) == []
    moving = still.copy()
    moving[20:40] = 20
    assert find_cuts(moving, 12) == []
    low_rate = np.where(np.arange(60) % 2, 0, 14).astype(np.float32)  # every image twice
    assert find_cuts(low_rate, 12) == []


def clips_of(recordings: dict[str, list[str]], clips: int = 3) -> list[ClipInfo]:
    """Speaker -> recordings; the same recording may have several speakers."""
    found = []
    for speaker, sources in recordings.items():
        for source in sources:
            for number in range(clips):
                key = f"{source}{speaker}-{number:03d}"
                found.append(ClipInfo(key, speaker, source, number * 10.0, 8.0, 200, 64, 64))
    return found


@given(st.integers(0, 50), st.sampled_from([0.05, 0.1, 0.2, 0.5]), st.integers(3, 12))
def test_no_speaker_and_no_recording_is_in_both(seed, share, speakers):
    rng = np.random.default_rng(seed)
    table = {
        f"s{n}": [f"r{rng.integers(0, 3 * speakers)}" for _ in range(rng.integers(1, 4))]
        for n in range(speakers)
    }
    clips = clips_of({name: sorted(set(own)) for name, own in table.items()})
    split = split_clips(clips, share, seed)
    if split.kind == "none":
        return
    sides = {"train": [], "validation": []}
    for clip in clips:
        if clip.key in split.of:
            sides[split.of[clip.key]].append(clip)
    assert sides["train"] and sides["validation"]
    for name in ("source", *(("speaker",) if split.kind == "speaker" else ())):
        train, held = ({getattr(clip, name) for clip in side} for side in sides.values())
        assert split.kind == "time" or not train & held
    assert split == split_clips(clips[::-1], share, seed)


def test_the_share_is_met_and_the_seed_chooses():
    clips = clips_of({f"s{n:02d}": [f"r{n}"] for n in range(20)})
    held = [
        {c.speaker for c in clips if split.of[c.key] == "validation"}
        for split in (split_clips(clips, 0.1, seed) for seed in range(5))
    ]
    assert {len(one) for one in held} == {2} and len({frozenset(one) for one in held}) > 1


def test_two_speakers_are_divided_by_recording_and_one_recording_by_time():
    two = split_clips(clips_of({"a": ["r1", "r2"], "b": ["r3", "r4"]}), 0.2, 0)
    assert two.kind == "recording" and "recordings" in two.why
    clips = clips_of({"a": ["r1"]}, clips=12)
    one = split_clips(clips, 0.1, 0)
    assert one.kind == "time" and "only recording" in one.why and "1 clip" in one.why
    ends = max(clip.start + clip.seconds for clip in clips if one.of.get(clip.key) == "train")
    begins = min(clip.start for clip in clips if one.of.get(clip.key) == "validation")
    assert begins - ends >= 3.2
    assert split_clips(clips, 0.0, 0).kind == split_clips(clips[:1], 0.1, 0).kind == "none"


@pytest.mark.parametrize("size", [(96, 96), (160, 96), (96, 160), (640, 360)])
@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_the_square_shows_head_and_hands_and_is_no_larger_than_needed(size, scale):
    points = np.stack([films.pose(0)] * 5).astype(np.float32)
    points[..., :2] = [0.5, 0.5] + scale * (points[..., :2] - 0.5)
    points[:, list(skeleton.LEGS), 2] = 0
    square = square_around(points, size)
    moved = square.points(points, size)
    shown = [*range(8), *range(skeleton.FACE.start, 134)]
    inside = points[0, shown, :2].min(axis=1) >= 0
    assert (moved[:, shown][:, inside, :2] > -0.01).all() and (moved[:, shown][:, inside, :2] < 1.01).all()
    assert np.ptp(moved[0, shown, 0]) > 0.4 or np.ptp(moved[0, shown, 1]) > 0.4
    if square.side <= min(size):
        assert square.left >= 0 and square.left + square.side <= size[0]
        assert square.top >= 0 and square.top + square.side <= size[1]
    image = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)
    assert square.image(image, 64).shape == (64, 64, 3)


def test_points_that_were_never_seen_stay_at_zero():
    points = np.stack([films.pose(0)] * 2).astype(np.float32)
    points[:, 50] = 0
    assert (square_around(points, (96, 96)).points(points, (96, 96))[:, 50] == 0).all()
