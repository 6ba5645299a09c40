"""SMGA's training loss and its gradients against the reference."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.checkpoints.smga import official_keys
from mmgt_core.lab.training.smga_losses import FACE_WEIGHT, smga_loss
from mmgt_core.smga.diffusion import CosineSchedule


@pytest.fixture
def golden(goldens):
    return goldens("stage1/smga_tiny_loss.safetensors")


@pytest.fixture
def terms(smga_tiny, golden, goldens):
    inputs = goldens("stage1/smga_tiny_forward.safetensors")
    smga_tiny.zero_grad()
    pred = smga_tiny(golden.use("x_noisy"), inputs.use("cond_frame"), inputs.use("cond"), golden.use("t"))
    return smga_loss(pred, golden.use("x0"))


def test_noising(golden):
    noisy = CosineSchedule().add_noise(golden.use("x0"), golden.use("t"), golden.use("noise"))
    golden.close("x_noisy", noisy, atol=1e-6)


def test_terms(golden, terms):
    face = (FACE_WEIGHT * term for term in (terms.face_rec, terms.face_vel, terms.face_acc))
    golden.close("terms_weighted", torch.stack((terms.rec, terms.vel, terms.acc, *face)), rtol=1e-5)
    golden.close("total", terms.total[None], rtol=1e-5)


def test_gradients(smga_tiny, golden, terms):
    terms.total.backward()
    parameters = dict(smga_tiny.named_parameters())
    names = {official: key.ours for official, key in official_keys(smga_tiny.config).items()}
    wanted = [name for name in golden.tensors if name.startswith("grad.")]
    assert wanted
    for name in wanted:
        golden.close(name, parameters[names[name.removeprefix("grad.")]].grad, atol=1e-6, rtol=1e-4)
