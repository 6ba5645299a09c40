"""What overlapping windows are for: no seams, and errors that cannot add up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from mmgt_core.lab.metrics.seams import at_seams, liveliness
from mmgt_core.pose.motion import Motion
from mmgt_core.smga import diffusion
from mmgt_core.smga import overlap as module
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.diffusion import ddim_sample
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.network import SMGA
from mmgt_core.smga.overlap import sample_overlapping
from mmgt_core.smga.sampling import MotionSampling


class Drifting:
    """Stands for `Guided` with a network whose windows end a little farther from their first pose."""

    drift = 0.002  # a pixel

    def __init__(self, model, times, guidance):
        self.model = model

    def windows(self, audio, copies=1):
        return SimpleNamespace(bytes=0)

    def __call__(self, x, first, windows, step):
        place = torch.linspace(0, 1, x.shape[1])[None, :, None]
        return first[:, None] + self.drift * place


@pytest.mark.parametrize("steps", [5, 50])
def test_errors_wander_no_farther_than_conditions_are_handed_on(steps, monkeypatch):
    """Chained, 40 windows drift 40 times as far as one; overlapping, as often as conditions are refreshed."""
    monkeypatch.setattr(module, "Guided", Drifting)
    monkeypatch.setattr(diffusion, "Guided", Drifting)
    config = SMGAConfig(width=16, ffn=16, layers=1, heads=1, audio_channels=2, guidance=1.0)
    model = SMGA(config).eval()
    pose = Motion(torch.full((1, 134, 3), 0.5))
    settings = {"seed": 0, "steps": steps, "eta": 0.0}
    chained, overlapping = (
        generate_motion(model, torch.zeros(3200, 2), pose, MotionSampling(chaining=chaining, **settings))
        for chaining in ("chained", "overlap")
    )
    far = [float((m.pixels() - m.pixels()[0]).abs().amax()) for m in (chained, overlapping)]
    assert far[0] > 35
    assert far[1] < module.REFRESHES + 2


def test_seams_do_not_show(model, config, random):
    """Even an untrained network, whose windows disagree, moves at seams as it does inside."""
    features = torch.randn(900, config.audio_channels, generator=random)
    pose = Motion(torch.rand(1, 134, 3, generator=random))
    motion = generate_motion(model, features, pose, MotionSampling(seed=1, steps=4, overlap=20))
    seams = [start + 10 for start in range(60, 820, 60)]
    here, inside = at_seams(liveliness(motion, range(134))[1], seams)
    assert here.mean() < 1.5 * inside.mean()


def test_the_pose_comes_first_and_features_may_lie_anywhere(model, config, random):
    pose = 0.2 * torch.randn(402, generator=random)
    features = torch.randn(130, config.audio_channels, generator=random).double()
    motion = sample_overlapping(model, features, pose, seed=0, steps=2)
    assert motion.shape == (130, 402) and motion.dtype == torch.float32
    torch.testing.assert_close(motion[0], pose, atol=1e-5, rtol=0)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_one_window_is_the_published_sampler(model, config, random, guidance):
    """Given the same noise, a recording of one window is what `ddim_sample` makes of it."""
    pose, features = 0.2 * torch.randn(402, generator=random), torch.randn(80, 5, generator=random)
    seeds = torch.randint(2**62, (3,), generator=torch.Generator().manual_seed(7)).tolist()
    noise = torch.stack([module._noise(seed, 80, 402) for seed in seeds])[:, None]
    published = ddim_sample(model, pose[None], features[None], steps=3, guidance=guidance, noise=noise)
    overlapping = sample_overlapping(model, features, pose, seed=7, steps=3, guidance=guidance)
    torch.testing.assert_close(overlapping, published[0], atol=1e-5, rtol=0)
