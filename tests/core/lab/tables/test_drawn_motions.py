"""Stage I's figures: the truth reaches every goal, an untrained model misses, the controls see a cheat."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.lab.sources.models import SMGASource
from mmgt_core.lab.tables.presenter_inputs import EvaluationInputs
from mmgt_core.pose.motion import Motion
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.network import SMGA
from mmgt_core.smga.sampling import MotionSampling

from .drawn import checks


class Oracle:
    """Knows the motion that belongs to every sound, and rests when it hears silence."""

    def __init__(self, inputs: EvaluationInputs):
        self.inputs, self.calls = inputs, 0

    def __call__(self, features, first_pose, *, seed, first_pose_ramp=True):
        self.calls += 1
        made = []
        for row, pose in zip(features, first_pose, strict=True):
            heard = (self.inputs.speech_features == row).flatten(1).all(1)
            made.append(
                self.inputs.speech_keypoints[heard][0] if heard.any() else pose.expand(len(row), -1, -1)
            )
        return torch.stack(made)


class Deaf(Oracle):
    """Makes the motion that belongs to the first pose, whatever it hears."""

    def __call__(self, features, first_pose, *, seed, first_pose_ramp=True):
        known = self.inputs.speech_keypoints
        rows = [(known[:, 0] == pose).flatten(1).all(1).nonzero() for pose in first_pose]
        return torch.stack(
            [
                known[int(row[0])] if len(row) else pose.expand(80, -1, -1)
                for row, pose in zip(rows, first_pose, strict=True)
            ]
        )


def figures(source, inputs, **more):
    return checks(inputs, "stage1", source, at_once=5, **more)


def test_the_truth_reaches_every_goal(motion_inputs):
    table = figures(Oracle(motion_inputs), motion_inputs)
    assert len(table) == 8
    for figure in table.values():
        if figure.name.startswith(("lip aperture, correlation", "wrist speed")):
            assert figure.value.value == pytest.approx(1, abs=1e-5)
        if figure.goal is not None:
            assert figure.reached_goal, figure
    assert table["hand acceleration over the truth's"].value.value == pytest.approx(1)
    assert table["frame 0 against the given pose"].value.value == pytest.approx(0, abs=1e-4)


def test_shuffled_audio_is_another_utterance_and_unmasks_the_deaf(motion_inputs):
    honest = figures(Oracle(motion_inputs), motion_inputs)["lip aperture, correlation, mean"]
    deaf = figures(Deaf(motion_inputs), motion_inputs)["lip aperture, correlation, mean"]
    assert abs(honest.beside[0].value.value) < 0.5
    assert deaf.value.value > 0.99 and deaf.beside[0].value.value > 0.99 and not deaf.passed


def test_windows_that_do_not_speak_do_not_count(motion_inputs):
    silent = int((~motion_inputs.speaks).nonzero()[0, 0])
    mute = motion_inputs.speech_features[silent].clone()
    source = Oracle(motion_inputs)

    def frozen_there(features, first_pose, **options):
        made = source(features, first_pose, **options).clone()
        here = (features == mute).flatten(1).all(1)
        made[here] = made[here, :1]
        return made

    table = figures(frozen_there, motion_inputs)
    assert table["lip aperture, correlation, mean"].value.value == pytest.approx(1, abs=1e-5)
    assert table["lip aperture, correlation, mean"].clips == int(motion_inputs.speaks.sum())


def test_an_untrained_model_misses_and_every_piece_is_reported(motion_inputs):
    config = SMGAConfig(
        width=32, ffn=32, layers=1, heads=2, encoder_layers=1, audio_channels=35, steps=3, guidance=1.0
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SMGA(config)
    seen = []
    table = figures(SMGASource(model), motion_inputs, calls=seen)
    assert not table["lip aperture, correlation, mean"].passed
    assert not table["hand acceleration over the truth's"].passed
    first = table["frame 0 against the given pose"]
    assert first.value.value < 0.01 < first.beside[0].value.value, (
        "the ramp keeps the first pose, without it it is lost"
    )
    speech = len(motion_inputs.speech_features)
    counts = {"speech": speech, "shuffled": speech, "silence": 2, "without-ramp": speech}
    assert [call[:3] for call in seen] == [
        (f"measuring {row}", done, total) for row, total in counts.items() for done in range(1, total + 1)
    ]


def test_one_window_equals_what_the_product_makes(motion_inputs):
    config = SMGAConfig(width=32, ffn=32, layers=1, heads=2, encoder_layers=1, audio_channels=35, steps=3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SMGA(config).eval()
    features, pose = motion_inputs.prosody[:1], motion_inputs.rest[:1]
    batched = SMGASource(model)(features, pose, seed=5)[0]
    # Overlapping windows draw their noise in another order; given the same noise, one window is the same
    # (tests/core/smga/test_overlap.py).
    sampling = MotionSampling(seed=5, chaining="chained", visibility="portrait", body_limits=False)
    alone = generate_motion(model, features[0], Motion(pose), sampling).keypoints
    torch.testing.assert_close(batched, alone, atol=1e-5, rtol=0)


def test_a_resumed_run_asks_the_model_nothing_and_tells_the_same(motion_inputs, tmp_path):
    path, source = tmp_path / "journal.jsonl", Oracle(motion_inputs)
    first = figures(source, motion_inputs, journal=path)
    calls = source.calls
    second = figures(source, motion_inputs, journal=path)
    assert source.calls == calls and {k: f.value for k, f in first.items()} == {
        k: f.value for k, f in second.items()
    }
