"""How near one image is to another, frame by frame: PSNR, SSIM, and whether edges are as sharp."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BEST_PSNR = 100.0  # dB, what two equal images get instead of infinity, so that means stay finite
SSIM_WINDOW = 11  # pixels, with sigma 1.5: the window of Wang et al. 2004
SSIM_SIGMA = 1.5


def psnr(frames: Tensor, truth: Tensor, where: Tensor | None = None) -> Tensor:
    """Peak signal to noise ratio of each frame in dB.

    Args:
        frames, truth: (frames, H, W, 3) in [0, 1].
        where: bool (frames, H, W), the pixels that count, at least one in each frame; default all.

    Returns:
        (frames,) float64, at most 100.
    """
    return decibels(masked_mean((frames.double() - truth.double()).square().mean(-1), where))


def decibels(error: Tensor) -> Tensor:
    """PSNR in dB, at most 100, of mean squared errors of values in [0, 1]."""
    return (-10 * torch.log10(error.double().clamp(min=10 ** (-BEST_PSNR / 10)))).clamp(max=BEST_PSNR)


def ssim_map(frames: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity around each pixel (Wang et al. 2004: Gaussian window, mean over RGB).

    Args:
        frames, truth: (frames, H, W, 3) in [0, 1], at least 6 pixels high and wide (borders are mirrored).

    Returns:
        (frames, H, W); torchmetrics' StructuralSimilarityIndexMeasure with data range 1 is its mean.
    """
    # Variances do not depend on a constant: around the middle they lose fewer digits in flat areas.
    x, y = (picture.float().permute(0, 3, 1, 2) - 0.5 for picture in (frames, truth))
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = (_blur(x * x) - mean_x.square()).clamp(min=0)
    var_y = (_blur(y * y) - mean_y.square()).clamp(min=0)
    covariance = _blur(x * y) - mean_x * mean_y
    mean_x, mean_y = mean_x + 0.5, mean_y + 0.5
    c1, c2 = 0.01**2, 0.03**2
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    likeness = likeness / ((mean_x.square() + mean_y.square() + c1) * (var_x + var_y + c2))
    return likeness.mean(1)


def gradient_map(frames: Tensor) -> Tensor:
    """Squared differences of neighboring pixels: blurring lowers their mean, noise raises it.

    Args:
        frames: (frames, H, W, 3) in [0, 1].

    Returns:
        float64 (frames, H, W), summed over both directions, a mean over colors.
    """
    x = F.pad(frames.double().permute(0, 3, 1, 2), (0, 1, 0, 1), mode="replicate")
    return (x.diff(dim=3)[:, :, :-1].square() + x.diff(dim=2)[..., :-1].square()).mean(1)


def masked_mean(values: Tensor, where: Tensor | None = None) -> Tensor:
    """(frames,) means of (frames, H, W) over the pixels that count, bool (frames, H, W); default all."""
    if where is None:
        return values.flatten(1).mean(1)
    return (values * where).flatten(1).sum(1) / where.flatten(1).sum(1)


def _blur(x: Tensor) -> Tensor:
    """Gaussian mean of (frames, channels, H, W), the image mirrored at its borders."""
    margin = SSIM_WINDOW // 2
    x = F.pad(x, (margin,) * 4, mode="reflect")
    offset = torch.arange(SSIM_WINDOW, dtype=x.dtype, device=x.device) - (SSIM_WINDOW - 1) / 2
    weights = torch.exp(-0.5 * (offset / SSIM_SIGMA).square())
    weights = (weights / weights.sum()).expand(x.shape[1], 1, -1)
    x = F.conv2d(x, weights.unsqueeze(2), groups=x.shape[1])
    return F.conv2d(x, weights.unsqueeze(3), groups=x.shape[1])
