"""Stage II model files: strict both ways, every fault named."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmgt_core.base.errors import CheckpointError
from mmgt_core.checkpoints.video import infer_config, load_video_model, save_video_model, state_to_official
from mmgt_core.checkpoints.video_keys import official_keys, official_shapes
from mmgt_core.video.config import VideoConfig
from mmgt_core.video.model import VideoModel

# docs/method.md 3
PUBLISHED = {"denoising_unet.": 1526, "reference_unet.": 682, "pose_guider.": 16, "audioproj.": 8}


@pytest.fixture(scope="module")
def published() -> VideoModel:
    with torch.device("meta"):
        return VideoModel(VideoConfig())


def test_published_counts(published):
    shapes = official_shapes(published)
    assert {prefix: sum(name.startswith(prefix) for name in shapes) for prefix in PUBLISHED} == PUBLISHED
    assert len(shapes) == sum(PUBLISHED.values()) == 2232


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("denoising_unet.down_blocks.1.audio_modules.0.proj_in.weight", (320, 640, 1, 1)),
        ("denoising_unet.down_blocks.2.audio_modules.0.transformer_blocks.0.attn2_2.to_k.weight", (640, 768)),
        (
            "denoising_unet.down_blocks.0.audio_modules.1.transformer_blocks.0.zero_conv_lip.weight",
            (320, 320, 1, 1),
        ),
        ("denoising_unet.mid_block.motion_modules.0.temporal_transformer.proj_out.weight", (1280, 1280)),
        (
            "denoising_unet.up_blocks.3.motion_modules.2.temporal_transformer.transformer_blocks.0"
            ".attention_blocks.1.pos_encoder.pe",
            (1, 32, 320),
        ),
        ("pose_guider.blocks.5.weight", (256, 96, 3, 3)),
        ("audioproj.proj1.weight", (512, 46080)),
    ],
)
def test_published_shapes(published, name, shape):
    assert official_shapes(published)[name] == shape


def test_every_tensor_of_the_model_has_one_official_name(published, model):
    for each in (published, model):
        names = list(official_keys(each).values())
        assert sorted(names) == sorted(each.state_dict())


def test_save_and_load_give_back_every_number(model, tmp_path):
    path = tmp_path / "model.safetensors"
    save_video_model(path, model, {"made": "by a test"}, dtype=None)
    loaded = load_video_model(path)
    assert loaded.config == model.config
    before, after = model.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    positions = [
        (m.positions, loaded.adapter.motion[key].positions) for key, m in model.adapter.motion.items()
    ]
    assert all(torch.equal(a, b) for a, b in positions)


def test_half_precision_file(model, tmp_path):
    path = tmp_path / "model.safetensors"
    save_video_model(path, model)
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16}
    loaded = load_video_model(path, dtype=torch.bfloat16)
    assert (
        loaded.dtype == torch.bfloat16 and loaded.adapter.motion["mid"].proj_in.weight.dtype == torch.bfloat16
    )


def test_a_file_without_configuration_is_understood(model):
    """Sizes come from the shapes; heads and groups cannot, they are the published ones."""
    tensors = {name: t for name, t in state_to_official(model).items() if not name.startswith("autoencoder.")}
    with pytest.raises(CheckpointError):  # these widths do not divide into 32 groups
        infer_config(tensors)
    config = VideoConfig(
        block_channels=(32, 32, 64, 64),
        cross_dim=6,
        audio_channels=2,
        audio_dim=5,
        audio_tokens=3,
        pose_style="example",  # as the sample video of the release is drawn
    )
    with torch.device("meta"):
        assert infer_config(_shapes_as_tensors(VideoModel(config))) == config


@pytest.mark.parametrize("fault", ["missing", "misshapen"])
@pytest.mark.parametrize(
    "name",
    [
        "denoising_unet.down_blocks.0.audio_modules.1.transformer_blocks.0.attn2_1.to_q.weight",
        "denoising_unet.conv_in.bias",
        "reference_unet.mid_block.resnets.0.norm1.weight",
        "pose_guider.conv_out.weight",
    ],
)
def test_a_wrong_file_is_refused_by_name(model, tmp_path, fault, name):
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    save_video_model(good, model)
    from safetensors import safe_open

    with safe_open(good, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(good)
    if fault == "missing":
        del tensors[name]
    else:
        tensors[name] = torch.zeros(3)
    save_file(tensors, bad, metadata)
    with pytest.raises(CheckpointError) as caught:
        load_video_model(bad)
    assert name in str(caught.value) and str(bad) in str(caught.value)


def test_a_surplus_tensor_is_left_out_with_a_warning(model, tmp_path, caplog):
    path = tmp_path / "more.safetensors"
    save_video_model(path, model)
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file({**load_file(path), "denoising_unet.more": torch.zeros(1)}, path, metadata)
    loaded = load_video_model(path).state_dict()
    assert "more.safetensors: left out what this network does not read: denoising_unet.more" in caplog.text
    assert loaded.keys() == model.state_dict().keys()


def test_another_kind_of_file_is_refused(model, tmp_path):
    from mmgt_core.checkpoints.io import ModelFile, write_model_file

    path = tmp_path / "other.safetensors"
    write_model_file(path, ModelFile("smga", {}, {"a": torch.zeros(1)}))
    with pytest.raises(CheckpointError, match="smga"):
        load_video_model(path)
    write_model_file(path, ModelFile("", {}, {"a": torch.zeros(1)}))
    with pytest.raises(CheckpointError, match="lacks"):
        load_video_model(path)
    path.write_bytes(b"not a model")
    with pytest.raises(CheckpointError, match="readable"):
        load_video_model(path)


def _shapes_as_tensors(model):
    return {name: torch.empty(shape, device="meta") for name, shape in official_shapes(model).items()}
