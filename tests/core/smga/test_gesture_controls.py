"""Stage I models that read a gesture track: what they take, and what models without one refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.checkpoints.smga import load_smga, save_smga
from mmgt_core.pose.gesture_track import CHANNELS, GestureChoices, draw_track, neutral_track
from mmgt_core.pose.motion import Motion
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.network import SMGA
from mmgt_core.smga.sampling import MotionSampling

FRAMES = 100


@pytest.fixture(scope="module")
def controlled() -> SMGA:
    sizes = {"width": 16, "ffn": 32, "layers": 2, "heads": 2, "audio_channels": 5}
    config = SMGAConfig(**sizes, dropout=0.0, guidance=1.0, control_channels=CHANNELS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SMGA(config).eval()


@pytest.fixture(scope="module")
def features() -> torch.Tensor:
    return torch.randn(FRAMES, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def pose() -> Motion:
    return Motion(torch.rand(1, 134, 3, generator=torch.Generator().manual_seed(2)))


def made(model, features, pose, track=None, seed=3, **choices) -> torch.Tensor:
    sampling = MotionSampling(seed=seed, steps=2, **choices)
    return generate_motion(model, features, pose, sampling, track=track).keypoints


def test_a_given_track_counts_and_without_one_the_seed_draws_it(controlled, features, pose):
    drawn = made(controlled, features, pose)
    same = torch.from_numpy(draw_track(FRAMES, 3, GestureChoices()))
    assert torch.equal(drawn, made(controlled, features, pose, same))
    other = torch.from_numpy(draw_track(FRAMES, 4, GestureChoices()))
    assert not torch.allclose(drawn, made(controlled, features, pose, other), atol=1e-4)


@pytest.mark.parametrize(
    "choice", [{"style": "calm"}, {"strength": 0.3}, {"handedness": "left"}], ids=lambda c: next(iter(c))
)
def test_every_choice_changes_the_motion(controlled, features, pose, choice):
    tracks = lambda seed, **given: draw_track(FRAMES, seed, GestureChoices(**given))  # noqa: E731
    seed = next(seed for seed in range(50) if not np.array_equal(tracks(seed), tracks(seed, **choice)))
    plain = made(controlled, features, pose, seed=seed)
    assert not torch.allclose(plain, made(controlled, features, pose, seed=seed, **choice))


@pytest.mark.parametrize("chaining", ["overlap", "chained", "official"])
def test_every_way_of_joining_windows_reads_the_track(controlled, features, pose, chaining):
    one, other = (
        made(controlled, features, pose, torch.from_numpy(draw_track(FRAMES, seed)), chaining=chaining)
        for seed in (1, 2)
    )
    assert not torch.allclose(one, other, atol=1e-4)


def test_audio_without_a_track_counts_as_neutral(controlled, features):
    neutral = torch.cat([features[:80], torch.from_numpy(neutral_track(80))], dim=1)[None]
    with torch.no_grad():
        plain, whole = controlled.audio_tokens(features[None, :80]), controlled.audio_tokens(neutral)
    assert torch.equal(plain[0], whole[0]) and torch.equal(plain[1], whole[1])


def test_the_file_keeps_the_channels(controlled, features, pose, tmp_path):
    save_smga(tmp_path / "m.safetensors", controlled)
    loaded = load_smga(tmp_path / "m.safetensors")
    assert loaded.config == controlled.config
    assert torch.equal(made(loaded, features, pose), made(controlled, features, pose))


def test_models_without_a_track_refuse_choices_and_tracks_in_one_sentence(controlled, features, pose):
    plain = SMGA(replace(controlled.config, control_channels=0)).eval()
    made(plain, features, pose)  # the defaults ask for nothing
    for choice in ({"style": "open"}, {"strength": 0.5}, {"handedness": "right"}):
        with pytest.raises(InputError, match="does not read style, strength and handedness"):
            made(plain, features, pose, **choice)
    with pytest.raises(InputError, match="reads no gesture track"):
        made(plain, features, pose, torch.from_numpy(neutral_track(FRAMES)))


@pytest.mark.parametrize("frames", [FRAMES - 1, FRAMES + 1])
def test_a_track_of_another_length_is_refused(controlled, features, pose, frames):
    with pytest.raises(InputError, match="gesture track"):
        made(controlled, features, pose, torch.from_numpy(neutral_track(frames)))
    track = torch.from_numpy(neutral_track(FRAMES))
    track[5, 5] = float("nan")
    with pytest.raises(InputError, match="not finite"):
        made(controlled, features, pose, track)


def test_only_the_known_track_can_be_configured():
    with pytest.raises(ValueError, match="control_channels"):
        SMGAConfig(control_channels=3)
    assert SMGAConfig().control_channels == 0 and SMGAConfig().condition_channels == 1059


def test_body_limits_hold_in_what_is_generated(controlled, features):
    """An untrained network throws arms about; its motion keeps the limits, but for the official preset."""
    from mmgt_core import assets
    from mmgt_core.pose.body_limits import violations
    from mmgt_core.pose.openpose import read_pose_file

    first = read_pose_file(assets.asset(assets.POSE))
    kept, free = (
        generate_motion(controlled, features, first, MotionSampling(seed=1, steps=2, body_limits=limits))
        for limits in (None, False)
    )
    assert violations(free, first).bones.any()
    assert not violations(kept, first).bones.any()
    assert torch.equal(kept.keypoints[0], free.keypoints[0])
