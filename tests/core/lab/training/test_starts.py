"""Public weights that Stage II begins with: what is taken from each file, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

pytest.importorskip("accelerate")

from mmgt_core.base.errors import CheckpointError
from mmgt_core.checkpoints.recognise import MOTION, UNET
from mmgt_core.checkpoints.video import state_to_official
from mmgt_core.checkpoints.video_parts import split
from mmgt_core.lab.training.image import ImageSettings, first_model, new_model
from mmgt_core.lab.training.starts import start_from_motion_modules, start_from_unet, start_pose_guider
from mmgt_core.video.model import VideoModel

from .tiny_recipe import tiny_recipe

SIZES = replace(tiny_recipe().image.model, size=64)
ORIGINAL = ("0", "2", "4", "6", "8", "10", "12", "14")


@pytest.fixture(scope="module")
def given() -> VideoModel:
    """A model with other weights everywhere, from whose parts the files are made."""
    model = new_model(SIZES, 7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1)
    return model


def test_both_unets_begin_with_the_unet(given: VideoModel, tmp_path: Path) -> None:
    save_file(split(state_to_official(given))[UNET], tmp_path / "unet.safetensors")
    model = first_model(ImageSettings(folder="", model=SIZES, unet=str(tmp_path / "unet.safetensors")))
    unet, reference = model.unet.state_dict(), model.reference.state_dict()
    for name, tensor in given.unet.state_dict().items():
        assert torch.equal(unet[name], tensor)
        if name in reference:
            assert torch.equal(reference[name], tensor)
    assert not torch.equal(model.adapter.pose_guider.conv_in.weight, given.adapter.pose_guider.conv_in.weight)


def test_motion_modules_begin_with_animatediffs(given: VideoModel, tmp_path: Path) -> None:
    save_file(split(state_to_official(given))[MOTION], tmp_path / "motion.safetensors")
    model = new_model(SIZES, 0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    start_from_motion_modules(model, tmp_path / "motion.safetensors")
    theirs = given.state_dict()
    for name, tensor in model.state_dict().items():
        expected = theirs[name] if name.startswith("adapter.motion.") else before[name]
        assert torch.equal(tensor, expected), name


@pytest.mark.parametrize("original", [False, True])
def test_the_pose_guider_begins_with_a_controlnet_but_its_last_layer(
    given: VideoModel, tmp_path: Path, original: bool
) -> None:
    guider = given.adapter.pose_guider.state_dict()
    names = ["conv_in", *(f"blocks.{n}" for n in range(6)), "conv_out"]
    prefix, layers = ("controlnet_cond_embedding.", names)
    if original:
        prefix, layers = "control_model.input_hint_block.", list(ORIGINAL)
    file = {
        f"{prefix}{layer}.{kind}": guider[f"{name}.{kind}"].clone()
        for name, layer in zip(names, layers, strict=True)
        for kind in ("weight", "bias")
    }
    file["controlnet_down_blocks.0.weight"] = torch.zeros(1)  # the rest of a ControlNet is not read
    save_file(file, tmp_path / "control.safetensors")
    model = new_model(SIZES, 0)
    last = model.adapter.pose_guider.conv_out.weight.clone()
    start_pose_guider(model, tmp_path / "control.safetensors")
    state = model.adapter.pose_guider.state_dict()
    assert all(torch.equal(state[name], guider[name]) for name in state if not name.startswith("conv_out"))
    assert torch.equal(model.adapter.pose_guider.conv_out.weight, last)


def test_other_files_and_sizes_are_refused(given: VideoModel, tmp_path: Path) -> None:
    parts = split(state_to_official(given))
    save_file(parts[UNET], tmp_path / "unet.safetensors")
    save_file(parts[MOTION], tmp_path / "motion.safetensors")
    model = new_model(SIZES, 0)
    with pytest.raises(CheckpointError, match="motion modules"):
        start_from_unet(model, tmp_path / "motion.safetensors")
    with pytest.raises(CheckpointError, match="UNet"):
        start_from_motion_modules(model, tmp_path / "unet.safetensors")
    with pytest.raises(CheckpointError, match="condition embedding"):
        start_pose_guider(model, tmp_path / "unet.safetensors")
    wide = new_model(replace(SIZES, block_channels=(64, 64, 64, 64)), 0)
    with pytest.raises(CheckpointError, match="misshapen"):
        start_from_unet(wide, tmp_path / "unet.safetensors")
