"""What the published Stage II would hold of a GPU's memory, counted on tensors without data."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.video.conditions import ClipConditions
from mmgt_core.video.config import VideoConfig
from mmgt_core.video.mask_pyramid import MaskPyramid
from mmgt_core.video.model import VideoModel

from ..live_memory import LiveMemory

pytestmark = pytest.mark.slow
GIB = 2**30
META = torch.device("meta")


def fused_attention(q, k, v, *args, **kwargs):
    """On GPUs attention makes its result and next to nothing else."""
    return q.new_empty(*q.shape[:-1], v.shape[-1])


def call_memory(side: int, window: int, guidance: bool) -> tuple[int, int]:
    """Bytes of (all weights, the peak of one UNet call) in half precision."""
    config, latent = VideoConfig(), side // 8

    def drawn(*shape: int) -> torch.Tensor:
        return torch.empty(*shape, dtype=torch.float16)

    with torch.no_grad(), torch.device("meta"), LiveMemory() as memory:
        model = VideoModel(config)
        for part in (model.unet, model.reference, model.adapter):
            part.half()
        model.autoencoder = None
        weights = memory.now
        conditions = ClipConditions.build(
            model,
            drawn(1, 4, latent, latent),
            lambda indices: drawn(len(indices), side, side, 3),
            250,
            latent_size=(latent, latent),
            audio=lambda indices: drawn(
                len(indices), config.audio_window, config.audio_blocks, config.audio_channels
            ),
            masks=lambda indices: MaskPyramid.empty(len(indices), latent, latent),
            image_embeds=drawn(1, config.cross_dim),
        )
        folded = model.adapter.fold()
        memory.peak = memory.now  # making these takes less than the call that follows
        sides = (False, True) if guidance else (True,)
        with model.attached(folded):
            for start in (0, window - 4):
                windows = [list(range(start, start + window))]
                state = conditions.state(windows, sides, config.region_weights)
                latents = drawn(len(sides) * window, 4, latent, latent)
                model.predict(latents, torch.tensor([999]), conditions.contexts(1, sides), state)
        return weights, memory.peak


@pytest.mark.parametrize(
    ("side", "window", "guidance", "most"),
    [
        (512, 12, True, 6.2),
        (512, 12, False, 5.5),
        (512, 24, True, 8.0),
        (448, 12, True, 5.8),
        (384, 12, True, 5.5),
        (512, 8, True, 5.8),
        (512, 8, False, 5.2),
    ],
)
def test_one_call_of_the_published_network(monkeypatch, capfd, side, window, guidance, most):
    """An 8 GB card holds one window of 12 frames at 512 pixels, guidance and all."""
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", fused_attention)
    weights, peak = call_memory(side, window, guidance)
    with capfd.disabled():
        print(
            f"\n{side} px, window {window}, {'with' if guidance else 'no'} guidance: weights "
            f"{weights / GIB:.2f} GiB, peak of a call {peak / GIB:.2f} GiB"
        )
    assert peak / GIB < most
