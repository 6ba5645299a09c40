"""`mmgt inspect`: it recognizes marks, ours and others', and never claims them where there are none."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mmgt_core.__main__ import main
from mmgt_core.inspection.report import NOTHING, inspect_file
from mmgt_core.marks.movie import append_xmp
from mmgt_core.marks.record import COMPOSITE, VOCABULARY, Record
from mmgt_core.marks.watermark.embed import watermarked
from mmgt_core.marks.xmp import packet
from mmgt_core.media.images import save_image
from mmgt_core.media.video_writer import write_video

SUFFIXES = (".mp4", ".mov", ".mkv", ".png", ".webp", ".jpg")
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" e:DigitalSourceType="{source}" xmp:CreatorTool="{tool}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def frames(count: int = 5, side: int = 128) -> np.ndarray:
    rows, columns = np.mgrid[0:side, 0:side]
    picture = np.stack([rows, columns, (rows + columns) // 2], -1).astype(np.uint8)
    return np.stack([np.roll(picture, 3 * index, 1) for index in range(count)])


def ours(path: Path, record: Record | None = None) -> Path:
    if path.suffix in (".png", ".webp", ".jpg"):
        save_image(path, frames()[0], record or Record())
    else:
        write_video(path, frames(), record=record or Record())
    return path


def foreign(path: Path) -> Path:
    """A file of another program, without marks."""
    if path.suffix in (".png", ".webp", ".jpg"):
        Image.fromarray(frames()[0]).save(path)
        return path
    with av.open(str(path), "w") as container:
        container.metadata.update(title="Holiday", comment="Made with a camera")
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 128
        stream.pix_fmt = "yuv420p"
        for frame in frames():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_of_ours_say_so_and_are_compared(tmp_path, suffix):
    report = inspect_file(ours(tmp_path / f"a{suffix}", Record(COMPOSITE)), watermark=False)
    assert report.marked and report.marks.source == VOCABULARY + COMPOSITE
    assert report.content == ("not comparable" if suffix in (".jpg", ".webp") else "same")
    assert NOTHING not in report.lines()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_of_others_are_never_reported_as_marked(tmp_path, suffix):
    report = inspect_file(foreign(tmp_path / f"a{suffix}"))
    assert not report.marked and report.lines()[-1] == NOTHING
    assert report.content is None and report.marks.content_id is None and report.signature is None


CAMERA = XMP.format(source=VOCABULARY + "digitalCapture", tool="Camera 1.0")
UNMARKED = {
    "a photograph that says so": {"XML:com.adobe.xmp": CAMERA},
    "a text about AIGC": {"Description": 'What is "AIGC"? trainedAlgorithmicMedia explained, ComfyUI-MMGT'},
    "an empty field": {"AIGC": ""},
    "a field that is no object": {"AIGC": "[1, 2]"},
    "a label that does not exist": {"AIGC": '{"Label": "7"}'},
    "a broken packet": {"XML:com.adobe.xmp": "<x:xmpmeta"},
}


@pytest.mark.parametrize("case", UNMARKED)
def test_what_only_looks_like_a_mark_is_none(tmp_path, case):
    path, chunks = tmp_path / "a.png", PngInfo()
    for name, text in UNMARKED[case].items():
        chunks.add_itxt(name, text)
    Image.fromarray(frames()[0]).save(path, pnginfo=chunks)
    report = inspect_file(path, watermark=False)
    assert not report.marked and report.lines()[-1] == NOTHING


def test_marks_of_other_programs_are_shown_as_theirs(tmp_path):
    path, chunks = tmp_path / "a.png", PngInfo()
    chunks.add_itxt(
        "XML:com.adobe.xmp", XMP.format(source=VOCABULARY + "trainedAlgorithmicMedia", tool="Other 2")
    )
    chunks.add_text("AIGC", '{"Label":"2","ContentProducer":"someone"}')
    Image.fromarray(frames()[0]).save(path, pnginfo=chunks)
    report = inspect_file(path, watermark=False)
    text = "\n".join(report.lines())
    assert report.marked and report.content is None and "Other 2" in text
    assert "possibly generated" in text and "someone" in text


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.98])
def test_damaged_files_of_others_are_never_reported_as_marked(tmp_path, suffix, kept):
    from mmgt_core.base.errors import InputError

    path = foreign(tmp_path / f"a{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    try:
        report = inspect_file(path)
    except InputError as error:
        assert "a" + suffix in str(error)
    else:
        assert not report.marked


def test_a_video_that_was_encoded_again_is_another(tmp_path):
    path, again = ours(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    with av.open(str(path)) as source, av.open(str(again), "w") as target:
        target.metadata.update(comment=source.metadata["comment"])
        stream = target.add_stream("libx264", rate=Fraction(25))
        stream.width = stream.height = 128
        stream.pix_fmt = "yuv420p"
        for frame in source.decode(video=0):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"), "rgb24")))
        target.mux(stream.encode(None))
    with again.open("rb+") as file:
        append_xmp(file, packet(Record(), inspect_file(path, watermark=False).marks.content_id or ""))
    report = inspect_file(again, watermark=False)
    assert report.marked and report.content == "other"


def test_a_copied_packet_does_not_vouch_for_other_content(tmp_path):
    path = foreign(tmp_path / "a.mp4")
    with path.open("rb+") as file:
        append_xmp(file, packet(Record(), "ab" * 16))
    assert inspect_file(path, watermark=False).content == "other"


def test_our_mark_is_recognized_after_all_metadata_is_gone(tmp_path):
    path = tmp_path / "a.mp4"
    write_video(path, next(watermarked([frames(12, 256)], 512)), crf=26, record=None)
    report = inspect_file(path)
    assert report.marked and report.values()["watermark"]["number"] == 512
    assert report.marks.source is None and "number 512" in "\n".join(report.lines())


def test_the_command_prints_lines_or_json(tmp_path, capsys):
    path = ours(tmp_path / "a.png", Record(consent="contract 3"))
    assert main(["inspect", str(path)]) == 0
    assert "consent reference: contract 3" in capsys.readouterr().out
    assert main(["inspect", str(path), "--json", "--no-watermark"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["marked"] and found["consent"] == "contract 3" and found["watermark"] is None
    assert found["aigc"]["Label"] == "1" and found["content"] == "same"


def test_what_is_no_image_and_no_video_is_refused(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("hello")
    for path in (tmp_path / "a.txt", tmp_path / "missing.mp4", tmp_path):
        assert main(["inspect", str(path)]) == 2
        assert path.name in capsys.readouterr().err


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path, capsys):
    path, chunks = tmp_path / "a.png", PngInfo()
    chunks.add_text("AIGC", json.dumps({"Label": "1", "ContentProducer": "x\x1b[31m\nmarked: no"}))
    Image.fromarray(frames()[0]).save(path, pnginfo=chunks)
    assert main(["inspect", str(path), "--no-watermark"]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text and len(text.splitlines()) == 2
    assert io.StringIO(text).readline().startswith("AIGC label: 1")
