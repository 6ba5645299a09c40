"""Batches of the video phase, and what its loss reaches."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("accelerate")

from mmgt_core.lab.training.image import new_model
from mmgt_core.lab.training.loop import generator_for
from mmgt_core.lab.training.video_data import VideoSet
from mmgt_core.lab.training.video_loss import BatchSettings, VideoLoss, _Batch

from .tiny_recipe import tiny_recipe

CLIPS, FRAMES, SIDE = 3, 5, 16
SIZES = tiny_recipe().image.model


@pytest.fixture(scope="module")
def data() -> VideoSet:
    """Every tensor holds its own clip, frame and place, so that a test can see what was cut."""
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
    poses = grid.repeat_interleave(8, 1).repeat_interleave(8, 2)
    poses = torch.cat([poses, torch.zeros(1, SIDE * 8, SIDE * 8)]).movedim(0, -1)
    masks = [grid.sum(0)[:: 2**n, :: 2**n].expand(CLIPS, FRAMES, 3, -1, -1) for n in range(4)]
    corner = torch.rand(CLIPS, FRAMES, 5, 2, generator=generator) * 0.8
    return VideoSet(
        latents=latents.half(),
        references=latents[:, :2].half(),
        poses=poses.expand(CLIPS, FRAMES, -1, -1, -1).to(torch.uint8),
        masks=tuple(m.half() for m in masks),
        sound=tag[..., None, None, :1].expand(-1, -1, 5, 1, 40).half(),
        boxes=torch.cat([corner, corner + 0.2], -1),
    )


@pytest.mark.parametrize("frames,rows", [(1, 3), (4, 2)])
def test_everything_in_a_batch_is_cut_at_the_same_place_and_time(
    data: VideoSet, frames: int, rows: int
) -> None:
    settings = BatchSettings(clips=4, rows=rows, frames=frames, crop=8)
    corners = set()
    for seed in range(6):
        batch = _Batch(data, settings, generator_for("cpu", seed), whole=False)
        y, x = batch.latents[:, 0], batch.latents[:, 1]
        assert batch.rows == 4 * rows and len(batch.latents) == batch.rows * frames
        assert torch.equal(batch.poses[:, 0, ::8, ::8].float(), y)
        assert torch.equal(batch.poses[:, 1, ::8, ::8].float(), x)
        for level, mask in enumerate(batch.masks.levels[:3]):
            step = 2**level
            assert torch.equal(mask[:, 0], (x + y)[:, ::step, ::step])
        # Clip and frame of each row, and its reference.
        clip, frame = batch.latents[:, 2, 0, 0], batch.latents[:, 3, 0, 0]
        assert torch.equal(batch.sound[:, 0, 0, 0], clip)
        assert torch.equal(batch.references[:, 2, 0, 0].repeat_interleave(rows * frames), clip)
        assert torch.equal(batch.references[:, 0].repeat_interleave(rows * frames, 0), y)
        steps = frame.unflatten(0, (-1, frames)).diff(dim=1)
        assert (steps == 1).all()
        corners.add((int(y[0, 0, 0]), int(x[0, 0, 0])))
    assert len(corners) > 1 and all(a % 4 == b % 4 == 0 for a, b in corners)


def test_dropped_rows_are_marked(data: VideoSet) -> None:
    settings = BatchSettings(clips=3, rows=2, crop=8, image_drop=1.0, audio_drop=1.0)
    batch = _Batch(data, settings, generator_for("cpu", 0), whole=False)
    assert batch.bank_rows == (None,) * 6 and batch.audio_rows == (False,) * 6
    settings = BatchSettings(clips=3, rows=2, crop=8, image_drop=0.0, audio_drop=0.0)
    batch = _Batch(data, settings, generator_for("cpu", 0), whole=False)
    assert batch.bank_rows == (0, 0, 1, 1, 2, 2) and batch.audio_rows == (True,) * 6


def test_gradients_reach_every_part_that_a_phase_trains(data: VideoSet) -> None:
    model = new_model(SIZES, 0)
    settings = BatchSettings(
        clips=1, rows=1, frames=3, crop=8, audio=True, motion=True, image_drop=0, audio_drop=0
    )
    loss = VideoLoss(model, data, settings)
    # The adapters begin at zero: without this their inner layers get no gradient in the first step.
    with torch.no_grad():
        for parameter in model.adapter.parameters():
            parameter.add_(0.02)
    loss(0, generator_for("cpu", 0))["loss"].backward()
    for part in (model.unet, model.reference, model.adapter.audio, model.adapter.motion):
        assert sum(float(p.grad.abs().sum()) for p in part.parameters() if p.grad is not None) > 0
    for part in (model.adapter.pose_guider, model.adapter.audio_projection):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


def test_without_audio_and_motion_these_modules_take_no_part(data: VideoSet) -> None:
    model = new_model(SIZES, 0)
    loss = VideoLoss(model, data, BatchSettings(clips=1, rows=2, crop=8))
    loss(0, generator_for("cpu", 0))["loss"].backward()
    for part in (model.adapter.audio, model.adapter.motion, model.adapter.audio_projection):
        assert all(p.grad is None for p in part.parameters())
