"""The ablations of the paper as switches of the models: what each of them takes away, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("accelerate")
pytest.importorskip("webdataset")

from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.checkpoints.video import load_video_model, save_video_model
from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.training.draws import Draws
from mmgt_core.lab.training.image import new_model
from mmgt_core.lab.training.loop_settings import LoopSettings
from mmgt_core.lab.training.prepared_video import PreparedVideo
from mmgt_core.lab.training.smga import SMGASettings, train_smga
from mmgt_core.lab.training.video_loss import BatchSettings, VideoLoss
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_masks import motion_masks
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA
from mmgt_core.video.clip_masks import clip_masks
from mmgt_core.video.layers import Layers
from mmgt_core.video.mm_haa import MMHAABlock

from .prepared import make, motion
from .tiny_recipe import tiny_recipe

ONE = SMGAConfig(width=32, ffn=32, layers=2, heads=2, audio_channels=35, dropout=0.0, streams="one")
SIZES = replace(tiny_recipe().image.model, size=64)
BATCH = BatchSettings(clips=1, frames=3, audio=True, motion=True, image_drop=0.0, audio_drop=0.0, crop=1.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return PreparedData.open(make(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize("start", ["random", "first pose"])
def test_one_stream_trains_and_travels_in_its_file(data: PreparedData, tmp_path: Path, start: str) -> None:
    loop = LoopSettings(steps=6, learning_rate=2e-3, warmup=1, log_every=1, precision="fp32", device="cpu")
    settings = SMGASettings(
        folder=str(tmp_path), data=str(data.folder), model=ONE, batch=2, loop=loop, start=start
    )
    path, _ = train_smga(settings)
    model = load_smga(path)
    assert model.config.streams == "one"
    assert not any(".body." in name for name, _ in model.named_parameters())
    two = sum(p.numel() for p in SMGA(replace(ONE, streams="two")).parameters())
    assert sum(p.numel() for p in model.parameters()) < two


def block(**choices) -> MMHAABlock:
    torch.manual_seed(0)
    return MMHAABlock(Layers(), 16, 2, 12, **choices)


def run(made: MMHAABlock, audio_seed: int, mask: float) -> torch.Tensor:
    torch.manual_seed(1)
    x = torch.randn(2, 9, 16)
    audio = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(audio_seed))
    return made(x, audio, torch.full((2, 3, 9), mask), (1.0, 1.0, 2.0))


@torch.no_grad()
def test_masks_on_the_hidden_state_are_another_network_only_where_they_are_not_one() -> None:
    printed, published = block(mask_place="input"), block()
    printed.load_state_dict(published.state_dict())
    torch.testing.assert_close(run(printed, 0, 1.0), run(published, 0, 1.0))
    assert (run(printed, 0, 0.0) - run(published, 0, 0.0)).abs().max() > 1e-2
    # Published: what a mask takes away does not depend on the sound.
    torch.testing.assert_close(run(published, 0, 0.0), run(published, 1, 0.0))
    assert (run(printed, 0, 0.0) - run(printed, 1, 0.0)).abs().max() > 1e-2


@torch.no_grad()
def test_self_attention_does_not_read_the_sound() -> None:
    itself, audio = block(audio_context="self"), block()
    assert torch.equal(run(itself, 0, 1.0), run(itself, 1, 1.0))
    assert not torch.equal(run(audio, 0, 1.0), run(audio, 1, 1.0))


def test_masks_stand_still_or_are_one() -> None:
    boxes = motion_masks(Motion(torch.from_numpy(motion(0, 20))))
    moving, still, none = (clip_masks(boxes, (8, 8), "1+lips", kind) for kind in ("moving", "still", "none"))
    frames = [0, 5, 9]
    assert all((level == 1).all() for level in none(frames).levels)
    first = moving([0, 0, 0])
    for level, other, own in zip(still(frames).levels, first.levels, moving(frames).levels, strict=True):
        assert torch.equal(level, other) and not torch.equal(level, own)


@pytest.mark.parametrize(
    "choice",
    [{"motion_mask": "none"}, {"motion_mask": "still"}, {"audio_context": "self"}, {"mask_place": "input"}],
)
def test_every_ablation_of_stage_ii_trains_samples_and_travels(
    data: PreparedData, tmp_path: Path, choice: dict[str, str]
) -> None:
    config = replace(SIZES, **choice)
    model = new_model(config, 0)
    source = PreparedVideo(data, config, BATCH, model.autoencoder)
    made = source.batch(Draws(0, 0), BATCH)
    lips = made.masks[0][:, 2]
    if config.motion_mask == "none":
        assert all((level == 1).all() for level in made.masks)
    elif config.motion_mask == "still":
        assert torch.equal(lips, lips[:1].expand_as(lips))
    VideoLoss(model, source, BATCH)(Draws(0, 0))["loss"].backward()
    assert model.adapter.fold() is model.adapter or config.foldable
    save_video_model(tmp_path / "model.safetensors", model, dtype=None)
    again = load_video_model(tmp_path / "model.safetensors")
    assert again.config == config
