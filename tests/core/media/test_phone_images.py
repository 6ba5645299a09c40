"""Images as phones and editors write them: profiles, EXIF data, HEIC."""

from __future__ import annotations

import io
import struct
import sys
import types

import numpy as np
import pytest
from PIL import Image, ImageCms

from mmgt_core.base.errors import DependencyError, InputError
from mmgt_core.media.images import load_image, on_white

D50 = (0.9642, 1.0, 0.8249)
RED, GREEN, BLUE = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)


def profile(space: bytes = b"RGB ", primaries=(GREEN, RED, BLUE), gamma: float = 2.2) -> bytes:
    """A small ICC profile, by default with red and green exchanged."""

    def xyz(values) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"test profile\0"
    about = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * (79 - len(name) % 4 + 1)
    tags = {b"desc": about, b"wtpt": xyz(D50), b"cprt": b"text\0\0\0\0none"}
    if space == b"RGB ":
        tags |= {key: xyz(v) for key, v in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    else:
        tags[b"kTRC"] = curve
    table, data, place = b"", b"", 132 + 12 * len(tags)
    for key, value in tags.items():
        value += b"\0" * (-len(value) % 4)
        table += key + struct.pack(">II", place + len(data), len(value))
        data += value
    size = place + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s4s", 2020, 1, 1, 0, 0, 0, b"acsp", b"none") + b"\0" * 24
    head += b"".join(struct.pack(">i", round(v * 65536)) for v in D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def flat(color, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (32, 24), color)


def test_colors_are_converted_to_srgb(tmp_path):
    flat((230, 100, 60)).save(tmp_path / "a.png", icc_profile=profile())
    loaded = load_image(tmp_path / "a.png", pytest.fail)
    assert np.abs(loaded.astype(int) - [100, 230, 60]).max() < 6, "red and green change places"


def test_transparency_stays_with_a_profile(tmp_path):
    flat((230, 20, 60, 128), "RGBA").save(tmp_path / "a.png", icc_profile=profile())
    loaded = load_image(tmp_path / "a.png", pytest.fail)
    assert np.abs(loaded.astype(int) - [137, 242, 157]).max() < 6


def test_gray_with_a_linear_profile(tmp_path):
    flat(128, "L").save(tmp_path / "a.png", icc_profile=profile(b"GRAY", gamma=1.0))
    assert np.abs(load_image(tmp_path / "a.png", pytest.fail).astype(int) - 188).max() < 4


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_srgb_stays_to_the_bit(tmp_path, mode):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)).convert(mode)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "b.png", icc_profile=srgb)
    plain = load_image(tmp_path / "a.png", pytest.fail)
    np.testing.assert_array_equal(load_image(tmp_path / "b.png", pytest.fail), plain)


@pytest.mark.parametrize("data", [b"no profile", profile()[:150], profile(b"GRAY"), profile(b"Lab ")])
def test_a_profile_that_cannot_be_used_is_ignored_with_a_remark(tmp_path, data):
    if data == profile(b"GRAY"):
        flat((0, 0, 0, 0), "CMYK").save(tmp_path / "a.tiff", icc_profile=data)
        path, color = tmp_path / "a.tiff", (255, 255, 255)
    else:
        path, color = tmp_path / "a.png", (200, 100, 50)
        flat(color).save(path, icc_profile=data)
    notes: list[str] = []
    assert (load_image(path, notes.append) == color).all()
    assert len(notes) == 1 and "color profile" in notes[0]


@pytest.mark.parametrize("exif", [b"\xff\xff", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_damaged_exif_data_are_ignored(tmp_path, exif, suffix):
    path, notes = tmp_path / f"a{suffix}", []
    flat((200, 100, 50)).save(path, exif=exif)
    loaded = load_image(path, notes.append)
    assert loaded.shape == (24, 32, 3) and np.abs(loaded.astype(int) - [200, 100, 50]).max() < 6
    assert all("EXIF" in note for note in notes)


def test_damaged_exif_data_get_a_remark(tmp_path):
    notes: list[str] = []
    flat((200, 100, 50)).save(tmp_path / "a.png", exif=b"\xff\xff")
    load_image(tmp_path / "a.png", notes.append)
    assert len(notes) == 1 and "check that it is upright" in notes[0]


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(512)


@pytest.mark.parametrize("name", ["a.heic", "a.jpg", "a.png"])
@pytest.mark.parametrize("head", [HEIC, HEIC.replace(b"ftypheic", b"ftypmif1")])
def test_heic_is_named_with_both_ways_out(tmp_path, monkeypatch, name, head):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / name).write_bytes(head)
    with pytest.raises(DependencyError, match="HEIC") as caught:
        load_image(tmp_path / name)
    text = str(caught.value)
    assert name in text and "JPEG" in text and "pip install pillow-heif" in text and "\n" not in text


def test_heic_opens_where_pillow_heif_is_installed(tmp_path, monkeypatch):
    """A stand-in for the library: the project does not depend on it."""
    opened = []

    class Heif:
        size = (32, 24)

        def to_pillow(self):
            return flat((200, 100, 50))

    def open_heif(path, **options):
        opened.append(path)
        return Heif()

    monkeypatch.setitem(sys.modules, "pillow_heif", types.SimpleNamespace(open_heif=open_heif))
    path = tmp_path / "a.jpg"
    path.write_bytes(HEIC)
    assert (load_image(path, pytest.fail) == (200, 100, 50)).all() and opened == [path]
    Heif.size = (40_000, 24)
    with pytest.raises(InputError, match="too many pixels"):
        load_image(path)


def test_a_real_heic_file(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    heif.from_pillow(flat((200, 100, 50))).save(tmp_path / "a.heic", quality=95)
    assert np.abs(load_image(tmp_path / "a.heic").astype(int) - [200, 100, 50]).max() < 8
    (tmp_path / "b.heic").write_bytes(HEIC)
    with pytest.raises(InputError, match="damaged"):
        load_image(tmp_path / "b.heic")


def test_avif_is_not_taken_for_heic(tmp_path):
    data = io.BytesIO()
    try:
        flat((200, 100, 50)).save(data, "AVIF")
    except (KeyError, OSError):
        pytest.skip("this Pillow writes no AVIF")
    (tmp_path / "a.avif").write_bytes(data.getvalue())
    assert np.abs(load_image(tmp_path / "a.avif").astype(int) - [200, 100, 50]).max() < 8


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_alpha_channels_of_arrays_are_laid_on_white(alpha):
    import torch

    image = torch.tensor([0.5, 0.0, 1.0, alpha]).expand(3, 2, 4)
    wanted = torch.tensor([0.5, 0.0, 1.0]) * alpha + 1 - alpha
    assert torch.allclose(on_white(image), wanted.expand(3, 2, 3))
    assert on_white(image[..., :3]) is not None and on_white(image[..., :3]).shape == (3, 2, 3)
