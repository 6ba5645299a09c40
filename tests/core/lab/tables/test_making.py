"""Options of a row reach the models: what each changes in what they are given."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.lab.tables.making import RowMaker
from mmgt_core.lab.tables.presenter import presenter_scenes
from mmgt_core.lab.tables.specs import RowSpec
from mmgt_core.lab.training.hiding import freeze_face, hide_mouth
from mmgt_core.pose.motion import Motion

from .drawn import Given

SEED, FRAMES = 40, 6


class Recorder:
    """Keeps what it is given, and makes gray images."""

    size, radius = 64, 2

    def __init__(self):
        self.calls = []

    def render(self, portrait, motion, audio, **options):
        self.calls.append({"portrait": portrait, "motion": motion.keypoints, "audio": audio, **options})
        return torch.full((motion.frames, self.size, self.size, 3), 0.5)

    def through_autoencoder(self, frames):
        self.calls.append({"frames": frames})
        return frames / 2

    def __call__(self, features, first_pose, *, seed, first_pose_ramp=True):
        self.calls.append({"features": features, "seed": seed, "ramp": first_pose_ramp})
        return first_pose[:, None].expand(-1, features.shape[1], -1, -1)


@pytest.fixture
def people(presenter_inputs):
    return presenter_scenes(presenter_inputs)["presenters"]


def made(row, scenes):
    """What the models were given, and the clips."""
    source = Recorder()
    maker = RowMaker(row, Given(source, source), None, SEED, FRAMES)  # type: ignore[arg-type]
    return source.calls, list(maker.make(scenes))


def rendered(person, **options):
    calls, clips = made(RowSpec("row", "true", "video", **options), [person])
    assert clips[0].frames is not None and len(clips[0].frames) == FRAMES
    return calls[0]


def test_a_plain_row_is_given_what_belongs_to_the_clip(people):
    me = people[1]
    call = rendered(me)
    assert torch.equal(call["portrait"], me.portrait(64))
    assert torch.equal(call["motion"], me.shown(FRAMES).keypoints)
    assert torch.equal(call["audio"], me.bands[me.begin : me.begin + FRAMES])
    assert call["seed"] == SEED + 1 and call["masked"] is None and call["steps"] is call["cfg"] is None


def test_pose_portrait_and_sound_can_be_the_others_where_it_speaks_most(people):
    me, other = people[1], people[1].other
    assert other is not me and other.begin != me.begin
    assert torch.equal(rendered(me, portrait="other")["portrait"], other.portrait(64))
    wrong = rendered(me, pose="other")
    assert torch.equal(wrong["motion"], other.shown(FRAMES).keypoints)
    assert torch.equal(wrong["audio"], me.bands[me.begin : me.begin + FRAMES])
    audio = rendered(me, sound="other")["audio"]
    assert torch.equal(audio, other.bands[other.begin : other.begin + FRAMES])
    assert torch.equal(rendered(me, sound="none")["audio"], me.quiet_bands[me.begin : me.begin + FRAMES])


def test_hidden_lips_are_in_neither_pose_image_nor_masks(people):
    call, shown = rendered(people[0], lips="hidden"), people[0].shown(FRAMES)
    assert torch.equal(call["motion"], hide_mouth(shown).keypoints)
    assert torch.equal(call["masked"].keypoints, freeze_face(shown).keypoints)


def test_steps_and_guidance_are_the_samplers(people):
    call = rendered(people[0], steps=7, guidance=1.5)
    assert (call["steps"], call["cfg"]) == (7, 1.5)


def test_a_ceiling_is_the_true_frames_through_the_autoencoder(people):
    calls, (clip,) = made(RowSpec("row", "true", "video", autoencoder=True), people[:1])
    assert torch.equal(calls[0]["frames"], people[0].images(64, FRAMES))
    assert torch.equal(clip.frames, people[0].images(64, FRAMES) / 2)


def test_windows_are_made_in_one_batch_and_shown_in_step_with_their_sound(people):
    row = RowSpec("row", "motion", "video", "other", sampler="window", ramp=False)
    calls, clips = made(row, people)
    batch, *renders = calls
    assert torch.equal(batch["features"], torch.stack([person.other.prosody for person in people]))
    assert batch["seed"] == SEED and batch["ramp"] is False
    for person, clip, call in zip(people, clips, renders, strict=True):
        assert torch.equal(clip.motion.keypoints[3], person.first.keypoints[0])
        assert torch.equal(call["audio"], person.other.bands[person.begin : person.begin + FRAMES])


def test_a_held_pose_is_the_first(people):
    calls, (clip,) = made(RowSpec("row", "first pose", "video"), people[:1])
    still = people[0].first.keypoints.expand(FRAMES, -1, -1)
    assert torch.equal(calls[0]["motion"], still) and isinstance(clip.motion, Motion)
