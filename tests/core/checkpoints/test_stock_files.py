"""The VAE and CLIP's image encoder from people's files: same weights, same output, under any names."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors.torch import load_file, save_file

from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.checkpoints.clip_vision import load_clip_vision
from mmgt_core.checkpoints.companions import autoencoder_of, portrait_embedding
from mmgt_core.checkpoints.vae import diffusers_names, load_vae
from mmgt_core.video.autoencoder import decode_latents, encode_frames
from mmgt_core.video.config import VideoConfig, demo_config

transformers = pytest.importorskip("transformers")


def tiny_vae(**changes) -> AutoencoderKL:
    sizes = {
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "block_out_channels": (32, 32, 64, 64),
        "layers_per_block": 2,
        "latent_channels": 4,
        **changes,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return AutoencoderKL(**sizes).eval()


def original_names(state):
    """diffusers' names -> those of the original release; a table of its own, the other way round."""
    renamed = {}
    for name, tensor in state.items():
        matrix = re.search(r"attentions\.0\.to_\w+(\.0)?\.weight$", name)
        for new, old in (
            ("conv_norm_out", "norm_out"),
            ("conv_shortcut", "nin_shortcut"),
            ("mid_block.resnets.0", "mid.block_1"),
            ("mid_block.resnets.1", "mid.block_2"),
            ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
            ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
            ("mid_block.attentions.0.to_", "mid.attn_1."),
            ("downsamplers.0", "downsample"),
            ("upsamplers.0", "upsample"),
            ("resnets", "block"),
        ):
            name = name.replace(new, old)
        name = re.sub(r"down_blocks\.(\d)", r"down.\1", name)
        name = re.sub(r"up_blocks\.(\d)", lambda m: f"up.{3 - int(m[1])}", name)
        renamed[name] = tensor[..., None, None] if matrix else tensor
    return renamed


def older_names(state):
    """As diffusers wrote them before 0.18."""
    spelled = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    renamed = {}
    for name, tensor in state.items():
        for new, old in spelled.items():
            name = name.replace(f"attentions.0.{new}.", f"attentions.0.{old}.")
        renamed[name] = tensor
    return renamed


@pytest.fixture(scope="module")
def vae() -> AutoencoderKL:
    return tiny_vae()


FORMS = {
    "diffusers": lambda state: state,
    "older diffusers": older_names,
    "original": original_names,
    "original in a pipeline's names": lambda s: {
        f"first_stage_model.{n}": t for n, t in original_names(s).items()
    },
    "original with training's leftovers": lambda s: {
        **original_names(s),
        "loss.perceptual_loss.a": torch.zeros(1),
        "model_ema.decay": torch.zeros(1),
    },
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ending", [".safetensors", ".ckpt"])
def test_the_vae_under_every_spelling(vae, tmp_path, form, ending):
    path = tmp_path / f"vae{ending}"
    state = {name: tensor.contiguous() for name, tensor in FORMS[form](vae.state_dict()).items()}
    if ending == ".ckpt":
        torch.save({"state_dict": state, "global_step": 3}, path)
    else:
        save_file(state, path)
    read = load_vae(path)
    assert all(torch.equal(tensor, vae.state_dict()[name]) for name, tensor in read.state_dict().items())
    frames = torch.rand(2, 16, 24, 3, generator=torch.Generator().manual_seed(0))
    latents = encode_frames(read, frames, 0.18215)
    torch.testing.assert_close(latents, encode_frames(vae, frames, 0.18215), atol=1e-6, rtol=1e-5)
    assert latents.shape == (2, 4, 2, 3)
    assert decode_latents(read, latents, 0.18215).shape == frames.shape


def test_the_original_names_become_what_diffusers_itself_makes_of_them(vae):
    """The library's own conversion of single files is the second opinion."""
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    state = original_names(vae.state_dict())
    theirs = convert_ldm_vae_checkpoint(dict(state), dict(vae.config))
    ours = diffusers_names(state)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_folder_of_diffusers(vae, tmp_path):
    folder = tmp_path / "a vae 自动"
    with pytest.raises(CheckpointError, match="no such model file"):
        load_vae(folder)
    folder.mkdir()
    with pytest.raises(CheckpointError, match=r"has no diffusion_pytorch_model\.safetensors"):
        load_vae(folder)
    vae.save_pretrained(folder)
    assert load_vae(folder, dtype=torch.bfloat16).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: s.pop("encoder.mid_block.resnets.0.conv1.weight"), "lacks tensor"),
        (lambda s: s.update({"decoder.more": torch.zeros(1)}), "unknown tensor decoder.more"),
        (lambda s: s.update({"decoder.conv_out.weight": torch.zeros(3)}), "misshapen"),
        (lambda s: s.pop("post_quant_conv.weight"), "lacks the tensor post_quant_conv"),
        (
            lambda s: s.update({"encoder.down_blocks.0.resnets.0.conv1.weight": torch.zeros(7, 7, 3, 3)}),
            "do not divide",
        ),
        (lambda s: s.update({"vae.encoder.conv_in.bias": torch.zeros(32)}), "twice"),
    ],
)
def test_a_wrong_vae_is_refused_by_name(vae, tmp_path, spoil, words):
    state = dict(vae.state_dict())
    spoil(state)
    save_file(state, tmp_path / "v.safetensors")
    with pytest.raises(CheckpointError, match=rf"v\.safetensors: .*{words}"):
        load_vae(tmp_path / "v.safetensors")


