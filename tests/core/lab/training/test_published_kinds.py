"""Stage II with what the published model has: Stable Diffusion's VAE, a CLIP token, wav2vec2-like windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

pytest.importorskip("accelerate")
pytest.importorskip("webdataset")
pytest.importorskip("transformers")

from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.training.draws import Draws
from mmgt_core.lab.training.image import ImageSettings, train_image
from mmgt_core.lab.training.loop_settings import LoopSettings
from mmgt_core.lab.training.prepared_video import PreparedVideo
from mmgt_core.lab.training.video import VideoSettings, train_video
from mmgt_core.lab.training.video_loss import BatchSettings, VideoLoss

from .prepared import make
from .tiny_recipe import tiny_recipe

CROSS = 24
SIZES = replace(
    tiny_recipe().image.model, size=64, autoencoder="kl", latent_scale=0.18215, image_context="clip",
    cross_dim=CROSS,
)  # fmt: skip
LOOP = LoopSettings(steps=2, warmup=1, log_every=1, precision="fp32", device="cpu", validate_every=2)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A data set, a VAE and a CLIP image encoder."""
    import transformers
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    folder = tmp_path_factory.mktemp("files")
    make(folder / "data")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(32, 32, 32, 32), layers_per_block=1, latent_channels=4,
        )  # fmt: skip
        clip = transformers.CLIPVisionModelWithProjection(
            transformers.CLIPVisionConfig(
                hidden_size=64, intermediate_size=64, projection_dim=CROSS, num_hidden_layers=1,
                num_attention_heads=1, patch_size=8, image_size=32,
            )
        )  # fmt: skip
    save_file(vae.state_dict(), folder / "vae.safetensors")
    save_file({n: t.contiguous() for n, t in clip.state_dict().items()}, folder / "clip.safetensors")
    return {name: str(folder / file) for name, file in (
        ("data", "data"), ("autoencoder", "vae.safetensors"), ("clip_vision", "clip.safetensors"),
    )}  # fmt: skip


def image_settings(files: dict[str, str], folder: Path) -> ImageSettings:
    batch = BatchSettings(clips=2, image_drop=0.5, dropped_image="black")
    return ImageSettings(folder=str(folder), model=SIZES, loop=LOOP, batch=batch, workers=0, **files)


def test_both_phases_train(files: dict[str, str], tmp_path: Path) -> None:
    path, report = train_image(image_settings(files, tmp_path / "image"))
    assert report.best is not None
    video = VideoSettings(
        start=str(path), folder=str(tmp_path / "video"), loop=LOOP, workers=0,
        batch=BatchSettings(clips=1, frames=3, audio=True, motion=True), **files,
    )  # fmt: skip
    assert train_video(video)[1].steps == 2


@pytest.mark.parametrize("way", ["zero", "black"])
def test_a_dropped_image_has_the_chosen_token(files: dict[str, str], way: str) -> None:
    from mmgt_core.checkpoints.clip_vision import load_clip_vision
    from mmgt_core.checkpoints.vae import load_vae
    from mmgt_core.lab.training.image import new_model

    settings = BatchSettings(clips=2, image_drop=0.5, dropped_image=way)
    source = PreparedVideo(
        PreparedData.open(files["data"]), SIZES, settings, load_vae(files["autoencoder"]),
        load_clip_vision(files["clip_vision"]),
    )  # fmt: skip
    model = new_model(SIZES, 0)
    loss = VideoLoss(model, source, settings)
    tensors, dropped = loss.inputs(Draws(0, 0))
    assert dropped == 1 and tensors["embeds"].shape == (2, CROSS)
    seen: list[torch.Tensor] = []
    predict = model.predict
    model.predict = lambda latents, times, context, state: (
        seen.append(context), predict(latents, times, context, state)
    )[1]  # fmt: skip
    loss.loss(tensors, dropped)
    context = seen[0][:, 0]
    assert torch.equal(context[0], tensors["embeds"][0])
    expected = torch.zeros(CROSS) if way == "zero" else source.black_embeds[0]
    assert torch.equal(context[1], expected)


def test_latents_are_samples_of_the_posterior(files: dict[str, str]) -> None:
    """Equal draws give equal samples; their mean is the encoder's."""
    from mmgt_core.checkpoints.vae import load_vae
    from mmgt_core.lab.training.latents import encode_images

    vae = load_vae(files["autoencoder"])
    seeded = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8, generator=seeded)
    mean = encode_images(vae, images, 0.18215)
    first, again, other = (encode_images(vae, images, 0.18215, Draws(0, step)) for step in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    many = torch.stack([encode_images(vae, images, 0.18215, Draws(0, step)) for step in range(64)])
    spread = many.std(0)
    assert ((many.mean(0) - mean).abs() < 5 * spread / 8).all() and (spread > 0).all()
