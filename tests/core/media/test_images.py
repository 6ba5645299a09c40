"""Images: every common file loads as upright RGB, the rest is refused; framing finds its way back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmgt_core.base.errors import InputError
from mmgt_core.media.framing import fit, fit_image
from mmgt_core.media.images import load_image, save_image, to_uint8
from mmgt_core.pose.motion import Motion


def picture(width: int, height: int) -> np.ndarray:
    """A smooth image that differs from place to place."""
    y, x = np.mgrid[:height, :width]
    return np.stack(
        [x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x + y) % 64 + 60], -1
    ).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tiff"])
def test_lossless_round_trip(tmp_path, suffix):
    path, image = tmp_path / f"a{suffix}", picture(60, 40)
    Image.fromarray(image).save(path, **({"lossless": True} if suffix == ".webp" else {}))
    np.testing.assert_array_equal(load_image(path), image)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(tmp_path, orientation):
    upright = picture(64, 48)
    turn = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(np.ascontiguousarray(turn(upright))).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), upright)


def test_transparency_is_laid_on_white(tmp_path):
    image = np.zeros((20, 20, 4), np.uint8)
    image[..., 0], image[:10, :, 3], image[10:, :, 3] = 200, 0, 255
    Image.fromarray(image).save(tmp_path / "a.png")
    loaded = load_image(tmp_path / "a.png")
    assert (loaded[:10] == 255).all() and (loaded[10:] == (200, 0, 0)).all()


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    grey = Image.fromarray(picture(30, 30)[..., 0])
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        image = grey.convert(mode)
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    image.save(path)
    loaded = load_image(path)
    assert loaded.shape == (30, 30, 3) and loaded.dtype == np.uint8
    if mode in ("L", "LA", "I;16"):
        np.testing.assert_array_equal(loaded, np.repeat(np.asarray(grey)[..., None], 3, -1))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: path.write_text("no image"), "not an image"),
        (lambda path: path.write_bytes(b""), "not an image"),
        (lambda path: None, "no such file"),
        (lambda path: Image.fromarray(picture(5, 200)).save(path), "only 5 x 200 pixels"),
        (
            lambda path: (
                Image.fromarray(picture(90, 90)).save(path),
                path.write_bytes(path.read_bytes()[:150]),
            ),
            "damaged",
        ),
    ],
)
def test_bad_pictures(tmp_path, write, words):
    path = tmp_path / "bad.png"
    write(path)
    with pytest.raises(InputError, match=words) as caught:
        load_image(path)
    assert "bad.png" in str(caught.value) and "\n" not in str(caught.value)


def test_too_many_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.fromarray(picture(40, 40)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="too many pixels"):
        load_image(tmp_path / "a.png")


def test_save_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new folder" / "a.png"
    save_image(path, picture(30, 20))
    before = path.read_bytes()
    with pytest.raises(Exception):  # noqa: B017
        save_image(path, np.zeros((3, 3, 7)))
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]
    with pytest.raises(InputError, match="cannot be written"):
        save_image(tmp_path / "a.docx", picture(30, 20))


def test_to_uint8():
    assert to_uint8(torch.tensor([0.0, 0.5, 1.0, 2.0, -1.0])).tolist() == [0, 128, 255, 255, 0]
    bytes_ = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(bytes_), bytes_)
    np.testing.assert_array_equal(to_uint8(bytes_ / np.float32(255)), bytes_)


SIDES = st.integers(16, 200)


@settings(max_examples=60, deadline=None)
@given(
    width=SIDES,
    height=SIDES,
    target=st.tuples(SIDES, SIDES),
    mode=st.sampled_from(("pad", "crop", "stretch")),
)
def test_points_and_motions_find_their_way_back(width, height, target, mode):
    framing = fit((width, height), target, mode)
    points = np.array([[0.0, 0], [width, height], [3.3, 7.7]])
    np.testing.assert_allclose(framing.points_to_source(framing.points_to_target(points)), points, atol=1e-9)
    motion = Motion(torch.rand(2, 134, 3), width, height)
    there = framing.motion_to_target(motion)
    assert (there.width, there.height) == target
    np.testing.assert_allclose(
        there.pixels().numpy(), framing.points_to_target(motion.pixels().numpy()), atol=1e-3, rtol=1e-5
    )


@settings(max_examples=40, deadline=None)
@given(
    width=SIDES,
    height=SIDES,
    size=st.sampled_from((64, 128)),
    mode=st.sampled_from(("pad", "crop", "stretch")),
)
def test_square_pictures(width, height, size, mode):
    image = picture(width, height)
    fitted, framing = fit_image(image, (size, size), mode)
    assert fitted.shape == (size, size, 3) and fitted.dtype == np.uint8
    restored = framing.restore(fitted[None], image)
    assert restored.shape == (1, height, width, 3)


@pytest.mark.parametrize("mode", ["pad", "crop"])
def test_framing_is_restored_in_place(mode):
    """A smooth image comes back where it was, also from frames of another size than the fit's."""
    y, x = np.mgrid[:120, :200]
    image = np.stack([x, y, (x + y) // 2], -1).astype(np.uint8)
    fitted, framing = fit_image(image, (128, 128), mode)
    larger = np.asarray(Image.fromarray(fitted).resize((256, 256), Image.Resampling.BILINEAR))
    for frames in (fitted[None], larger[None]):
        restored = framing.restore(frames, image)[0].astype(int)
        assert np.abs(restored - image)[3:-3, 3:-3].mean() < 1.5


def test_refusals():
    with pytest.raises(InputError, match="fitted by"):
        fit((10, 10), (20, 20), "zoom")
    with pytest.raises(InputError, match="this framing is for"):
        fit((10, 10), (20, 20)).apply(picture(30, 30))
