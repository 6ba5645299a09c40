"""The marks in the files that are written, read back by other programs than ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from mmgt_core.base.errors import InputError
from mmgt_core.marks.boxes import XMP_BOX, boxes
from mmgt_core.marks.record import COMPOSITE, TRAINED, VOCABULARY, Record
from mmgt_core.marks.xmp import packet, parse_packet
from mmgt_core.media.images import save_image
from mmgt_core.media.video_reader import read_video
from mmgt_core.media.video_writer import write_video
from mmgt_core.media.waveform import Waveform

FIELDS = ["Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID",
          "ReservedCode2"]  # fmt: skip
VIDEOS, IMAGES = (".mp4", ".mov", ".mkv"), (".png", ".webp", ".jpg")
EXIFTOOL = shutil.which("exiftool")


def frames(seed: int = 0, count: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 64, 3), np.uint8)


def written(path: Path, record: Record | None, seed: int = 0) -> Path:
    """A video with sound, or an image."""
    if path.suffix in VIDEOS:
        sound = Waveform(np.full(8_000, 0.1, np.float32), 16_000)
        write_video(path, frames(seed), audio=sound, record=record)
    else:
        save_image(path, frames(seed)[0], record)
    return path


def exiftool(path: Path) -> dict[str, str]:
    run = [str(EXIFTOOL), "-j", "-G1", "-struct", str(path)]
    return json.loads(subprocess.run(run, capture_output=True, check=True, text=True).stdout)[0]


@pytest.mark.parametrize("suffix", VIDEOS)
def test_pyav_reads_the_tags_of_a_video(tmp_path, suffix):
    with av.open(str(written(tmp_path / f"a{suffix}", Record(COMPOSITE)))) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    label = json.loads(tags["aigc"])
    assert list(label) == FIELDS and label["Label"] == "1" and label["ContentProducer"] == "ComfyUI-MMGT"
    assert set(label["ProduceID"]) != {"0"} and len(label["ProduceID"]) == 32
    assert tags["digitalsourcetype"] == VOCABULARY + COMPOSITE
    assert tags["comment"].startswith("AI-generated with ComfyUI-MMGT ")


@pytest.mark.parametrize("suffix", IMAGES)
def test_pillow_reads_the_packet_of_an_image(tmp_path, suffix):
    with Image.open(written(tmp_path / f"a{suffix}", Record(consent="contract 5"))) as image:
        found = image.info.get("XML:com.adobe.xmp") or image.info["xmp"]
        text = image.info.get("AIGC")
    said = parse_packet(found.encode() if isinstance(found, str) else found)
    assert said is not None and said.ours and said.consent == "contract 5"
    assert said.source == VOCABULARY + TRAINED and said.tool is not None
    assert list(json.loads(said.aigc or "")) == FIELDS
    assert suffix != ".png" or text == said.aigc


@pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed (make test-tools)")
@pytest.mark.parametrize("suffix", [*VIDEOS[:2], *IMAGES])
def test_exiftool_reads_the_same(tmp_path, suffix):
    found = exiftool(written(tmp_path / f"a{suffix}", Record(COMPOSITE, producer="0011 <&> \u4f8b")))
    assert found["XMP-iptcExt:DigitalSourceType"] == VOCABULARY + COMPOSITE
    assert found["XMP-xmp:CreatorTool"].startswith("ComfyUI-MMGT ")
    label = found["XMP-TC260:Aigc"]
    label = label if isinstance(label, dict) else json.loads(label)
    assert label["ContentProducer"] == "0011 <&> \u4f8b"
    assert not [key for key in found if key.endswith("Warning")]


@pytest.mark.parametrize("suffix", [*VIDEOS, *IMAGES])
def test_without_a_record_nothing_is_written(tmp_path, suffix):
    data = written(tmp_path / f"a{suffix}", None).read_bytes()
    assert b"AIGC" not in data and b"xmpmeta" not in data and b"MMGT" not in data


@pytest.mark.parametrize("suffix", VIDEOS)
def test_the_same_content_gives_the_same_file_and_other_content_another_id(tmp_path, suffix):
    first, again, other = (
        written(tmp_path / f"{n}{suffix}", Record(), s) for n, s in ((1, 0), (2, 0), (3, 1))
    )
    if suffix != ".mkv":  # FFmpeg numbers Matroska files at random
        assert first.read_bytes() == again.read_bytes()
    ids = []
    for path in (first, again, other):
        with av.open(str(path)) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
        ids.append(json.loads(tags["aigc"])["ProduceID"])
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("suffix", VIDEOS)
def test_frames_and_sound_are_those_of_a_file_without_marks(tmp_path, suffix):
    marked, plain = (written(tmp_path / f"{n}{suffix}", record) for n, record in ((1, Record()), (2, None)))
    assert np.array_equal(read_video(marked).frames, read_video(plain).frames)
    found = [], []
    for path, packets in zip((marked, plain), found, strict=True):
        with av.open(str(path)) as container:
            packets += [(item.stream.type, item.pts, bytes(item)) for item in container.demux() if item.size]
    assert found[0] == found[1] != []


def test_the_packet_is_a_box_behind_all_others(tmp_path):
    with written(tmp_path / "a.mp4", Record()).open("rb") as file:
        kinds = [(box.type, box.extended) for box in boxes(file)]
    assert kinds[-1] == (b"uuid", XMP_BOX) and kinds[0][0] == b"ftyp"
    assert [kind for kind, _ in kinds].index(b"moov") < [kind for kind, _ in kinds].index(b"mdat")


def test_details_that_are_too_long_for_jpeg_are_left_out_there(tmp_path):
    record = Record(details={"settings": "x" * 100_000})
    for suffix, kept in ((".png", True), (".webp", True), (".jpg", False)):
        data = written(tmp_path / f"a{suffix}", record).read_bytes()
        assert (b"x" * 5_000 in data) == kept or suffix == ".png"
        assert b"xmpmeta" in data


@pytest.mark.parametrize("text", ["", "a\nb", "x" * 201, "tab\t"])
def test_references_are_short_and_printable(text):
    with pytest.raises(InputError, match="consent"):
        Record(consent=text)


def test_a_packet_says_what_the_record_says():
    record = Record(COMPOSITE, producer='A "b" <c>', consent="d & e", details={"seed": "1"})
    said = parse_packet(packet(record, "ab" * 16))
    assert said is not None and said.content_id == "ab" * 16 and said.consent == "d & e"
    assert said.details == {"seed": "1"} and said.source == record.source_uri
    assert json.loads(said.aigc or "")["ContentProducer"] == 'A "b" <c>'


def test_packets_with_entities_are_not_parsed():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    bomb += b'<x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>'
    assert parse_packet(bomb) is None
    assert parse_packet(b"<rdf") is None
    assert parse_packet(b"") is None
