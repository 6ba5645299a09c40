"""Four DDIM steps over two wrapping windows with guidance (docs/method.md 2.10 and 2.11)."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
import torch

from mmgt_core.video.conditions import ClipConditions
from mmgt_core.video.noise import initial_noise
from mmgt_core.video.scheduler import Schedule
from mmgt_core.video.windows import context_windows

from ..denoising import SeenSteps, denoise
from .as_published import as_published
from .tiny_weights import context_rows, frames_apart, frames_first, golden_masks, tiny_model

FORWARD, PIPELINE = 1e-4, 2e-3


@pytest.fixture
def golden(goldens):
    return goldens("stage2/pipeline_ddim4.safetensors")


@pytest.fixture
def model(golden_record):
    return tiny_model(golden_record)


@pytest.fixture
def conditions(model, golden):
    images = golden.use("pose_images")
    return ClipConditions.build(
        model,
        golden.use("ref_latents"),
        images,
        len(images),
        latent_size=tuple(golden.use("ref_latents").shape[-2:]),
        audio=golden.use("audio_windows")[0],
        masks=golden_masks(golden, full=False),
        image_embeds=golden.use("clip_embeds"),
    )


def settings(golden):
    meta = golden.metadata
    return {
        "steps": int(meta["steps"]),
        "cfg": float(meta["guidance"]),
        "window": int(meta["context_frames"]),
        "overlap": int(meta["context_overlap"]),
        "closed_loop": True,
    }


def scales(golden):
    return tuple(float(value) for value in golden.metadata["motion_scale"].split(","))


@pytest.mark.parametrize(
    ("form", "at_once"),
    [(nullcontext, 1), (nullcontext, 2), (as_published, 1)],
    ids=["", "two windows", "as published"],
)
def test_pipeline(model, golden, conditions, form, at_once):
    seen = SeenSteps()
    with form():
        final = denoise(
            model,
            conditions,
            seed=int(golden.metadata["seed"]),
            region_weights=scales(golden),
            work=seen,
            windows_at_once=at_once,
            **settings(golden),
        )
    assert len(seen.latents) == int(golden.metadata["steps"])
    for step, x in enumerate(seen.latents):
        golden.close(f"latents_after_step_{step}", frames_apart(x, 1), atol=PIPELINE)
    golden.close("final_latents", frames_apart(final, 1), atol=PIPELINE)


def test_pipeline_with_equal_region_weights(model, golden, conditions):
    final = denoise(
        model,
        conditions,
        noise=frames_first(golden.use("initial_latents")),
        region_weights=(1, 1, 1),
        **settings(golden),
    )
    golden.close("final_latents_scale_ignored", frames_apart(final, 1), atol=PIPELINE)


def test_what_goes_in(model, golden, conditions):
    golden.close("timesteps", torch.tensor(Schedule().timesteps(int(golden.metadata["steps"]))))
    noise = initial_noise(
        conditions.frames, model.config, conditions.latent_size, int(golden.metadata["seed"])
    )
    # Logarithms and cosines make normal numbers of the random bits, and differ in the last bits by processor.
    golden.close("initial_latents", frames_apart(noise, 1), atol=1e-5)
    golden.close("audio_tokens", conditions.audio(range(conditions.frames))[None], atol=FORWARD)
    (stored,) = [name for name in golden.tensors if name.startswith("pose_features_")]
    frames = [int(number) for number in re.findall(r"_f(\d+)", stored)]
    golden.close(stored, frames_apart(conditions.pose(frames), 1), atol=FORWARD)
    windows = context_windows(conditions.frames, settings(golden)["window"], settings(golden)["overlap"])
    golden.close("contexts", torch.tensor(windows))
    # The portrait enters as `ref_latents`: its encoder is not in the golden. It is an image of the latents'
    # size.
    assert golden.use("ref_image").shape[0] == 8 * golden.use("ref_latents").shape[-2]


@pytest.mark.parametrize("number", [0, 1])
def test_each_window_of_the_first_step(model, golden, conditions, number):
    window = golden.use("contexts")[number].tolist()
    rows = golden.use(f"step0_window{number}_latent_in")
    assert torch.equal(rows[0], golden.use("initial_latents")[0][:, window])
    state = conditions.state([window], (False, True), scales(golden))
    context = context_rows(model, golden.use("clip_embeds"), (False, True))
    assert torch.equal(conditions.contexts(1, (False, True)), context)
    with torch.no_grad(), model.attached(model.adapter.fold()):
        v = model.predict(frames_first(rows), golden.use("timesteps")[:1], context, state)
    golden.close(f"step0_window{number}_pred", frames_apart(v, 2), atol=FORWARD)
