"""Batches of the video phase, and what its loss reaches."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("accelerate")

from mmgt_core.lab.training.draws import Draws
from mmgt_core.lab.training.image import new_model
from mmgt_core.lab.training.presenter_data import PictureSet
from mmgt_core.lab.training.video_data import VideoSet
from mmgt_core.lab.training.video_loss import BatchSettings, VideoLoss

from .tiny_recipe import tiny_recipe

CLIPS, FRAMES, SIDE = 3, 5, 16
SIZES = tiny_recipe().image.model


@pytest.fixture(scope="module")
def data() -> VideoSet:
    """Every tensor holds its own clip and frame, so that a test can see what was chosen."""
    generator = torch.Generator().manual_seed(0)
    where = torch.arange(SIDE).float()
    grid = torch.stack(torch.meshgrid(where, where, indexing="ij"))  # y, x
    tag = torch.stack(torch.meshgrid(torch.arange(CLIPS), torch.arange(FRAMES), indexing="ij"), -1).float()
    latents = torch.cat(
        [
            grid.expand(CLIPS, FRAMES, -1, -1, -1),
            tag[..., None, None].expand(-1, -1, -1, SIDE, SIDE),
        ],
        2,
    )
    number = 10 * tag[..., 0] + tag[..., 1]
    frames = number[..., None, None, None].expand(-1, -1, SIDE * 8, SIDE * 8, 3).to(torch.uint8)
    masks = [number[..., None, None, None].expand(-1, -1, 3, SIDE // 2**n, SIDE // 2**n) for n in range(4)]
    corner = torch.rand(CLIPS, FRAMES, 5, 2, generator=generator) * 0.8
    pictures = PictureSet(
        frames=frames,
        poses=frames,
        references=frames[:, :2],
        boxes=torch.cat([corner, corner + 0.2], -1),
        masks=tuple(m.half() for m in masks),
        sound=tag[..., None, None, :1].expand(-1, -1, 5, 1, 40).half(),
        openings=tag[..., 0],
    )
    return VideoSet(pictures, latents.half(), latents[:, :2].half())


@pytest.mark.parametrize("frames,rows", [(1, 3), (4, 2)])
def test_everything_in_a_batch_is_of_the_same_clip_and_time(data: VideoSet, frames: int, rows: int) -> None:
    settings = BatchSettings(clips=4, rows=rows, frames=frames, pixels=2)
    loss = VideoLoss(new_model(SIZES, 0), data, settings)
    for seed in range(6):
        tensors, _ = loss.inputs(Draws(seed, 0))
        signal, rest = loss.schedule.coefficients(
            tensors["times"].repeat_interleave(frames), tensors["noisy"]
        )
        latents = signal * tensors["noisy"] - rest * tensors["target"]
        assert len(latents) == 4 * rows * frames
        # Clip and frame of each row, and its reference.
        clip, frame = latents[:, 2, 0, 0].round(), latents[:, 3, 0, 0].round()
        assert torch.equal(tensors["sound"][:, 0, 0, 0], clip)
        assert torch.equal(tensors["references"][:, 2, 0, 0].repeat_interleave(rows * frames), clip)
        assert torch.equal(tensors["masks0"][:, 0, 0, 0], 10 * clip + frame)
        assert torch.equal(tensors["poses"][:, 0, 0, 2].float(), 10 * clip + frame)
        assert torch.equal(tensors["images"], tensors["poses"][:2])
        steps = frame.unflatten(0, (-1, frames)).diff(dim=1)
        assert (steps == 1).all()


def test_pixels_of_true_latents_have_no_error_but_the_decoders(data: VideoSet) -> None:
    """What the pixel loss decodes is the prediction: for the true velocity the true latents."""
    settings = BatchSettings(clips=1, rows=1, frames=2, pixels=2)
    loss = VideoLoss(new_model(SIZES, 0), data, settings)
    tensors, _ = loss.inputs(Draws(0, 0))
    exact = loss._pixel_loss(tensors["target"], tensors)
    assert exact < loss._pixel_loss(tensors["target"] + 1, tensors)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_references_are_dropped_as_often_as_asked(data: VideoSet, share: float) -> None:
    loss = VideoLoss(new_model(SIZES, 0), data, BatchSettings(clips=2, rows=2, image_drop=share))
    dropped = [loss.inputs(Draws(0, step))[1] for step in range(60)]
    assert max(dropped) - min(dropped) <= 1
    assert sum(dropped) / 240 == pytest.approx(share, abs=0.1)


def test_a_window_without_sound_hears_zero_tokens(data: VideoSet) -> None:
    settings = BatchSettings(clips=2, rows=1, frames=2, audio=True, audio_drop=1.0)
    loss = VideoLoss(new_model(SIZES, 0), data, settings)
    tensors, _ = loss.inputs(Draws(0, 0))
    assert not tensors["heard"].any()
    tokens = loss._state(tensors, 2, loss.model.context(None).expand(2, -1, -1)).audio_tokens
    assert tokens is not None and not tokens.any()


def test_windows_without_reference_do_not_read_one(data: VideoSet) -> None:
    loss = VideoLoss(new_model(SIZES, 0), data, BatchSettings(clips=3, rows=2))
    tensors, _ = loss.inputs(Draws(0, 0))
    assert loss._state(tensors, 4, loss.model.context(None).expand(3, -1, -1)).bank_rows == (
        0,
        0,
        1,
        1,
        None,
        None,
    )


def test_gradients_reach_every_part_that_a_phase_trains(data: VideoSet) -> None:
    model = new_model(SIZES, 0)
    settings = BatchSettings(clips=1, rows=1, frames=3, audio=True, motion=True, image_drop=0, audio_drop=0)
    loss = VideoLoss(model, data, settings)
    # The adapters begin at zero: without this their inner layers get no gradient in the first step.
    with torch.no_grad():
        for parameter in model.adapter.parameters():
            parameter.add_(0.02)
    loss(Draws(0, 0))["loss"].backward()
    for part in (model.unet, model.reference, model.adapter.audio, model.adapter.motion):
        assert sum(float(p.grad.abs().sum()) for p in part.parameters() if p.grad is not None) > 0
    for part in (model.adapter.pose_guider, model.adapter.audio_projection):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


def test_without_audio_and_motion_these_modules_take_no_part(data: VideoSet) -> None:
    model = new_model(SIZES, 0)
    loss = VideoLoss(model, data, BatchSettings(clips=1, rows=2))
    loss(Draws(0, 0))["loss"].backward()
    for part in (model.adapter.audio, model.adapter.motion, model.adapter.audio_projection):
        assert all(p.grad is None for p in part.parameters())
