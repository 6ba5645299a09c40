"""The inputs: from the seed alone, unseen by training, and the same after a journey in a file."""

from __future__ import annotations

import ctypes.util
from dataclasses import fields, replace

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.lab.presenter.held_out import FIRST_SEED, held_out_seed, training_seed
from mmgt_core.lab.presenter.sentences import sentence
from mmgt_core.lab.presenter.speech import sample_voice
from mmgt_core.lab.tables.presenter_inputs import input_steps, make_inputs, read_inputs, write_inputs
from mmgt_core.lab.tables.specs import PresenterSpec

FRAMES = 12
LITTLE = PresenterSpec(seed=4, speech_clips=2, silent_windows=1, identities=2)


@pytest.fixture(scope="module")
def made():
    if not ctypes.util.find_library("espeak-ng"):
        pytest.skip("espeak-ng is not installed")
    calls = []
    return make_inputs(LITTLE, FRAMES, lambda *call: calls.append(call)), calls


def test_every_input_has_its_shape_and_is_finite(made):
    inputs, calls = made
    shapes = {
        field.name: tuple(getattr(inputs, field.name).shape)
        for field in fields(inputs)
        if field.name != "seed"
    }
    assert shapes == {
        "speech_features": (4, 80, 35), "speech_keypoints": (4, 80, 134, 3), "speech_clip": (4,),
        "speaks": (4,), "silent_features": (1, 80, 35), "silent_pose": (1, 134, 3), "identity": (2,),
        "rest": (2, 134, 3),
        "begin": (2,), "keypoints": (2, 80, 134, 3), "prosody": (2, 80, 35), "spectrum": (2, 80, 5, 1, 40),
        "silent_spectrum": (80, 5, 1, 40),
    }  # fmt: skip
    assert all(bool(getattr(inputs, name).isfinite().all()) for name in shapes)
    assert len(calls) == input_steps(LITTLE) == calls[-1][0] == calls[-1][1]
    assert bool(inputs.speaks.any()) and int(inputs.begin.max()) <= 80 - FRAMES
    torch.testing.assert_close(inputs.keypoints[:, 0], inputs.rest, atol=1e-6, rtol=0)


def test_the_seed_decides_who_says_what_and_another_seed_shares_nothing(made):
    inputs, _ = made
    again, other = make_inputs(LITTLE, FRAMES), make_inputs(replace(LITTLE, seed=5), FRAMES)
    assert torch.equal(inputs.identity, again.identity) and torch.equal(inputs.rest, again.rest)
    # espeak-ng's sound depends a little on what the process said before: by a few samples, not by frames.
    torch.testing.assert_close(inputs.speech_keypoints, again.speech_keypoints, atol=0.02, rtol=0)
    assert not set(inputs.identity.tolist()) & set(other.identity.tolist())
    assert (inputs.speech_keypoints - other.speech_keypoints).abs().max() > 0.1


def test_a_file_keeps_them_and_a_smaller_plan_takes_the_first(presenter_inputs, plan, tmp_path):
    path = tmp_path / "deep" / "inputs.safetensors"
    write_inputs(presenter_inputs, path)
    back = read_inputs(path)
    assert back.seed == presenter_inputs.seed
    fewer = back.limited(PresenterSpec(speech_clips=1, silent_windows=1, identities=1))
    for field in fields(back):
        if field.name != "seed":
            whole, few = getattr(back, field.name), getattr(fewer, field.name)
            assert torch.equal(whole, getattr(presenter_inputs, field.name))
            assert torch.equal(few, whole[: len(few)])
    assert (len(fewer.speech_features), len(fewer.silent_pose), len(fewer.keypoints)) == (2, 1, 1)
    assert len(fewer.speaks) == 2 and len(fewer.silent_spectrum) == 80
    assert list(path.parent.iterdir()) == [path]


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "inputs.safetensors"
    path.write_bytes(b"nothing of the kind")
    for given in (path, tmp_path / "missing"):
        with pytest.raises(InputError, match="not a file of evaluation inputs"):
            read_inputs(given)
    with pytest.raises(InputError, match="0 or more"):
        make_inputs(replace(LITTLE, seed=-1), FRAMES)


def test_evaluation_and_training_share_no_seed_no_voice_and_no_sentence():
    seeds = {held_out_seed(run, index) for run in (0, 1, 7) for index in (0, 1, 999_999)}
    assert len(seeds) == 9 and all(seed >= FIRST_SEED for seed in seeds)
    assert training_seed(0, 0) == 0 and training_seed(999, 999_999) == FIRST_SEED - 1
    for run, index in ((1000, 0), (-1, 0), (0, 1_000_000)):
        with pytest.raises(InputError, match="belong to evaluation"):
            training_seed(run, index)
    with pytest.raises(ValueError, match="runs are"):
        held_out_seed(0, 1_000_000)

    def variant(name: str) -> str:
        return name.partition("+")[2] or name

    trained = {variant(sample_voice(seed).name) for seed in range(300)}
    assert not trained & {variant(sample_voice(seed, held_out=True).name) for seed in seeds}
    said = {sentence(seed) for seed in range(300)}
    assert not said & {sentence(seed, held_out=True) for seed in range(300)}