CLIP = {
    "hidden_size": 128,
    "intermediate_size": 64,
    "projection_dim": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "patch_size": 8,
    "image_size": 32,
}


@pytest.fixture(scope="module")
def clip():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.CLIPVisionModelWithProjection(transformers.CLIPVisionConfig(**CLIP))
    return model.eval().requires_grad_(False)


def with_leftovers(state):
    return {
        **state,
        "vision_model.embeddings.position_ids": torch.arange(17)[None],
        "text_model.encoder.a": torch.zeros(2),
        "text_projection.weight": torch.zeros(2),
        "logit_scale": torch.zeros(1),
    }


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("ending", [".safetensors", ".bin"])
def test_clip_from_a_file(clip, tmp_path, whole, ending):
    state = with_leftovers(clip.state_dict()) if whole else dict(clip.state_dict())
    path = tmp_path / f"clip{ending}"
    torch.save(state, path) if ending == ".bin" else save_file(state, path)
    read = load_clip_vision(path)
    pixels = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert all(torch.equal(tensor, clip.state_dict()[name]) for name, tensor in read.state_dict().items())
    # Views of a mapped file lie at other addresses, and matrix products then add up in another order.
    torch.testing.assert_close(
        read(pixel_values=pixels).image_embeds, clip(pixel_values=pixels).image_embeds, atol=1e-5, rtol=1e-5
    )


def test_clip_from_a_folder_with_its_activation(clip, tmp_path):
    config = transformers.CLIPVisionConfig(**CLIP, hidden_act="gelu")
    other = transformers.CLIPVisionModelWithProjection(config).eval().requires_grad_(False)
    other.load_state_dict(clip.state_dict())
    other.save_pretrained(tmp_path)
    pixels = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = other(pixel_values=pixels).image_embeds
    read = load_clip_vision(tmp_path)(pixel_values=pixels).image_embeds
    torch.testing.assert_close(read, expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(read, clip(pixel_values=pixels).image_embeds, atol=1e-3)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**settings, "hidden_act": "relu"}))
    with pytest.raises(CheckpointError, match="activation 'relu'"):
        load_clip_vision(tmp_path)


def test_the_embedding_is_that_of_the_published_processing(clip):
    """Against transformers' own image processor behind a squash to a square (docs/method.md 2.2)."""
    from PIL import Image
    from transformers import CLIPImageProcessor

    from mmgt_core.video.image_embedding import image_embedding

    image = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    square = Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC)
    sizes = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    pixels = CLIPImageProcessor(**sizes)(square, return_tensors="pt").pixel_values
    expected = clip(pixel_values=pixels).image_embeds
    torch.testing.assert_close(image_embedding(clip, image), expected, atol=1e-5, rtol=1e-5)
    assert image_embedding(clip, image).shape == (1, CLIP["projection_dim"])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda s: s.pop("visual_projection.weight"), "lacks the tensor visual_projection"),
        (lambda s: s.pop("vision_model.encoder.layers.1.mlp.fc2.bias"), "lacks tensor"),
        (lambda s: s.update(more=torch.zeros(1)), "unknown tensor more"),
        (
            lambda s: s.update(
                {"vision_model.embeddings.patch_embedding.weight": torch.zeros(1280, 3, 14, 14)}
            ),
            "ViT-H/14, not the CLIP",
        ),
        (
            lambda s: s.update({"vision_model.embeddings.position_embedding.weight": torch.zeros(577, 8)}),
            "336 pixels, not",
        ),
    ],
)
def test_a_wrong_clip_is_refused_by_name(clip, tmp_path, spoil, words):
    state = dict(clip.state_dict())
    spoil(state)
    save_file(state, tmp_path / "c.safetensors")
    with pytest.raises(CheckpointError, match=rf"c\.safetensors: .*{words}"):
        load_clip_vision(tmp_path / "c.safetensors")


