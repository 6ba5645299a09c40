"""MMGT Load Portrait gives the image that the command line uses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(512)


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """The host's input folder."""
    import folder_paths

    folder = tmp_path / "input"
    folder.mkdir()
    monkeypatch.setattr(folder_paths, "input_directory", str(folder))
    return folder


@pytest.fixture
def node(pack):
    return pack("nodes.load_portrait").MMGTLoadPortrait


def turned(folder, name: str) -> Image.Image:
    """A half transparent image that stands on its side by its EXIF data."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 40, 4), np.uint8))
    image.save(folder / name, exif=exif)
    return image


def test_rotation_and_transparency_are_those_of_the_command_line(pack, node, inputs):
    turned(inputs, "a portrait 肖像.png")
    (inputs / "notes.txt").write_text("no image")
    (offered,) = node.define_schema().inputs
    assert (
        offered.options == ["a portrait 肖像.png"] and node.validate_inputs(image=offered.options[0]) is True
    )
    found = node.execute(image=offered.options[0]).args[0]
    wanted = pack("mmgt_core.media.images").load_image(inputs / offered.options[0])
    assert found.shape == (1, 40, 24, 3) and found.dtype == torch.float32
    assert np.array_equal((found[0] * 255).round().to(torch.uint8).numpy(), wanted)


def test_remarks_are_shown_and_heic_is_named(node, inputs):
    Image.new("RGB", (32, 24), (200, 100, 50)).save(inputs / "a.png", exif=b"\xff\xff")
    assert ["EXIF" in text for text in node.execute(image="a.png").ui["text"]] == [True]
    (inputs / "b.jpg").write_bytes(HEIC)
    with pytest.raises(Exception, match="HEIC"):
        node.execute(image="b.jpg")
    assert "input folder" in node.validate_inputs(image="../secret.png")


def test_an_image_with_alpha_is_laid_on_white(pack):
    image = torch.rand(1, 20, 30, 4, generator=torch.Generator().manual_seed(0))
    found = pack("nodes.comfy.services").one_image(image, "portrait")
    wanted = image[0, ..., :3] * image[0, ..., 3:] + 1 - image[0, ..., 3:]
    assert np.abs(found - (wanted * 255).numpy()).max() < 0.51
