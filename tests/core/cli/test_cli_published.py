"""Models as published, that bring neither autoencoder nor CLIP: stock files beside them; and vocals apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from mmgt_core.checkpoints.video import load_video_model, save_video_model
from mmgt_core.media.sound_file import load_waveform, save_wav
from mmgt_core.media.video_reader import read_video
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose.motion_file import load_motion
from mmgt_core.video.model import VideoModel

transformers = pytest.importorskip("transformers")
WIDTH = 8  # of the embedding, which is the tiny model's cross_dim


@pytest.fixture(scope="module")
def stock(inputs, tmp_path_factory) -> dict[str, Path]:
    """A video model of the published kind, and its two companions."""
    folder = tmp_path_factory.mktemp("stock files")
    config = replace(
        load_video_model(inputs.video_model).config,
        autoencoder="kl",
        image_context="clip",
        latent_scale=0.18215,
    )
    save_video_model(folder / "video.safetensors", VideoModel.build(config, 0, pose_output_scale=1.0))
    blocks = {
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "block_out_channels": (32,) * 4,
        "layers_per_block": 1,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        AutoencoderKL(**blocks).save_pretrained(folder / "vae")
        clip = transformers.CLIPVisionConfig(
            hidden_size=64,
            intermediate_size=32,
            projection_dim=WIDTH,
            num_hidden_layers=1,
            num_attention_heads=1,
            image_size=16,
            patch_size=8,
        )
        transformers.CLIPVisionModelWithProjection(clip).save_pretrained(folder / "clip")
    return {
        "model": folder / "video.safetensors",
        "vae": folder / "vae" / "diffusion_pytorch_model.safetensors",
        "clip_vision": folder / "clip" / "model.safetensors",
    }


def test_with_its_companions_it_makes_a_video(mmgt, inputs, stock, tmp_path):
    out = tmp_path / "video.mp4"
    outcome = mmgt(inputs.generate(out, **stock, duration=0.3))
    assert outcome.code == 0, outcome.err
    assert len(read_video(out).frames) == 8


def test_what_is_missing_or_wrong_is_said_before_long_work(mmgt, inputs, stock, tmp_path):
    out = tmp_path / "video.mp4"
    for changes, words in (
        ({"vae": None}, "--vae FILE"),
        ({"clip_vision": None}, "--clip-vision FILE"),
        ({"vae": stock["clip_vision"]}, "this is a CLIP vision encoder, not the VAE"),
        ({"clip_vision": stock["vae"]}, "this is a VAE, not the CLIP"),
        ({"vae": inputs.motion_model}, "motion model, not the VAE"),
    ):
        outcome = mmgt(inputs.generate(out, **{**stock, **changes}))
        assert outcome.code == 2 and words in outcome.err, outcome.err
        assert "generating motion" not in outcome.err and not out.exists()


def test_vocals_are_heard_and_the_recording_sounds(mmgt, inputs, tmp_path):
    """With silent vocals the silence gate, on by default, holds the mouth; the video still has the music."""
    speech = load_waveform(inputs.speech)
    save_wav(tmp_path / "silent.wav", Waveform(np.zeros_like(speech.samples), speech.rate))
    moved, still = tmp_path / "moved.safetensors", tmp_path / "still.safetensors"
    assert mmgt(inputs.motion_command(moved)).code == 0
    assert mmgt(inputs.motion_command(still, vocals=tmp_path / "silent.wav")).code == 0
    same = tmp_path / "same.safetensors"
    assert mmgt(inputs.motion_command(same, vocals=inputs.speech)).code == 0
    assert torch.equal(load_motion(same).keypoints, load_motion(moved).keypoints)
    assert not torch.equal(load_motion(still).keypoints, load_motion(moved).keypoints)
    assert load_motion(still).frames == load_motion(moved).frames
    video = tmp_path / "video.mp4"
    assert mmgt(inputs.generate(video, vocals=tmp_path / "silent.wav")).code == 0
    assert np.abs(load_waveform(video).samples).max() > 0.1
