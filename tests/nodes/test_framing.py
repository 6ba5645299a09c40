"""Portraits of any size: fitted to the video, and the finished frames back in the portrait's own framing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from .given import give  # noqa: F401 - a fixture
from .running import Executor, output_of
from .small_models import VIDEO, write_small_models
from .test_nodes import node

TARGET = (192, 128)
SOURCES = [(512, 512), (192, 128), (301, 97), (97, 301), (64, 63), (1000, 750), (384, 256)]


def picture(size):
    """Soft colours, (height, width, 3), that survive being resized."""
    y, x = np.meshgrid(*(np.linspace(0, 3, side) for side in size[::-1]), indexing="ij")
    return np.rint(127 + 120 * np.stack([np.sin(x), np.cos(y), np.sin(x + y)], -1)).astype(np.uint8)


def framed(pack, size, mode):
    """The framing of a portrait of this size, and its picture at the video's size, twice as a clip."""
    fit = pack("mmgt_core.media.framing").fit(size, TARGET, mode)
    portrait = picture(size)
    return pack("mmgt_core.media.portrait_framing").PortraitFraming(fit, portrait), np.stack(
        [fit.apply(portrait)] * 2
    )


@pytest.mark.parametrize("mode", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("size", SOURCES)
def test_the_portrait_comes_back_whole(pack, size, mode):
    framing, frames = framed(pack, size, mode)
    restored = framing.restore(frames)
    height, width = restored.shape[1:3]
    assert (width, height) == framing.size(TARGET) and width % 2 == height % 2 == 0
    assert abs(width / height - size[0] / size[1]) < 0.04 * size[0] / size[1], "its own shape"
    still = framing.portrait(TARGET)
    assert still.shape == restored.shape[1:]
    assert np.abs(restored.astype(int) - still).mean() < 3, "the still picture is the portrait's"
    if framing.is_whole(TARGET):
        assert np.array_equal(restored, frames)


def test_a_crop_fades_into_the_portrait(pack):
    """White frames: seen where the crop was taken, the portrait around it, no hard edge between."""
    framing, frames = framed(pack, (192, 300), "crop")
    restored = framing.restore(np.full_like(frames, 255))[0].astype(int)
    still = framing.portrait(TARGET).astype(int)
    top = -framing.framing.offset[1]
    assert np.array_equal(restored[:top], still[:top]), "outside of the crop to the bit"
    middle = top + TARGET[1] // 2
    assert (restored[middle] == 255).all()
    steps = np.abs(np.diff(restored[top - 2 : middle] - still[top - 2 : middle], axis=0))
    assert steps.max() < 80, "the seam takes several pixels"


def test_frames_of_another_scale(pack):
    """As after upscaling the latents: the same framing at that scale."""
    framing, frames = framed(pack, (300, 400), "pad")
    twice = frames.repeat(2, axis=1).repeat(2, axis=2)
    small, large = framing.restore(frames), framing.restore(twice)
    assert [abs(b - 2 * a) <= 2 for a, b in zip(small.shape[1:3], large.shape[1:3], strict=True)] == [
        True
    ] * 2


def test_the_motion_follows_the_framing(pack):
    """A point of the portrait lies where the fitted picture shows it: half a pixel of the video at most."""
    motions = pack("mmgt_core.pose.motion")
    keypoints = torch.rand(1, 134, 3, generator=torch.Generator().manual_seed(0))
    for size in SOURCES:
        for mode in ("pad", "crop", "stretch"):
            fit = pack("mmgt_core.media.framing").fit(size, TARGET, mode)
            moved = fit.motion_to_target(motions.Motion(keypoints, *size)).keypoints[0, :, :2].numpy()
            expected = fit.points_to_target(keypoints[0, :, :2].numpy() * size) / TARGET
            assert np.abs((moved - expected) * TARGET).max() < 0.5


@pytest.fixture(scope="module")
def executor(pack, tmp_path_factory):
    write_small_models(pack, tmp_path_factory.mktemp("models") / "mmgt")
    return Executor()


@pytest.mark.parametrize(
    ("size", "mode"),
    [
        ((301, 97), "pad"),
        ((64, 63), "crop"),
        pytest.param((97, 301), "stretch", marks=pytest.mark.slow),
        pytest.param((2, 900), "pad", marks=pytest.mark.slow),
    ],
)
def test_a_portrait_of_any_size_through_the_nodes(pack, executor, give, size, mode):  # noqa: F811
    """Into a video that is not square, and out again in the portrait's shape."""
    keypoints = torch.rand(3, 134, 3, generator=torch.Generator().manual_seed(0)).clamp(0.31, 0.95)
    portrait = torch.from_numpy(picture(size)).float()[None] / 255
    links = {"model": ["video", 1], "video_model": ["video", 0], "vae": ["video", 2]}
    links |= {"portrait": ["portrait", 0], "motion": ["motion", 0]}
    choices = {"width": TARGET[0], "height": TARGET[1], "framing": mode, "steps": 1, "decode": True}
    run = executor.run(
        {
            "video": node("MMGTLoadVideoModel", file=VIDEO),
            "portrait": give("IMAGE", portrait),
            "motion": give("MMGT_MOTION", pack("mmgt_core.pose.motion").Motion(keypoints, *size)),
            "sample": node("MMGTSampler", **links, **choices),
            "show": {"class_type": "PreviewImage", "inputs": {"images": ["sample", 1]}},
        }
    )
    assert run.success, run.error
    latent, images = output_of(executor, "sample")
    assert latent["samples"].shape == (3, 4, TARGET[1] // 8, TARGET[0] // 8)
    width, height = latent[pack("nodes.comfy.sockets").FRAMING].size(TARGET)
    assert images.shape == (3, height, width, 3) and images.isfinite().all()
