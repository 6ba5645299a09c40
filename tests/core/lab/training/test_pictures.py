"""Training images and what is measured on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgt_core.lab.metrics.image import psnr
from mmgt_core.lab.training.autoencoder import new_autoencoder, whiteness
from mmgt_core.lab.training.presenter_data import BOXES, PictureSet, make_picture_set
from mmgt_core.lab.training.regions import weight_map
from mmgt_core.lab.training.speech_data import SpeechData
from mmgt_core.video.config import demo_config

SIZES = replace(demo_config(), size=128)


@torch.no_grad()
def reconstruct(autoencoder, images):
    """uint8 images (n, s, s, 3) through the autoencoder and back, as floats in [0, 1]."""
    decoded = autoencoder.decoder(autoencoder.encoder(images.permute(0, 3, 1, 2).float() / 127.5 - 1))
    return (decoded.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)


@pytest.fixture(scope="module")
def pictures(speech: SpeechData) -> PictureSet:
    return make_picture_set(speech, SIZES, 8, 3, contiguous=True, seed=0)


def test_pictures_follow_from_the_seed(pictures: PictureSet, speech: SpeechData) -> None:
    again = make_picture_set(speech, SIZES, 2, 3, contiguous=True, seed=0)
    other = make_picture_set(speech, SIZES, 2, 3, contiguous=True, seed=1)
    assert torch.equal(again.frames, pictures.frames[:2]) and torch.equal(again.poses, pictures.poses[:2])
    assert not torch.equal(other.frames, again.frames)
    assert pictures.frames.shape == (8, 3, 128, 128, 3) and pictures.frames.dtype == torch.uint8


def test_where_lips_are_hidden_masks_and_pose_do_not_tell_of_the_mouth(pictures: PictureSet) -> None:
    white = (pictures.poses == 255).all(-1)
    seen = torch.stack([_lips(white[i], pictures.boxes[i, :, BOXES.index("lips")]) for i in range(8)])
    hidden = ~seen.any(1)
    assert hidden.any() and not hidden.all(), "the sample needs clips of both kinds"
    lips = pictures.masks[0][:, :, 2]
    moves = (lips[:, 1:] != lips[:, :1]).flatten(1).any(1)
    assert not moves[hidden].any()
    assert moves[~hidden].any()


def _lips(white: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Whether each frame shows lip dots; white is nearly full where a dot was averaged down."""
    shown = []
    for frame, box in zip(white, boxes, strict=True):
        x1, y1, x2, y2 = (box * 128).round().int().tolist()
        shown.append(bool(frame[y1 + 4 : y2 - 2, x1 + 4 : x2 - 4].any()))
    return torch.tensor(shown)


def test_weights_cover_just_their_boxes() -> None:
    boxes = torch.zeros(1, len(BOXES), 4)
    boxes[0, BOXES.index("lips")] = torch.tensor([0.25, 0.5, 0.5, 0.75])
    weights = weight_map(boxes, (8, 16), {"lips": 3.0})
    expected = torch.ones(1, 1, 8, 16)
    expected[..., 4:6, 4:8] = 4
    assert torch.equal(weights, expected)
    half = weight_map(boxes + torch.tensor([1 / 32, 0, 1 / 32, 0]), (8, 16), {"lips": 3.0})
    assert half.sum() == pytest.approx(expected.sum().item())
    assert half[0, 0, 4, 4] == pytest.approx(2.5)


def test_the_autoencoder_begins_with_the_colours(pictures: PictureSet) -> None:
    autoencoder = new_autoencoder(SIZES, 0).eval()
    plain = torch.full((2, 64, 64, 3), 0, dtype=torch.uint8)
    plain[0] = torch.tensor([200, 40, 90], dtype=torch.uint8)
    plain[1] = torch.tensor([30, 140, 240], dtype=torch.uint8)
    middle = slice(16, 48)
    back = (reconstruct(autoencoder, plain) * 255).round().to(torch.uint8)
    assert (back[:, middle, middle].int() - plain[:, middle, middle].int()).abs().max() <= 25
    frames = pictures.frames[:, 0]
    assert float(psnr(reconstruct(autoencoder, frames), frames.float() / 255).mean()) > 15


def test_whiteness_knows_white_from_correlated() -> None:
    noise = torch.randn(8, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    assert whiteness(noise) < 1e-3
    assert whiteness(noise[:, :1].expand(-1, 4, -1, -1)) > 0.5
    assert whiteness(noise + 1) == pytest.approx(1.0, abs=0.05)


def test_openings_are_those_of_the_frames(pictures: PictureSet) -> None:
    assert np.isfinite(pictures.openings.numpy()).all()
    assert pictures.openings.min() >= 0 and pictures.openings.max() <= 1.05
