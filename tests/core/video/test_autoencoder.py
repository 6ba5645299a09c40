"""Frames and latents."""

from __future__ import annotations

import torch

from mmgt_core.video.autoencoder import decode_latents, decoded_parts, encode_frames, frame_decoder


def test_shapes_ranges_and_chunks(model, draw):
    frames = draw(5, 32, 48, 3).sigmoid()
    latents = encode_frames(model.autoencoder, frames, model.config.latent_scale, chunk=2)
    assert latents.shape == (5, 4, 4, 6)
    decode = frame_decoder(model.autoencoder, model.config.latent_scale)
    parts = list(decoded_parts(decode, latents, at_once=2))
    decoded = torch.cat(parts)
    assert decoded.shape == frames.shape and decoded.min() >= 0 and decoded.max() <= 1
    assert [len(part) for part in parts] == [2, 2, 1]
    whole = decode_latents(model.autoencoder, latents, model.config.latent_scale, at_once=5)
    assert torch.allclose(decoded, whole, atol=1e-5)


def test_latents_carry_the_scale(model, draw):
    frames = draw(1, 32, 32, 3).sigmoid()
    once, twice = (encode_frames(model.autoencoder, frames, scale) for scale in (1.0, 2.0))
    assert torch.allclose(2 * once, twice)
    decoded = [decode_latents(model.autoencoder, x, scale) for x, scale in ((once, 1.0), (twice, 2.0))]
    assert torch.allclose(*decoded, atol=1e-6)
