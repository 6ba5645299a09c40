"""Training Stage I on speech made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("accelerate")

from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.lab.training.checkpointing import TrainingFolder
from mmgt_core.lab.training.loop_settings import LoopSettings
from mmgt_core.lab.training.motion_data import OVERHANG, MotionData, make_motion_data
from mmgt_core.lab.training.smga import SMGASettings, new_model, train_smga
from mmgt_core.lab.training.smga_start import fold
from mmgt_core.lab.training.speech_data import SpeechData
from mmgt_core.smga.config import SMGAConfig

SETTINGS = SMGASettings(folder="", start="first pose")
SIZES = SMGAConfig(width=64, ffn=64, layers=3, heads=2, audio_channels=35, dropout=0.0)


@pytest.fixture(scope="module")
def data(speech: SpeechData) -> MotionData:
    return make_motion_data(speech, identities=3)


def test_windows_stay_in_their_clip_and_fit_the_sound(data: MotionData, speech: SpeechData) -> None:
    length = speech.frames(0) + OVERHANG
    assert len(data.motion) == len(data.audio) == 3 * speech.clips * length
    starts = data.starts % length
    assert starts.min() == 0 and starts.max() == length - 80
    motion, audio = data.windows(data.starts[:1])
    assert torch.equal(motion[0], data.motion[:80])
    assert torch.equal(audio[0], speech.prosody[:80].float())


def test_the_beginning_copies_the_first_pose(data: MotionData) -> None:
    model = new_model(SETTINGS, SIZES, data).eval()
    motion, audio = data.windows(data.starts[::97])
    times = torch.full((len(motion),), 999)
    with torch.no_grad():
        # Silence everything but the residual stream: what is left is the copy.
        for layer in model.decoder:
            for film in (layer.face.film1, layer.face.film2, layer.body.film1, layer.body.film2, layer.film):
                film.linear.weight.zero_()
                film.linear.bias.zero_()
                film.linear.bias[: SIZES.width] = -1
        free = (model.motion_in.weight[:, : SIZES.features] != 0).any(1)
        model.motion_out.linear.weight[:, free] = 0
        out = model(torch.randn_like(motion), motion[:, 0], audio, times)
    still = motion[:, :1].expand_as(motion)
    pixels = (out - still).square().mean().sqrt() * 500
    assert pixels < 0.5, "the first pose is not copied to half a canvas pixel"
    assert (motion - still).square().mean().sqrt() * 500 > 2


def test_attention_begins_at_the_moment_itself(data: MotionData) -> None:
    model = new_model(SETTINGS, SIZES, data).eval()
    branch = model.decoder[0].body
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 80, SIZES.width, generator=generator)
    memory = torch.randn(1, 80, SIZES.width, generator=generator)
    attention = branch.cross_attention
    queries = model.rotary(branch.norm2(x)) @ attention.in_proj_weight[: SIZES.width].T
    keys = model.rotary(model.memory_norm(memory)) @ attention.in_proj_weight[SIZES.width : 2 * SIZES.width].T
    per_head = [q @ k.T for q, k in zip(queries[0].chunk(2, -1), keys[0].chunk(2, -1), strict=True)]
    weights = (per_head[0] / (SIZES.width / 2) ** 0.5).softmax(-1)
    near = sum(weights.diagonal(offset).sum() for offset in (-2, -1, 0, 1, 2)) / 80
    assert near > 6 * 5 / 80  # six times what attention that knows nothing gives these five moments


def test_folding_changes_nothing(data: MotionData) -> None:
    model = new_model(SETTINGS, SIZES, data).eval()
    motion, audio = data.windows(data.starts[::211])
    inputs = (torch.randn_like(motion), motion[:, 0], audio, torch.full((len(motion),), 500))
    with torch.no_grad():
        before = model(*inputs)
        fold(model)
        assert torch.allclose(model(*inputs), before, atol=2e-5)
    assert type(model.audio_in) is torch.nn.Linear and type(model.motion_out) is torch.nn.Linear


def test_training_falls_and_resumes(speech_file: Path, tmp_path: Path) -> None:
    loop = LoopSettings(
        steps=14, learning_rate=2e-3, warmup=2, ema_decay=0.8, log_every=1, precision="fp32", device="cpu"
    )
    settings = SMGASettings(
        speech=str(speech_file),
        folder=str(tmp_path / "a"),
        model=SIZES,
        loop=loop,
        batch=4,
        lip_weight=2,
        start="first pose",
    )
    path, report = train_smga(settings)
    losses = [entry["loss"] for entry in TrainingFolder(settings.folder).journal()]
    assert report.steps == 14 and sum(losses[-4:]) < sum(losses[:4])

    class Stop(Exception):
        pass

    def stop(done: int, total: int, preview: object = None, /) -> None:
        if total == 1000 and done >= 500:
            raise Stop

    other = replace(settings, folder=str(tmp_path / "b"))
    with pytest.raises(Stop):
        train_smga(other, stop)
    again, _ = train_smga(other)
    first, second = load_smga(path).state_dict(), load_smga(again).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
