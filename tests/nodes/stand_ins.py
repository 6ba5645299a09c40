"""Stand-ins for the models of other families: the right class with few channels, or its shapes."""

from __future__ import annotations

import json
import math
from typing import Any

import torch

STEPS_A_SECOND = 50  # of speech encoders
AUDIO_LATENTS_A_SECOND = 25  # of LTX


def wan_vae() -> Any:
    """The VAE of Wan 2.1 with 8 channels and random weights: 4n+1 frames, 1/8 of the sides, 16 channels."""
    import comfy.ldm.wan.vae
    import comfy.sd

    small = comfy.ldm.wan.vae.WanVAE(dim=8, z_dim=16, temperal_downsample=[False, True, True])
    return comfy.sd.VAE(sd=_filled(small))


def ltx_vae() -> Any:
    """The video VAE of LTX with few blocks: 8n+1 frames, 1/32 of the sides, 128 channels."""
    import comfy.ldm.lightricks.vae.causal_video_autoencoder as lightricks
    import comfy.sd

    config = {
        "_class_name": "CausalVideoAutoencoder", "dims": 3, "in_channels": 3, "out_channels": 3,
        "latent_channels": 128, "scaling_factor": 1.0, "norm_layer": "pixel_norm", "patch_size": 4,
        "latent_log_var": "uniform", "use_quant_conv": False, "causal_decoder": False,
        "blocks": [["compress_all", 1], ["compress_all", 1], ["compress_all", 1], ["res_x", 1]],
    }  # fmt: skip
    small = lightricks.VideoVAE(version=0, config=config)
    return comfy.sd.VAE(sd=_filled(small), metadata={"config": json.dumps({"vae": config})})


def _filled(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Small random weights; the host leaves those of a new network as the memory was."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: 0.1 * torch.randn(value.shape, generator=generator) + float("gamma" in name)
        for name, value in network.state_dict().items()
    }


class LtxAudioVae:
    """The shapes of LTX' audio VAE: (1, 8, 25 a second, 16)."""

    audio_sample_rate = 16_000

    def encode(self, waveform: torch.Tensor) -> torch.Tensor:
        seconds = waveform.shape[1] / self.audio_sample_rate
        return torch.zeros(1, 8, math.ceil(seconds * AUDIO_LATENTS_A_SECOND), 16)


class SpeechEncoder:
    """The shapes of the host's wav2vec2: layers of (1, 50 a second, channels)."""

    def encode_audio(self, waveform: torch.Tensor, rate: int) -> dict[str, Any]:
        steps = int(waveform.shape[-1] / rate * STEPS_A_SECOND)
        layers = [torch.full((1, steps, 4), float(layer)) for layer in range(3)]
        return {"encoded_audio": layers[-1], "encoded_audio_all_layers": layers, "audio_samples": steps * 320}


def control_net() -> Any:
    """The host's own ControlNet without a network."""
    import comfy.controlnet

    class Bare(comfy.controlnet.ControlBase):
        def copy(self) -> Any:
            other = Bare()
            self.copy_to(other)
            return other

    return Bare()


def conditioning() -> list[Any]:
    return [[torch.zeros(1, 4, 8), {}]]
