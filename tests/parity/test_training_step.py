"""One training step of the video phase: prediction, loss and gradients (docs/method.md 2.12)."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from mmgt_core.checkpoints.video_keys import is_audio_convolution, official_keys
from mmgt_core.video.scheduler import Schedule, v_loss
from mmgt_core.video.state import RunState

from .tiny_weights import frames_apart, frames_first, golden_bank, golden_masks, tiny_model

TOLERANCE = 1e-4


@pytest.fixture
def golden(goldens):
    return goldens("stage2/training_step.safetensors")


@pytest.fixture
def model(golden_record):
    """A copy whose audio modules, motion modules and audio projection want gradients, as in the published
    phase.
    """
    model = copy.deepcopy(tiny_model(golden_record))
    for part in (model.adapter.audio, model.adapter.motion, model.adapter.audio_projection):
        part.requires_grad_(True)
    return model


def predict(model, golden, *, reference=True, audio=True):
    images = frames_first(golden.use("pose_images")).float() / 255
    state = RunState(
        rows=1,
        bank=golden_bank(model, golden) if reference else None,
        audio_tokens=model.adapter.audio_tokens(golden.use("audio_windows")[0]),
        audio_rows=(audio,),
        masks=golden_masks(golden, full=True),
        pose_features=model.adapter.pose_features(images),
    )
    context = model.context(golden.use("clip_embeds"))
    return model.predict(frames_first(golden.use("noisy_latents")), golden.use("timestep"), context, state)


def test_loss_and_gradients(model, golden):
    schedule, t = Schedule("scaled_linear"), golden.use("timestep")
    latents, noise = golden.use("latents"), golden.use("noise")
    golden.close("noisy_latents", schedule.add_noise(latents, noise, t), atol=1e-5)
    golden.close("target_v", schedule.velocity(latents, noise, t), atol=1e-5)
    golden.close("loss_weight", schedule.min_snr_weight(t), atol=1e-5)

    prediction = predict(model, golden)
    golden.close("model_pred", frames_apart(prediction, 1), atol=TOLERANCE)
    loss = v_loss(prediction, frames_first(golden.use("target_v")), schedule.min_snr_weight(t))
    golden.close("loss", loss[None], atol=TOLERANCE)
    loss.backward()

    names = official_keys(model)
    parameters = dict(model.named_parameters())
    compared = [name for name in golden.tensors if name.startswith("grad.")]
    assert compared
    for name in compared:
        official = name.removeprefix("grad.")
        official = official if official.startswith("audioproj.") else f"denoising_unet.{official}"
        gradient = parameters[names[official]].grad
        if is_audio_convolution(official):
            gradient = gradient[..., None, None]
        golden.close(name, gradient, atol=TOLERANCE * max(1.0, float(golden.use(name).abs().max())))
    squares = [p.grad.square().sum() for p in parameters.values() if p.grad is not None]
    norm = math.sqrt(float(torch.stack(squares).sum()))
    golden.close("grad_norm_trainable", torch.tensor([norm]), rtol=1e-4)


def test_dropped_conditions(model, golden):
    with torch.no_grad():
        golden.close(
            "model_pred_uncond_image",
            frames_apart(predict(model, golden, reference=False), 1),
            atol=TOLERANCE,
        )
        golden.close(
            "model_pred_uncond_audio", frames_apart(predict(model, golden, audio=False), 1), atol=TOLERANCE
        )


class Nothing:
    """A source of clips that is never read."""

    black_embeds = None


def test_the_trainers_own_loss_is_the_goldens(model, golden):
    """`VideoLoss` with the published trainer's choices, on the golden's batch."""
    from mmgt_core.lab.training.video_loss import BatchSettings, VideoLoss

    settings = BatchSettings(
        clips=1, frames=5, audio=True, motion=True, beta_schedule="scaled_linear", region_weights=(1, 1, 1)
    )
    loss = VideoLoss(model, Nothing(), settings)
    t = golden.use("timestep").reshape(1)
    latents, noise = (frames_first(golden.use(name)) for name in ("latents", "noise"))
    times = t.repeat_interleave(settings.frames)
    levels = golden_masks(golden, full=True).levels
    tensors = {
        "times": t,
        "noisy": loss.schedule.add_noise(latents, noise, times),
        "target": loss.schedule.velocity(latents, noise, times),
        "snr": loss.schedule.min_snr_weight(t),
        "references": golden.use("ref_latents"),
        "embeds": golden.use("clip_embeds").reshape(1, -1),
        "poses": frames_first(golden.use("pose_images")),
        "sound": golden.use("audio_windows")[0],
        "heard": torch.ones(settings.frames),
        "weights": torch.ones(settings.frames, 1, *latents.shape[-2:]),
        **{f"masks{n}": level for n, level in enumerate(levels)},
    }
    with model.attached():
        found = loss.loss(tensors, 0)["loss"]
    golden.close("loss", found[None], atol=TOLERANCE)
