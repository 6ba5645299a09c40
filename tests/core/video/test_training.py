"""The same interface trains: several rows, each with its own portrait, some conditions dropped, single
frames.
"""

from __future__ import annotations

import copy

import pytest
import torch

from mmgt_core.video.model import VideoModel
from mmgt_core.video.scheduler import Schedule, offset_noise, v_loss
from mmgt_core.video.state import RunState


@pytest.fixture
def trainee(model):
    return copy.deepcopy(model).train().requires_grad_(True)


def _double(draw):
    return lambda *shape: draw(*shape).double()


def audio(model, draw, frames):
    c = model.config
    return model.adapter.audio_tokens(draw(frames, c.audio_window, c.audio_blocks, c.audio_channels))


def test_gradients_reach_every_part(trainee, draw, random_masks):
    """In double precision, where rounding noise (1e-20 here) cannot pass for a gradient (1e-7 and more).

    Latents of 16 x 16 leave 2 x 2 positions in the middle block: with one position its softmax is constant.
    """
    trainee.double()
    draw = _double(draw)
    rows, frames, side = 3, 2, 16
    state = RunState(
        rows=rows,
        bank=trainee.write_bank(draw(2, 4, side, side), draw(2, 1, trainee.config.cross_dim)),
        bank_rows=(0, None, 1),
        audio_tokens=audio(trainee, draw, rows * frames),
        audio_rows=(True, False, True),
        masks=random_masks(rows * frames, side, side).to(torch.float64),
        pose_features=trainee.adapter.pose_features(draw(rows * frames, 3, 8 * side, 8 * side)),
    )
    v = trainee.predict(
        draw(rows * frames, 4, side, side),
        torch.tensor([3, 500, 900]),
        draw(rows, 1, trainee.config.cross_dim),
        state,
    )
    v_loss(v, draw(*v.shape), torch.ones(rows, dtype=torch.float64)).backward()
    # The softmax over one context token is constant, so these have nothing to learn; nor has what follows the
    # bank.
    idle = ("attn2.to_q", "attn2.to_k", "transformer_blocks.0.norm2", "autoencoder")
    behind = tuple(
        f"reference.up_blocks.3.attentions.2.{part}" for part in ("transformer_blocks.0.", "proj_out")
    )
    for name, parameter in trainee.named_parameters():
        if any(part in name for part in idle) or name.startswith(behind):
            continue
        assert parameter.grad is not None and parameter.grad.abs().max() > 1e-10, name


def test_each_row_reads_its_own_portrait(trainee, draw):
    latents, portraits = draw(2, 4, 8, 8), draw(2, 4, 8, 8)

    def run(rows, portrait_rows, which):
        state = RunState(
            rows=rows, bank=trainee.write_bank(portraits[which]), bank_rows=portrait_rows, audio_modules=False
        )
        with torch.no_grad():
            return trainee.predict(latents[:rows], torch.tensor([500]), trainee.context(None), state)

    both = run(2, (0, 1), [0, 1])
    swapped = run(2, (1, 0), [1, 0])
    assert torch.allclose(both, swapped, atol=1e-5)
    assert (both[0] - run(2, (1, 1), [0, 1])[0]).abs().max() > 1e-4
    assert torch.allclose(run(2, (0, 0), [0, 1]), run(2, None, [0]), atol=1e-5), (
        "one portrait serves all rows"
    )


def test_rows_do_not_touch_one_another(trainee, draw, random_masks):
    """The batch is the rows one by one, whatever each of them drops."""
    rows, frames = 3, 2
    tokens, masks = audio(trainee, draw, rows * frames), random_masks(rows * frames, 8, 8)
    latents, pose = draw(rows * frames, 4, 8, 8), draw(rows * frames, 8, 8, 8)
    bank, t = trainee.write_bank(draw(3, 4, 8, 8)), torch.tensor([10, 500, 999])
    reads, hears = (None, 2, 1), (True, True, False)
    context = trainee.context(None)

    def run(chosen):
        index = torch.cat([torch.arange(row * frames, (row + 1) * frames) for row in chosen])
        state = RunState(
            rows=len(chosen),
            bank=bank,
            bank_rows=tuple(reads[row] for row in chosen),
            audio_tokens=tokens[index],
            audio_rows=tuple(hears[row] for row in chosen),
            masks=masks.window(index),
            pose_features=pose[index],
        )
        return trainee.predict(latents[index], t[list(chosen)], context, state)

    with torch.no_grad():
        together = run((0, 1, 2))
        alone = torch.cat([run((row,)) for row in range(3)])
    assert torch.allclose(together, alone, atol=2e-5)


