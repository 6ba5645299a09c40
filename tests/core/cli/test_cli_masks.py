"""`mmgt generate` with masks from files."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core.checkpoints.video import load_video_model, save_video_model
from mmgt_core.media.images import save_image
from mmgt_core.media.video_reader import iterate_video
from mmgt_core.media.video_writer import VideoWriter
from mmgt_core.pipeline.mask_files import given_masks
from mmgt_core.pipeline.request import VideoRequest

FRAMES = 9  # of the motion file


@pytest.fixture
def masks(tmp_path):
    """An image, videos of the motion's length and longer, and an image of another shape."""
    white = np.full((64, 80, 3), 255, np.uint8)
    paths = {name: tmp_path / f"{name}.png" for name in ("white", "tall")}
    save_image(paths["white"], white)
    save_image(paths["tall"], white.transpose(1, 0, 2).copy())
    for name, frames in (("nine", FRAMES), ("ten", FRAMES + 1)):
        paths[name] = tmp_path / f"{name}.mp4"
        with VideoWriter(paths[name], 80, 64, fps=25) as video:
            video.write(np.stack([white if index % 2 else 0 * white for index in range(frames)]))
    return paths


def frames_of(path) -> np.ndarray:
    return np.stack(list(iterate_video(path)))


@pytest.fixture
def hearing(inputs, tmp_path):
    """The test's video model with audio modules that do something; they begin at zero."""
    model = load_video_model(inputs.video_model)
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.adapter.named_parameters():
        if ".zero." in name:
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    save_video_model(tmp_path / "hearing.safetensors", model)
    return tmp_path / "hearing.safetensors"


def test_they_change_the_video(inputs, mmgt, masks, hearing, tmp_path):
    given = {"keypoints": None, "motion": inputs.motion, "duration": FRAMES / 25, "model": hearing}
    plain, masked = tmp_path / "plain.mp4", tmp_path / "masked.mp4"
    assert mmgt(inputs.generate(plain, **given)).code == 0
    changes = {"face_mask": masks["white"], "lips_mask": masks["nine"]}
    outcome = mmgt(inputs.generate(masked, **given, **changes))
    assert outcome.code == 0, outcome.err
    assert frames_of(masked).shape == frames_of(plain).shape
    assert not np.array_equal(frames_of(masked), frames_of(plain))


@pytest.mark.parametrize(
    ("name", "text"), [("ten", "more than 9 masks"), ("tall", "the hands mask has 64 x 80 pixels")]
)
def test_other_lengths_and_shapes_end_in_a_sentence(inputs, mmgt, masks, tmp_path, name, text):
    given = {
        "keypoints": None,
        "motion": inputs.motion,
        "audio": None,
        "motion_steps": None,
        "motion_model": None,
    }
    outcome = mmgt(inputs.generate(tmp_path / "a.mp4", **given, hands_mask=masks[name]))
    assert outcome.code == 2 and text in outcome.err and "Traceback" not in outcome.err


def test_a_video_is_read_frame_by_frame(inputs, masks, tmp_path):
    request = VideoRequest(inputs.portrait, tmp_path / "a.mp4", lips_mask=masks["nine"])
    given = given_masks(request, FRAMES)
    assert given is not None and given.lips is not None and given.face is None
    bright = given.lips.mean(axis=(1, 2)) > 128
    assert bright.tolist() == [bool(index % 2) for index in range(FRAMES)]
    assert given_masks(VideoRequest(inputs.portrait, tmp_path / "a.mp4"), FRAMES) is None
