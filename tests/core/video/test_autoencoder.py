"""Frames and latents."""

from __future__ import annotations

import torch

from mmgt_core.video.autoencoder import decode_latents, encode_frames


def test_shapes_ranges_and_chunks(model, draw):
    frames = draw(5, 32, 48, 3).sigmoid()
    latents = encode_frames(model.autoencoder, frames, model.config.latent_scale, chunk=2)
    assert latents.shape == (5, 4, 4, 6)
    seen = []
    decoded = decode_latents(
        model.autoencoder, latents, model.config.latent_scale, chunk=2, progress=lambda *a: seen.append(a[:2])
    )
    assert decoded.shape == frames.shape and decoded.min() >= 0 and decoded.max() <= 1
    assert seen == [(2, 5), (4, 5), (5, 5)]
    whole = decode_latents(model.autoencoder, latents, model.config.latent_scale, chunk=5)
    assert torch.allclose(decoded, whole, atol=1e-5)


def test_latents_carry_the_scale(model, draw):
    frames = draw(1, 32, 32, 3).sigmoid()
    once, twice = (encode_frames(model.autoencoder, frames, scale) for scale in (1.0, 2.0))
    assert torch.allclose(2 * once, twice)
    decoded = [decode_latents(model.autoencoder, x, scale) for x, scale in ((once, 1.0), (twice, 2.0))]
    assert torch.allclose(*decoded, atol=1e-6)