def test_image_phase(trainee, draw):
    """One frame a row, without motion and audio modules: those take no part and get no gradient."""
    state = RunState(
        rows=4, bank=trainee.write_bank(draw(4, 4, 8, 8)), audio_modules=False, motion_modules=False
    )
    v = trainee.predict(draw(4, 4, 8, 8), torch.tensor([1, 2, 3, 4]), trainee.context(None), state)
    v.square().mean().backward()
    assert all(p.grad is None for p in trainee.adapter.motion.parameters())
    assert all(p.grad is None for p in trainee.adapter.audio.parameters())
    assert trainee.reference.conv_in.weight.grad.abs().max() > 0


def test_a_clip_of_one_frame(trainee, draw):
    state = RunState(rows=1, audio_tokens=audio(trainee, draw, 1))
    v = trainee.predict(draw(1, 4, 8, 8), torch.tensor([5]), trainee.context(None), state)
    assert v.shape == (1, 4, 8, 8) and v.isfinite().all()


def test_build_starts_as_published(config):
    """The adapter adds nothing yet, and the reference starts from the denoising UNet."""
    model = VideoModel.build(config, 5).requires_grad_(False)
    start = model.unet.state_dict()
    for name, tensor in model.reference.state_dict().items():
        assert torch.equal(tensor, start[name])
    for module in model.adapter.audio.values():
        assert not any(p.any() for p in module.block.zero.parameters())
    assert not any(p.any() for m in model.adapter.motion.values() for p in m.proj_out.parameters())
    assert not any(p.any() for p in model.adapter.pose_guider.conv_out.parameters())
    x = torch.ones(2, 4, 8, 8)
    state = RunState(
        rows=1, audio_modules=False, pose_features=model.adapter.pose_features(torch.ones(2, 3, 64, 64))
    )
    plain = model.unet(x, torch.tensor(9), encoder_hidden_states=model.context(None).expand(2, -1, -1)).sample
    assert torch.allclose(model.predict(x, torch.tensor(9), model.context(None), state), plain, atol=1e-6)


def test_seed_decides_the_weights_and_nothing_else_does(config):
    state = torch.random.get_rng_state()
    first = VideoModel.build(config, 5, pose_output_scale=1.0)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    second, third = VideoModel.build(config, 5, pose_output_scale=1.0), VideoModel.build(config, 6)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.unet.conv_in.weight, third.unet.conv_in.weight)
    assert first.adapter.pose_guider.conv_out.weight.any()


def test_training_target_and_weight():
    schedule, generator = Schedule("scaled_linear"), torch.Generator().manual_seed(0)
    latents, t = torch.randn(4, 4, 3, 3, generator=generator), torch.tensor([0, 300, 700, 999])
    drawn = [torch.randn(4, 1, 4, *size, generator=generator) for size in ((3, 3), (1, 1))]
    noise = offset_noise(*drawn)
    noisy, v = schedule.add_noise(latents, noise, t), schedule.velocity(latents, noise, t)
    assert torch.allclose(schedule.predicted_latents(v, noisy, t), latents, atol=1e-5)
    assert torch.allclose(noisy[3], noise[3]), "at zero terminal SNR nothing of the image is left"
    weight = schedule.min_snr_weight(t)
    assert float(weight[3]) == 1 and bool((weight.diff() >= 0).all())
    perfect = v_loss(v, v, weight)
    assert float(perfect) == 0 and float(v_loss(v + 1, v, torch.ones(4))) == pytest.approx(1)


def test_offset_is_shared_by_the_frames_of_a_row():
    generator = torch.Generator().manual_seed(0)
    plain = torch.randn(2, 3, 4, 16, 16, generator=generator)
    shared = torch.randn(2, 1, 4, 1, 1, generator=generator)
    noise = offset_noise(plain, shared, offset=50.0).unflatten(0, (2, 3)).mean((-1, -2))
    assert (noise - noise[:, :1]).abs().max() < 1
    assert (noise[0] - noise[1]).abs().max() > 1
