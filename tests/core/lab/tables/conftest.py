"""Small evaluation inputs with a known law, made without espeak-ng, librosa or a model."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmgt_core.lab.metrics import motion as measure
from mmgt_core.lab.presenter.figure import rest_pose
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.lab.presenter.motion_rules import perform
from mmgt_core.lab.presenter.phonemes import Phoneme
from mmgt_core.lab.tables.presenter_inputs import EvaluationInputs
from mmgt_core.lab.tables.specs import PresenterSpec
from mmgt_core.pose.motion import CANVAS
from mmgt_core.pose.mouth import LOWER_INNER_LIP

FRAMES = 80


def smooth(generator: torch.Generator, *shape: int) -> torch.Tensor:
    """Random curves along the last axis without jumps, about N(0, 1)."""
    noise = torch.randn(*shape, FRAMES + 8, generator=generator)
    return noise.unfold(-1, 9, 1).mean(-1) * 3


def moved(rest: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(windows, 80, 134, 3): lips that open and hands that wave about a rest pose (windows, 134, 3)."""
    count = len(rest)
    keypoints = rest[:, None].expand(-1, FRAMES, -1, -1).clone()
    opening = smooth(generator, count).abs() * 6 / CANVAS
    keypoints[:, :, list(LOWER_INNER_LIP), 1] += opening[..., None]
    for hand in (measure.WRISTS[:1], measure.WRISTS[1:]):
        keypoints[:, :, list(hand), 0] += smooth(generator, count)[..., None] * 20 / CANVAS
    keypoints[:, :, list(measure.HANDS), :2] += (
        smooth(generator, count, 2).movedim(1, -1)[:, :, None] * 20 / CANVAS
    )
    return keypoints


@pytest.fixture(scope="session")
def plan() -> PresenterSpec:
    return PresenterSpec(speech_clips=4, silent_windows=2, identities=3)


@pytest.fixture(scope="session")
def motion_inputs(plan) -> EvaluationInputs:
    """Inputs whose Stage I half is real and whose presenters are placeholders."""
    generator = torch.Generator().manual_seed(0)
    count = plan.speech_clips * plan.windows_per_clip
    points = torch.rand(1, 134, 2, generator=generator)
    rest = torch.cat([points, torch.ones(1, 134, 1)], -1)
    return EvaluationInputs(
        seed=3,
        speech_features=torch.randn(count, FRAMES, 35, generator=generator),
        speech_keypoints=moved(rest.expand(count, -1, -1), generator),
        speech_clip=torch.arange(count) // plan.windows_per_clip,
        speaks=torch.tensor([True] * (count - 1) + [False]),
        silent_features=torch.zeros(plan.silent_windows, FRAMES, 35),
        silent_pose=rest.expand(plan.silent_windows, -1, -1).clone(),
        identity=torch.arange(plan.identities),
        rest=rest.expand(plan.identities, -1, -1).clone(),
        begin=torch.arange(plan.identities) * 3,
        keypoints=moved(rest.expand(plan.identities, -1, -1), generator),
        prosody=torch.randn(plan.identities, FRAMES, 35, generator=generator),
        spectrum=torch.randn(plan.identities, FRAMES, 5, 1, 40, generator=generator),
        silent_spectrum=torch.zeros(FRAMES, 5, 1, 40),
    )


@pytest.fixture(scope="session")
def presenter_inputs(motion_inputs) -> EvaluationInputs:
    """Inputs whose presenters really speak: open and closed sounds at random, by the presenter's own law."""
    generator = torch.Generator().manual_seed(1)
    identities = [sample_identity(seed) for seed in (11, 12, 13)]
    motions = []
    for identity in identities:
        sounds = [
            ("a", "m", "i", "t", "u", "p")[int(i)] for i in torch.randint(6, (36,), generator=generator)
        ]
        phonemes = [Phoneme(sound, 0.09 * i, 0.09 * (i + 1), stress=2) for i, sound in enumerate(sounds)]
        motions.append(perform(phonemes, FRAMES / 25, identity, seed=5).motion.keypoints)
    count = len(identities)
    return replace(
        motion_inputs,
        identity=torch.tensor([identity.seed for identity in identities]),
        rest=torch.stack([torch.as_tensor(rest_pose(identity)) for identity in identities]),
        begin=torch.tensor([20, 32, 44]),
        keypoints=torch.stack(motions),
        prosody=torch.randn(count, FRAMES, 35, generator=generator),
        spectrum=torch.randn(count, FRAMES, 5, 1, 40, generator=generator),
    )
