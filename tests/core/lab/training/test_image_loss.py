"""The image loss: what it calls near, and that it asks for sharpness."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from mmgt_core.lab.training.image_loss import SHARPNESS, _sharpness, image_loss


def stripes() -> torch.Tensor:
    """(1, 3, 64, 64): hard vertical edges every 8 pixels."""
    return (torch.arange(64) // 8 % 2).float().expand(1, 3, 64, 64).contiguous()


def blurred(images: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(F.pad(images, (2, 2, 2, 2), mode="replicate"), 5, 1)


def test_equal_images_have_no_loss_and_a_larger_error_costs_more() -> None:
    images, ones = stripes(), torch.ones(1, 1, 64, 64)
    assert image_loss(images, images, ones) == 0
    near, far = (image_loss(images + step, images, ones) for step in (0.05, 0.2))
    assert 0 < near < far


def test_only_weighted_pixels_count() -> None:
    images, weights = stripes(), torch.full((1, 1, 64, 64), 1e-6)
    weights[..., :32] = 1
    wrong_left, wrong_right = images.clone(), images.clone()
    wrong_left[..., 8:16] = 0.5
    wrong_right[..., 40:48] = 0.5
    left, right = (image_loss(wrong, images, weights) for wrong in (wrong_left, wrong_right))
    assert left > 1000 * right


def test_a_blurred_image_lacks_sharpness_and_a_shifted_one_does_not() -> None:
    images = stripes()
    truth = _sharpness(images)
    lost = (_sharpness(blurred(images)) - truth).abs().mean()
    shifted = (_sharpness(images.roll(2, dims=-1)) - truth).abs().mean()
    assert lost > 4 * shifted
    assert SHARPNESS * lost > 0.01


def test_gradients_are_finite_on_flat_images() -> None:
    flat = torch.full((1, 3, 16, 16), 0.5, requires_grad=True)
    image_loss(flat, torch.full((1, 3, 16, 16), 0.4), torch.ones(1, 1, 16, 16)).backward()
    assert flat.grad is not None and bool(flat.grad.isfinite().all())
