"""What each operation of editing does."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.pose import skeleton
from mmgt_core.pose.editing.beats import emphasized
from mmgt_core.pose.editing.curves import key_curve
from mmgt_core.pose.editing.filters import one_euro, savitzky_golay
from mmgt_core.pose.editing.gains import gained, moved
from mmgt_core.pose.editing.mirroring import MIRRORED, mirrored
from mmgt_core.pose.editing.mixing import crossed, held_part, replaced
from mmgt_core.pose.editing.parts import CARRIERS, PARTS, POINTS
from mmgt_core.pose.editing.proportions import with_proportions
from mmgt_core.pose.editing.timing import joined, lagged, looped, stretched, trimmed
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.visibility import visible_points

INNER = [part for part in PARTS if part not in ("body", "head")]


def within(motion, part):
    places, joint = list(POINTS[part]), CARRIERS[part]
    return motion.keypoints[:, places, :2] - motion.keypoints[:, [joint], :2]


def test_trim(person):
    cut = trimmed(person(), 0.4, 1.0)
    assert torch.equal(cut.keypoints, person().keypoints[10:35])
    assert trimmed(person(), 1.0).frames == 35 and trimmed(person(), 0, 99).frames == 60
    with pytest.raises(InputError, match="outside of the motion"):
        trimmed(person(), 3.0)


def test_stretch_keeps_the_ends(person):
    for speed in (0.5, 0.9, 1.7, 10):
        played = stretched(person(), speed)
        assert played.frames == round(60 / speed)
        assert torch.allclose(played.keypoints[[0, -1]], person().keypoints[[0, -1]], atol=1e-6)
    assert stretched(person(), 1).keypoints is not None and stretched(person(), 1).frames == 60
    with pytest.raises(InputError, match="speed"):
        stretched(person(), 0)


def test_join(person):
    first, second = person(1), person(2)
    both = joined(first, second, 10)
    assert both.frames == 110
    assert torch.equal(both.keypoints[:50], first.keypoints[:50])
    assert torch.equal(both.keypoints[60:], second.keypoints[10:])
    assert joined(first, second).frames == 120 and joined(first, second, 999).frames == 60
    middle = both.keypoints[54, 0, :2]
    straight = torch.lerp(first.keypoints[54, 0, :2], second.keypoints[4, 0, :2], 5 / 11)
    assert torch.allclose(middle, straight, atol=1e-6)
    with pytest.raises(InputError, match="image of 512 x 384"):
        joined(first, person(2, size=(300, 600)))


def test_a_loop_has_no_jump(person):
    motion = person(frames=40)
    again = looped(motion, 8.0, 12)
    assert again.frames == 200 and torch.equal(again.keypoints[:28], motion.keypoints[:28])
    usual = motion.keypoints[..., :2].diff(dim=0).norm(dim=-1).max()
    assert again.keypoints[..., :2].diff(dim=0).norm(dim=-1).max() < 2 * usual
    assert torch.equal(again.keypoints[12:100], again.keypoints[40:128]), "the period is 28 frames"
    jump = looped(motion, 8.0).keypoints
    assert torch.equal(jump[40:80], motion.keypoints)
    assert looped(motion, 1.0).frames == 40


@pytest.mark.parametrize("part", INNER)
def test_gain_scales_what_moves_within_a_part(person, part):
    motion = person()
    wide = gained(motion, part, 2.0)
    mean = within(motion, part).mean(dim=0)
    assert torch.allclose(within(wide, part) - mean, 2 * (within(motion, part) - mean), atol=1e-5)
    others = [point for point in range(134) if point not in POINTS[part]]
    assert torch.equal(wide.keypoints[:, others], motion.keypoints[:, others])
    still = within(gained(motion, part, 0.0), part)
    assert still.std(dim=0).max() < 1e-5
    assert gained(motion, part, 1.0) is motion


def test_the_head_moves_as_a_whole(person):
    motion = person()
    calm = gained(motion, "head", 0.0)
    nose = calm.keypoints[:, skeleton.NOSE, :2] - calm.keypoints[:, skeleton.NECK, :2]
    assert nose.std(dim=0).max() < 1e-5
    assert torch.allclose(within(calm, "lips"), within(motion, "lips"), atol=1e-5), "the lips still speak"


def test_an_offset_is_in_pixels(person):
    motion = person()
    for part in PARTS:
        off = (moved(motion, part, 5, -3).pixels() - motion.pixels()).mean(dim=0)
        places = list(POINTS[part])
        assert torch.allclose(off[places], torch.tensor([5.0, -3.0]), atol=1e-3), part
    hand = moved(motion, "left hand", 5, 0)
    assert (hand.pixels() - motion.pixels())[:, skeleton.LEFT_WRIST, 0].mean() == pytest.approx(5, abs=1e-3)


@pytest.mark.parametrize("part", INNER)
def test_lag(person, part):
    motion = person()
    late, early = lagged(motion, part, 4), lagged(motion, part, -4)
    assert torch.allclose(within(late, part)[4:], within(motion, part)[:-4], atol=1e-6)
    assert torch.allclose(within(early, part)[:-4], within(motion, part)[4:], atol=1e-6)
    assert torch.allclose(within(late, part)[:4], within(motion, part)[:1].expand(4, -1, -1), atol=1e-6)
    body = lagged(motion, "body", 4)
    assert torch.allclose(body.keypoints[4:], motion.keypoints[:-4], atol=1e-6)


def noisy(motion, amount=0.004):
    noise = torch.randn(motion.keypoints.shape[:2] + (2,), generator=torch.Generator().manual_seed(5))
    keypoints = motion.keypoints.clone()
    keypoints[..., :2] += amount * noise
    return Motion(keypoints, motion.width, motion.height)


@pytest.mark.parametrize("filtered", [one_euro, savitzky_golay])
def test_filters_take_noise_and_leave_movement(person, filtered):
    motion = person()
    places = [point for point in range(134) if point not in POINTS["lips"]]
    given, calm = noisy(motion), filtered(noisy(motion))
    errors = [(m.keypoints - motion.keypoints)[:, places, :2].norm() for m in (given, calm)]
    assert errors[1] < 0.75 * errors[0]
    jitter = [m.keypoints[:, places, :2].diff(n=3, dim=0).norm() for m in (given, calm)]
    assert jitter[1] < 0.4 * jitter[0]
    still = motion.window([3] * 60)
    assert torch.allclose(filtered(still).keypoints, still.keypoints, atol=1e-6)
    assert filtered(motion.window([0])).frames == 1


@pytest.mark.parametrize("filtered", [one_euro, savitzky_golay])
def test_filters_leave_the_lips_their_movement(person, filtered):
    motion = noisy(person())
    lips = [(m.keypoints[:, skeleton.LIPS, :2].diff(dim=0)).norm() for m in (motion, filtered(motion))]
    assert lips[1] > 0.8 * lips[0]
    assert filtered(motion, lips=True).keypoints[:, skeleton.LIPS, :2].diff(dim=0).norm() < 0.7 * lips[0]


@pytest.mark.parametrize("filtered", [one_euro, savitzky_golay])
def test_filters_trust_a_point_as_its_score_says(person, filtered):
    """One point jumps; it is believed less where its score is low."""
    base = person().window([3] * 60).keypoints.clone()
    base[..., 2] = 1.0
    base[30, 4, 0] += 0.2
    unsure = base.clone()
    unsure[30, 4, 2] = 0.35
    sure, less = (filtered(Motion(k, 512, 384)).keypoints[30, 4, 0] - base[29, 4, 0] for k in (base, unsure))
    assert 0 < less < sure


def test_filters_say_what_is_possible(person):
    for call in (
        lambda: savitzky_golay(person(), 8),
        lambda: savitzky_golay(person(), 9, 7),
        lambda: one_euro(person(), 0.0),
    ):
        with pytest.raises(InputError, match="choose"):
            call()


def test_savitzky_golay_keeps_a_parabola(person):
    keypoints = person().keypoints.clone()
    time = torch.arange(60) / 60
    keypoints[:, 4, 0], keypoints[:, 4, 1] = 0.2 + time**2, 0.5 - time
    smooth = savitzky_golay(Motion(keypoints, 512, 384), 11, 2).keypoints
    assert torch.allclose(smooth[:, 4, :2], keypoints[:, 4, :2], atol=1e-5)


def test_mirror(person):
    motion = person()
    turned = mirrored(motion)
    assert torch.allclose(mirrored(turned).keypoints, motion.keypoints, atol=1e-6)
    left, right = skeleton.LEFT_WRIST, skeleton.RIGHT_WRIST
    assert torch.allclose(turned.keypoints[:, left, 0], 1 - motion.keypoints[:, right, 0])
    assert torch.equal(turned.keypoints[:, left, 1:], motion.keypoints[:, right, 1:])
    assert sorted(MIRRORED) == list(range(134))
    shape = person().window([0] * 3)
    for chain in (skeleton.JAW, skeleton.OUTER_LIPS, skeleton.BROWS, skeleton.LEFT_EYE_RING):
        before = mirrored(shape).keypoints[0, chain, :2].diff(dim=0).norm(dim=-1)
        assert before.max() < 0.1, "neighbors stay neighbors"


def test_mirroring_turns_a_symmetric_figure_into_itself():
    from mmgt_core.pose.absent import BODY, with_places

    points = torch.zeros(1, 134, 3)
    points[0, :24, :2] = torch.tensor(BODY) * 0.2 + torch.tensor([0.5, 0.3])
    points[0, :24, 2] = 1
    figure = with_places(Motion(points, 400, 400)).keypoints.clone()
    figure[..., 2] = 1
    places = [*range(24), *range(24, 92)]  # the default hands are not mirror images
    turned = mirrored(Motion(figure, 400, 400)).keypoints
    assert (turned[:, places] - figure[:, places]).abs().max() < 0.02


def test_a_curve_of_keys():
    curve = key_curve("1:1, 0:0, 2:0.5", 75)
    assert curve.shape == (75,) and curve[0] == 0 and curve[25] == 1 and curve[50] == 0.5
    assert curve[12] == pytest.approx(12 / 25) and curve[74] == 0.5
    for wrong in ("", "1", "a:b", "0:0, 0:1", "nan:1", "0:inf"):
        with pytest.raises(InputError, match="curve"):
            key_curve(wrong, 5)


def test_a_curve_blends(person):
    first, second = person(1), person(2)
    mixed = crossed(first, second, key_curve("0:0, 1:1", 60))
    assert torch.equal(mixed.keypoints[0], first.keypoints[0])
    assert torch.allclose(mixed.keypoints[25:], second.keypoints[25:], atol=1e-6)
    short = crossed(first, second.window([0, 1]), torch.ones(60))
    assert torch.allclose(short.keypoints[59], second.keypoints[1], atol=1e-6)


@pytest.mark.parametrize("part", ["lips", "left hand", "right hand", "brows", "eyes"])
def test_a_part_of_another_motion_moves_as_there(person, part):
    motion, other = person(1), person(2)
    mixed = replaced(motion, other, part)
    places = list(POINTS[part])
    there, here = within(other, part), within(mixed, part)
    scale = (here - here.mean(dim=(0, 1))).norm() / (there - there.mean(dim=(0, 1))).norm()
    assert scale == pytest.approx(1, abs=0.1)
    off = (here - here.mean(dim=(0, 1))) - scale * (there - there.mean(dim=(0, 1)))
    assert off.abs().max() < 1e-3
    rest = [point for point in range(134) if point not in places]
    assert torch.equal(mixed.keypoints[:, rest], motion.keypoints[:, rest])
    if part in ("lips", "brows", "eyes"):
        own = within(motion, part).mean(dim=(0, 1))
        assert torch.allclose(here.mean(dim=(0, 1)), own, atol=1e-4), "its place in the face is this person's"


def test_a_part_has_this_person_s_size(person):
    small = person(2)
    keypoints = small.keypoints.clone()
    keypoints[..., :2] = 0.25 + 0.5 * keypoints[..., :2]
    half = Motion(keypoints, 512, 384)
    same, scaled = replaced(person(1), small, "left hand"), replaced(person(1), half, "left hand")
    assert torch.allclose(same.keypoints[..., :2], scaled.keypoints[..., :2], atol=2e-3)


def test_what_the_other_does_not_show_is_refused(person):
    other = person(2)
    keypoints = other.keypoints.clone()
    keypoints[:, skeleton.LEFT_HAND] = 0
    with pytest.raises(InputError, match="never shows the left hand"):
        replaced(person(), Motion(keypoints, 512, 384), "left hand")
    with pytest.raises(InputError, match="no part"):
        replaced(person(), other, "tail")  # type: ignore[arg-type]


@pytest.mark.parametrize("part", INNER)
def test_a_held_part_is_carried_but_still(person, part):
    motion = person()
    held = held_part(motion, part, 5)
    assert torch.allclose(within(held, part), within(motion, part)[5].expand(60, -1, -1), atol=1e-6)
    with pytest.raises(InputError, match="no frame 60"):
        held_part(motion, part, 60)


def test_proportions_are_those_of_the_pose(person):
    motion, pose = person(1), person(2, frames=1, size=(300, 500))
    longer = pose.keypoints.clone()
    longer[0, skeleton.LEFT_WRIST, 1] += 0.1
    longer[0, skeleton.LEFT_HAND, 1] += 0.1
    target = Motion(longer, 300, 500)
    moving = with_proportions(motion, target)
    assert (moving.width, moving.height, moving.frames) == (300, 500, 60)
    theirs, got, own = target.pixels()[0], moving.pixels(), motion.pixels()
    for a, b in ((2, 3), (3, 4), (5, 6), (6, 7), (1, 2), (1, 5), (1, 0)):
        wanted = float((theirs[a] - theirs[b]).norm())
        lengths = (got[:, a] - got[:, b]).norm(dim=-1)
        ratio = (own[:, a] - own[:, b]).norm(dim=-1) / (own[0, a] - own[0, b]).norm()
        assert torch.allclose(lengths, wanted * ratio, atol=0.01)
        way = [(points[:, b] - points[:, a]) / (points[:, b] - points[:, a]).norm(dim=-1, keepdim=True)
               for points in (got, own)]  # fmt: skip
        assert torch.allclose(*way, atol=1e-3), "the directions are the motion's"
    assert torch.allclose(with_proportions(motion, motion).pixels(), own, atol=0.01)


def test_beats_emphasize_the_hands(person):
    motion = person()
    more = emphasized(motion, [30.0], 1.0)
    off = (more.keypoints - motion.keypoints)[..., :2].norm(dim=-1)
    assert off[28:33, skeleton.LEFT_WRIST].max() > 0.002 and off[:10].max() < 1e-4
    still = [*range(4), 5, *range(8, 92)]
    assert off[:, [point for point in still if point != 3]].max() == 0
    hand = (more.keypoints - motion.keypoints)[:, skeleton.LEFT_HAND, :2]
    wrist = (more.keypoints - motion.keypoints)[:, [skeleton.LEFT_WRIST], :2]
    assert torch.allclose(hand, wrist.expand_as(hand), atol=1e-6)
    assert emphasized(motion, [], 1.0) is motion and emphasized(motion, [3.0], 0.0) is motion


def test_all_operations_keep_gaps(gappy):
    motion = gappy(3)
    seen = visible_points(motion)
    for edited in (
        one_euro(motion),
        savitzky_golay(motion),
        gained(motion, "lips", 2),
        moved(motion, "head", 1, 1),
    ):
        assert (visible_points(edited) == seen).all()
