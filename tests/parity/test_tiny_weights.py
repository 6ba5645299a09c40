"""The tiny Stage II weights: what the manifest's seeds draw is what the file holds."""

from __future__ import annotations

import json

import torch

from .tiny_weights import MANIFEST, WEIGHTS, draw_weights, tiny_model


def test_manifest_draws_the_stored_weights(golden_path, goldens):
    drawn = draw_weights(json.loads(golden_path(MANIFEST).read_text(encoding="utf-8")))
    stored = goldens(WEIGHTS).tensors
    assert set(drawn) == set(stored)
    unequal = [name for name, tensor in stored.items() if not torch.equal(tensor, drawn[name])]
    assert not unequal


def test_tiny_model_takes_every_tensor(golden_record):
    """Loading is strict, so that it worked says that no tensor was left over or missing."""
    assert sum(p.numel() for p in tiny_model(golden_record).parameters()) > 0
