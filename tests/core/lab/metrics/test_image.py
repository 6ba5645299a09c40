"""PSNR and SSIM against their definitions and against torchmetrics."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.lab.metrics.image import gradient_map, masked_mean, psnr, ssim_map


@pytest.fixture
def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 32, 40, 3, generator=generator)
    noise = torch.rand(2, 32, 40, 3, generator=generator) * torch.tensor([0.05, 0.4]).view(2, 1, 1, 1)
    return (truth + noise).clamp(0, 1), truth


def test_psnr_of_a_known_error():
    truth = torch.zeros(2, 16, 16, 3)
    frames = torch.stack([torch.full((16, 16, 3), 0.1), torch.full((16, 16, 3), 0.01)])
    torch.testing.assert_close(psnr(frames, truth), torch.tensor([20.0, 40.0], dtype=torch.float64))
    assert psnr(truth, truth).tolist() == [100.0, 100.0]


def test_psnr_of_some_pixels_leaves_the_others_out():
    truth = torch.zeros(1, 8, 8, 3)
    frames = torch.full_like(truth, 0.5)
    frames[:, :4] = 0.1
    where = torch.zeros(1, 8, 8, dtype=torch.bool)
    where[:, :4, 2:] = True
    torch.testing.assert_close(psnr(frames, truth, where), torch.tensor([20.0], dtype=torch.float64))


def test_gradient_energy_of_a_step_counts_where_it_is():
    frames = torch.zeros(1, 4, 8, 3)
    frames[:, :, 4:] = 0.5  # one step of 0.5 in each of four rows of eight pixels
    assert gradient_map(frames).mean().item() == pytest.approx(0.25 / 8)
    assert gradient_map(frames.transpose(1, 2)).mean().item() == pytest.approx(0.25 / 8)
    where = torch.zeros(1, 4, 8, dtype=torch.bool)
    where[:, :, 3] = True
    assert masked_mean(gradient_map(frames), where).item() == pytest.approx(0.25)
    assert masked_mean(gradient_map(frames), ~where).item() == 0


def test_equal_pictures_are_alike_and_noise_is_not(pictures):
    frames, truth = pictures
    torch.testing.assert_close(masked_mean(ssim_map(truth, truth)), torch.ones(2))
    near, far = masked_mean(ssim_map(frames, truth)).tolist()
    assert far < near < 1


def test_ssim_and_psnr_agree_with_torchmetrics(pictures):
    image = pytest.importorskip("torchmetrics.functional.image", reason="torchmetrics is in the train extra")
    frames, truth = (p.permute(0, 3, 1, 2) for p in pictures)
    theirs = image.structural_similarity_index_measure(frames, truth, data_range=1.0, reduction="none")
    torch.testing.assert_close(masked_mean(ssim_map(*pictures)), theirs, atol=1e-5, rtol=0)
    theirs = image.peak_signal_noise_ratio(frames, truth, data_range=1.0, reduction="none", dim=(1, 2, 3))
    torch.testing.assert_close(psnr(*pictures).float(), theirs, atol=1e-4, rtol=0)