def test_one_for_the_other_is_named(vae, clip, tmp_path):
    vae.save_pretrained(tmp_path / "vae")
    clip.save_pretrained(tmp_path / "clip")
    vae_file = tmp_path / "vae" / "diffusion_pytorch_model.safetensors"
    clip_file = tmp_path / "clip" / "model.safetensors"
    with pytest.raises(CheckpointError, match="this is a CLIP vision encoder, not the VAE"):
        load_vae(clip_file)
    with pytest.raises(CheckpointError, match="this is a VAE, not the CLIP"):
        load_clip_vision(vae_file)
    assert load_file(vae_file).keys() == vae.state_dict().keys()


class Model:
    """What `autoencoder_of` looks at."""

    def __init__(self, config, autoencoder=None):
        self.config, self.autoencoder = config, autoencoder


def test_companions_are_asked_for_by_name_and_only_where_they_are_wanted(vae, clip, tmp_path):
    vae.save_pretrained(tmp_path / "vae")
    tiny_vae(latent_channels=8).save_pretrained(tmp_path / "other")
    clip.save_pretrained(tmp_path / "clip")
    image = np.zeros((20, 20, 3), np.uint8)
    assert autoencoder_of(Model(demo_config(), "its own")) == "its own"
    assert portrait_embedding(demo_config(), None, image) is None
    published = VideoConfig(cross_dim=CLIP["projection_dim"])
    with pytest.raises(InputError, match="--vae FILE"):
        autoencoder_of(Model(published))
    with pytest.raises(InputError, match="--clip-vision FILE"):
        portrait_embedding(published, None, image)
    assert autoencoder_of(Model(published), tmp_path / "vae").config.latent_channels == 4
    with pytest.raises(CheckpointError, match="latents have 8 channels"):
        autoencoder_of(Model(published), tmp_path / "other")
    assert portrait_embedding(published, tmp_path / "clip", image).shape == (1, CLIP["projection_dim"])
    with pytest.raises(CheckpointError, match="24 numbers, the video model wants 768"):
        portrait_embedding(VideoConfig(), tmp_path / "clip", image)


def test_companions_are_found_where_the_registry_says(vae, clip, tmp_path, monkeypatch):
    """Who ran `mmgt download` need not name the files again."""
    monkeypatch.setenv("MMGT_MODELS", str(tmp_path))
    image = np.zeros((20, 20, 3), np.uint8)
    published = VideoConfig(cross_dim=CLIP["projection_dim"])
    with pytest.raises(InputError, match="mmgt download vae"):
        autoencoder_of(Model(published))
    for folder in ("vae", "clip_vision"):
        (tmp_path / folder).mkdir()
    save_file(original_names(vae.state_dict()), tmp_path / "vae" / "vae-ft-mse-840000-ema-pruned.safetensors")
    torch.save(clip.state_dict(), tmp_path / "clip_vision" / "sd_image_variations_clip_vision.bin")
    assert autoencoder_of(Model(published)).config.latent_channels == 4
    assert portrait_embedding(published, None, image).shape == (1, CLIP["projection_dim"])


def test_encoders_and_detector_are_found_where_the_registry_says(tmp_path, monkeypatch):
    from mmgt_core.pipeline.encoders import file_encoders
    from mmgt_core.pipeline.pose_finder import PoseFinder

    monkeypatch.setenv("MMGT_MODELS", str(tmp_path))
    with pytest.raises(InputError, match="mmgt download person-detector"):
        PoseFinder().on_portrait(np.zeros((64, 64, 3), np.uint8), "portrait.png")
    assert file_encoders() == {}
    for name in ("audio_encoders/WavLM-Large.pt", "mmgt/yolox_l.onnx", "mmgt/dw-ll_ucoco_384.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"found, and no model")
    assert list(file_encoders()) == ["wavlm"]
    pytest.importorskip("onnxruntime")
    with pytest.raises(CheckpointError, match=r"yolox_l\.onnx: this is not an ONNX model"):
        PoseFinder().on_portrait(np.zeros((64, 64, 3), np.uint8), "portrait.png")
