"""The host's samplers on the shipped demo model: all are finite and follow every frame's own condition, the
deterministic ones agree with euler, the others open the mouth as it does. docs/samplers.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from .running import Executor, output_of
from .test_nodes import node

FIRST, FRAMES, STEPS, SEED = 24, 10, 20, 3
DETERMINISTIC = ("ddim", "dpmpp_2m", "heun", "dpm_2", "uni_pc")
STOCHASTIC = ("dpmpp_sde",)
NEAR_EULER, MOUTH = 25.0, 0.1  # dB of the pictures; of the correlation
FOLLOWS = 0.5  # correlation of ten mouths with ten keypoints; those of another moment have none


@dataclass(frozen=True)
class Result:
    """Pictures (frames, height, width, 3) of a sampler, and how well their mouths follow the motion's."""

    pictures: Any
    mouth: float

    def decibels(self, other: Result) -> float:
        return float(-10 * np.log10(np.mean((self.pictures - other.pictures) ** 2) + 1e-12))


@pytest.fixture(scope="module")
def demo(pack):
    """Function: sampler, cfg, windows at once, MODEL -> Result of half a second of the demo's speech."""
    prompt = {
        "demo": node("MMGTDemoInputs"),
        "speech": node("LoadAudioFeatures", audio=["demo", 2], duration=(FIRST + FRAMES) / 25),
        "smga": node("MMGTLoadMotionModel"),
        "motion": node("SMGAPoseGenerate", motion_model=["smga", 0], audio_features=["speech", 0],
                       pose=["demo", 1], seed=1),
        "save": node("MMGTSaveMotion", motion=["motion", 0]),
    }  # fmt: skip
    executor = Executor()
    run = executor.run(prompt)
    assert run.success, run.error
    chosen = list(range(FIRST, FIRST + FRAMES))
    motion = output_of(executor, "motion")[0].window(chosen)
    speech = output_of(executor, "speech")[0].window(chosen)
    portrait = output_of(executor, "demo")[0]
    assets, nodes, clips = pack("mmgt_core.assets"), pack("nodes.comfy.sampling"), pack("nodes.comfy.clip")
    video = pack("nodes.comfy.load_video_model").load_host_video_model(
        assets.asset(assets.VIDEO_MODEL), torch.float32
    )
    choices = pack("mmgt_core.video.sampling").Sampling
    clip, framing = clips.make_clip(video, video.vae, portrait, motion, None, speech, None, choices())
    mouth = pack("mmgt_core.pose.mouth")
    meter, decode = pack("mmgt_core.lab.presenter.mouth_meter"), pack("nodes.comfy.decoding").decoded_images

    def run_sampler(sampler: str, cfg: float = 1.0, at_once: int = 1, model: Any = None) -> Result:
        sampling = choices(seed=SEED, steps=STEPS, cfg=cfg, windows_at_once=at_once)
        prepared = nodes.prepare(model or video.model, video, clip, framing, sampling)
        latent = nodes.sample(prepared, sampler, SEED)
        assert latent["samples"].isfinite().all()
        pictures = decode(latent, video.vae).numpy()
        opening = meter.mouth_opening((pictures * 255).astype(np.uint8), motion)
        return Result(pictures, float(np.corrcoef(opening, mouth.aperture(motion).numpy())[0, 1]))

    kept: dict[Any, Result] = {}

    def result(sampler: str, **settings: Any) -> Result:
        key = (sampler, *sorted((name, str(value)) for name, value in settings.items()))
        if key not in kept:
            kept[key] = run_sampler(sampler, **settings)
        return kept[key]

    return result


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["euler", *DETERMINISTIC, *STOCHASTIC])
def test_sampler(demo, sampler, measured):
    found, euler = demo(sampler), demo("euler")
    decibels, apart = found.decibels(euler), abs(found.mouth - euler.mouth)
    measured(f"{sampler}: dB to euler", decibels)
    measured(f"{sampler}: mouth correlation", found.mouth)
    assert found.mouth > FOLLOWS, "each frame follows its own condition"
    if sampler in STOCHASTIC:
        assert apart <= MOUTH
    else:
        assert decibels >= NEAR_EULER


@pytest.mark.slow
def test_windows_side_by_side_give_the_same(demo):
    assert demo("euler", at_once=2).decibels(demo("euler")) >= 40


@pytest.mark.slow
def test_guidance(demo, measured):
    """cfg 1 leaves the negative side out; more than 1 is seen. The demo model was not trained for it: how
    well the mouth follows then is printed, not asserted.
    """
    guided = demo("euler", cfg=2.0)
    measured("euler, cfg 2: mouth correlation", guided.mouth)
    assert guided.decibels(demo("euler")) < 60
