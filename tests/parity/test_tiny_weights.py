"""The tiny Stage II weights: what the manifest's seeds draw is what the file holds, on every processor."""

from __future__ import annotations

import torch

from ..goldens.small import samples
from .tiny_weights import SAMPLES, WEIGHTS, drawn_weights, tiny_model


def test_manifest_draws_the_stored_weights(golden_record):
    """All of them where the full file lies, else the first values of each."""
    drawn, _ = drawn_weights(golden_record)
    files = [name for name in (WEIGHTS, SAMPLES) if golden_record.find(name) is not None]
    stored = golden_record.load(files[0] if files else SAMPLES).tensors
    if files == [SAMPLES]:
        drawn = samples(drawn)
    assert set(drawn) == set(stored)
    for name, tensor in stored.items():
        # Sinusoids are float32; their angles go up to the number of positions, their last bits differ.
        atol = 0 if tensor.dtype == torch.float16 else 1e-5
        torch.testing.assert_close(drawn[name], tensor, rtol=0, atol=atol)


def test_tiny_model_takes_every_tensor(golden_record):
    """Loading is strict, so that it worked says that no tensor was left over or missing."""
    assert sum(p.numel() for p in tiny_model(golden_record).parameters()) > 0
