"""Files that were made to hurt, one idea each: bombs, lies about sizes, odd but honest formats."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from mmgt_core.base.errors import MMGTError

from .rule import attempt, bounded_memory, check_message
from .samples import DOORS

# Sound


def wav(
    path: Path, data: bytes, *, channels=1, rate=16_000, bits=16, code=1, claimed: int | None = None
) -> None:
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", code, channels, rate, (rate * block) % 2**32, block % 2**16, bits)
    size = len(data) if claimed is None else claimed
    head = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size)
    path.write_bytes(b"RIFF" + struct.pack("<I", (len(head) + size) % 2**32) + head + data)


def noise(count: int, kind: str = "<i2") -> bytes:
    values = np.random.default_rng(0).uniform(-0.5, 0.5, count)
    if kind.startswith("<f"):
        return values.astype(kind).tobytes()
    if kind == "u1":
        return (values * 127 + 128).astype(np.uint8).tobytes()
    return (values * np.iinfo(kind).max).astype(kind).tobytes()


def title(text: str) -> bytes:
    """A chunk behind the samples that names the piece, not in UTF-8."""
    name = text.encode("latin-1") + b"\0"
    name += b"\0" * (len(name) % 2)
    return b"LIST" + struct.pack("<I", len(name) + 12) + b"INFOINAM" + struct.pack("<I", len(name)) + name


SOUNDS = {
    # honest: must be taken
    "8 bit": (lambda p: wav(p, noise(8_000, "u1"), bits=8, rate=8_000), True),
    "24 bit": (lambda p: wav(p, noise(24_000, "u1"), bits=24), True),
    "32 bit": (lambda p: wav(p, noise(8_000, "<i4"), bits=32), True),
    "floats": (lambda p: wav(p, noise(8_000, "<f4"), bits=32, code=3), True),
    "doubles": (lambda p: wav(p, noise(8_000, "<f8"), bits=64, code=3), True),
    "192 kHz": (lambda p: wav(p, noise(96_000), rate=192_000), True),
    "8 channels": (lambda p: wav(p, noise(64_000), channels=8), True),
    "a title in Latin-1": (lambda p: wav(p, noise(8_000) + title("Fr\u00fchling"), claimed=16_000), True),
    "64 channels": (lambda p: wav(p, noise(640_000), channels=64), True),
    # nonsense: must be refused
    "no channels": (lambda p: wav(p, noise(8_000), channels=0), False),
    "65 channels": (lambda p: wav(p, noise(65_000), channels=65), False),
    "65535 channels": (lambda p: wav(p, noise(65_535), channels=65_535), False),
    "no rate": (lambda p: wav(p, noise(8_000), rate=0), False),
    "1 Hz": (lambda p: wav(p, noise(8_000), rate=1), False),
    "4 GHz": (lambda p: wav(p, noise(8_000), rate=2**32 - 1), False),
    "no bits": (lambda p: wav(p, noise(8_000), bits=0), False),
    "NaN": (lambda p: wav(p, np.full(8_000, np.nan, "<f4").tobytes(), bits=32, code=3), False),
    "infinite": (lambda p: wav(p, np.full(8_000, np.inf, "<f4").tobytes(), bits=32, code=3), False),
    "zero length": (lambda p: wav(p, b""), False),
    "one sample": (lambda p: wav(p, b"\1\2"), False),
    "an unknown code": (lambda p: wav(p, noise(8_000), code=0x4242), False),
    # may be either
    "more claimed than there is": (lambda p: wav(p, noise(8_000), claimed=2**32 - 1), None),
    "less claimed than there is": (lambda p: wav(p, noise(8_000), claimed=100), None),
    "beyond full scale": (lambda p: wav(p, np.full(8_000, 1e30, "<f4").tobytes(), bits=32, code=3), None),
    "a playlist": (lambda p: p.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), False),
    "a playlist of the network": (
        lambda p: p.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n"),
        False,
    ),
    "a script that joins files": (
        lambda p: p.write_text("ffconcat version 1.0\nfile '/etc/passwd'\n"),
        False,
    ),
    "a call to a camera": (
        lambda p: p.write_text("v=0\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n"),
        False,
    ),
}


@pytest.mark.parametrize("case", SOUNDS)
def test_sounds(tmp_path, case):
    make, taken = SOUNDS[case]
    path = tmp_path / "sound.wav"
    make(path)
    door = DOORS["a.wav"]
    with bounded_memory():
        refusal = attempt("crafted sound", lambda: door.read(path), door.usable, path)
    assert taken is None or bool(refusal) != taken, refusal


def test_hours_of_sound_are_refused_before_they_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("mmgt_core.media.sound_file.MEDIA_SECONDS", 2)
    path = tmp_path / "long.wav"
    wav(path, noise(16_000 * 30))
    door = DOORS["a.wav"]
    assert "hours" in attempt("crafted sound", lambda: door.read(path), door.usable, path)


# Images


def png(path: Path, width: int, height: int, data: bytes = b"", *, depth=8, colour=0) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def black(width: int, height: int) -> bytes:
    packer, row = zlib.compressobj(1), bytes(width + 1)
    return b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])


def animation(path: Path) -> None:
    frames = [Image.new("L", (20, 20), value) for value in (0, 90, 200)]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:])


def tiff_of_floats(path: Path) -> None:
    values = np.full((20, 20), np.nan, np.float32)
    values[0] = np.inf
    Image.fromarray(values).save(path, format="TIFF")


PICTURES = {
    "1 x 1": (lambda p: png(p, 1, 1, black(1, 1)), "only 1 x 1 pixels"),
    "0 x 0": (lambda p: png(p, 0, 0, black(1, 1)), ""),
    "20000 x 20000": (lambda p: png(p, 20_000, 20_000, black(20_000, 20_000)), "too many pixels"),
    "20000 x 20000, nothing in it": (lambda p: png(p, 20_000, 20_000), "too many pixels"),
    "a million wide": (lambda p: png(p, 1_000_000, 20, black(1_000_000, 20)), "too many pixels"),
    "2^31 x 2^31": (lambda p: png(p, 2**31 - 1, 2**31 - 1), ""),
    "a depth of 7 bits": (lambda p: png(p, 20, 20, black(20, 20), depth=7), ""),
    "a color of 9": (lambda p: png(p, 20, 20, black(20, 20), colour=9), ""),
    "text that swells": (lambda p: png(p, 20, 20, zlib.compress(bytes(2**24))), None),
    "a program for a printer": (
        lambda p: p.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(ran) (w) file\n"),
        "not an image",
    ),
    "an animation": (animation, None),
    "floats that are no numbers": (tiff_of_floats, None),
}


@pytest.mark.parametrize("case", PICTURES)
def test_pictures(tmp_path, case):
    make, words = PICTURES[case]
    path = tmp_path / "image.png"
    make(path)
    door = DOORS["a.png"]
    with bounded_memory(300 * 2**20):
        refusal = attempt("crafted image", lambda: door.read(path), door.usable, path)
    assert words is None or (refusal and words in refusal), refusal


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "LA", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"]
)
def test_every_mode_of_a_picture(tmp_path, mode):
    base = Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20))
    path = tmp_path / "image.tiff"
    try:
        image = Image.fromarray(np.asarray(base).astype(np.uint16)) if mode == "I;16" else base.convert(mode)
        image.save(path)
        Image.open(path).load()
    except (ValueError, OSError):
        pytest.skip("this Pillow cannot write it, or not so that it can read it again")
    assert not attempt("crafted image", lambda: DOORS["a.tiff"].read(path), DOORS["a.tiff"].usable, path)


# Poses


def pose(**changes) -> dict:
    return {
        "people": [{"pose_keypoints_2d": [9, 9, 1] * 18}],
        "canvas_width": 64,
        "canvas_height": 48,
        **changes,
    }


HUGE = "9" * 400
FOREIGN = {
    "MMPose": lambda v: {"instance_info": [{"instances": [{"keypoints": v, "keypoint_scores": [1] * 133}]}]},
    "MMPose frames": lambda v: {"instance_info": v},
    "rtmlib": lambda v: {"keypoints": [v], "scores": [[1] * 133]},
    "openpose-editor": lambda v: {"keypoints": [v], "width": 64, "height": 48},
    "WanAnimate": lambda v: {
        "pose_metas_original": [
            {"width": 64, "height": 48, "keypoints_face": [], "keypoints_body": v}
            | dict.fromkeys(("keypoints_left_hand", "keypoints_right_hand"), [])
        ]
    },
}
POSES = {
    "deep lists": "[" * 100_000,
    "deep objects": '{"people":' * 50_000,
    "closed deep lists": "[" * 900 + "]" * 900,
    "a number of 5000 digits": '{"people": ' + "9" * 5_000 + "}",
    "points of 400 digits": json.dumps(pose()).replace("9,", HUGE + ",", 3),
    "a canvas of 400 digits": json.dumps(pose()).replace("64", HUGE),
    "an infinite canvas": json.dumps(pose()).replace("64", "1e999"),
    "a canvas that is no number": json.dumps(pose()).replace("64", "NaN"),
    "a canvas below zero": json.dumps(pose(canvas_width=-64)),
    "a canvas of truth": json.dumps(pose(canvas_width=True)),
    "a million people": json.dumps(pose(people=[{}] * 1_000_000)),
    "people of numbers": json.dumps(pose(people=[1, 2])),
    "people in people": json.dumps(pose(people=[[pose()]])),
    "points of text": json.dumps(pose(people=[{"pose_keypoints_2d": "9" * 54}])),
    "points of texts": json.dumps(pose(people=[{"pose_keypoints_2d": ["9"] * 54}])),
    "points of lists": json.dumps(pose(people=[{"pose_keypoints_2d": [[9]] * 54}])),
    "points as an object": json.dumps(pose(people=[{"pose_keypoints_2d": {str(i): 1 for i in range(54)}}])),
    "points that are no numbers": json.dumps(pose(people=[{"pose_keypoints_2d": [float("nan")] * 54}])),
    "no points": json.dumps(pose(people=[{}])),
    **{
        f"{tool}, {what}": json.dumps(make(value))
        for tool, make in FOREIGN.items()
        for what, value in {
            "text": "9",
            "a number": 9,
            "null": None,
            "an object": {"a": 1},
            "ragged lists": [[1, 2], [3]],
            "deep lists": [[[[[1]]]]],
            "numbers of 400 digits": [[int(HUGE), 1]] * 133,
            "no numbers": [[float("nan"), float("inf")]] * 133,
        }.items()
    },
    "MMPose, many people": json.dumps({"instance_info": [{"instances": [{}] * 1_000_000}]}),
    "rtmlib, many people": json.dumps({"keypoints": [[]] * 1_000_000, "scores": [[]] * 1_000_000}),
    "bytes that are no text": b"\xff\xfe\x00\x01",
    "half a pair of letters": '"\\ud800"',
    "nothing": "",
    "null": "null",
    "an empty list": "[]",
}


@pytest.mark.parametrize("case", POSES)
def test_poses(tmp_path, case):
    text, path = POSES[case], tmp_path / "pose.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with bounded_memory():
        refusal = attempt(
            "crafted pose", lambda: DOORS["pose.json"].read(path), DOORS["pose.json"].usable, path
        )
    assert refusal or "points" in case


@pytest.mark.parametrize("case", ["deep lists", "people of numbers", "an empty list", "nothing"])
def test_folders_of_poses(tmp_path, case):
    folder = tmp_path / "poses"
    folder.mkdir()
    (folder / "a_000000000000_keypoints.json").write_text(json.dumps(pose()))
    (folder / "a_000000000001_keypoints.json").write_text(POSES[case])
    assert attempt("pose folder", lambda: DOORS["pose.json"].read(folder), DOORS["pose.json"].usable, folder)


def test_points_far_outside_are_no_points(tmp_path):
    points = [9.0, 9.0, 1.0] * 18
    points[3:6] = [1e30, -1e30, 1.0]
    path = tmp_path / "pose.json"
    path.write_text(json.dumps(pose(people=[{"pose_keypoints_2d": points}])))
    motion = DOORS["pose.json"].read(path)
    assert motion.keypoints[0, 1].tolist() == [0, 0, 0] and motion.keypoints[0, 0, 2] == 1


# Motion files


def motion(path: Path, keypoints: torch.Tensor, **header) -> None:
    save_file({"keypoints": keypoints}, path, {"width": "64", "height": "48", "fps": "25", **header})


POINTS = torch.full((2, 134, 3), 0.5)
MOTIONS = {
    "NaN": lambda p: motion(p, POINTS * float("nan")),
    "infinite": lambda p: motion(p, POINTS * float("inf")),
    "far away": lambda p: motion(p, POINTS * 1e6),
    "whole numbers": lambda p: motion(p, POINTS.long()),
    "truth": lambda p: motion(p, POINTS.bool()),
    "no frames": lambda p: motion(p, POINTS[:0]),
    "another shape": lambda p: motion(p, POINTS[0]),
    "a scalar": lambda p: motion(p, torch.tensor(1.0)),
    "no size": lambda p: motion(p, POINTS, width=""),
    "a size below zero": lambda p: motion(p, POINTS, width="-1"),
    "a size of 5000 digits": lambda p: motion(p, POINTS, width="9" * 5_000),
    "an infinite size": lambda p: motion(p, POINTS, width="inf"),
    "a huge size": lambda p: motion(p, POINTS, height="1000000000"),
    "another rate": lambda p: motion(p, POINTS, fps="30"),
    "a rate that is no number": lambda p: motion(p, POINTS, fps="nan"),
    "no keypoints": lambda p: save_file({"other": POINTS}, p),
    "a torch checkpoint": lambda p: torch.save({"keypoints": POINTS}, p),
}


@pytest.mark.parametrize("case", MOTIONS)
def test_motions(tmp_path, case):
    path = tmp_path / "motion.safetensors"
    MOTIONS[case](path)
    door = DOORS["motion.safetensors"]
    assert attempt("crafted motion", lambda: door.read(path), door.usable, path)


# Where files lie


PLACES = {
    "nothing": lambda folder: folder / "none",
    "a folder": lambda folder: folder,
    "a null byte": lambda folder: folder / "a\0b",
    "a name of 5000 letters": lambda folder: folder / ("a" * 5_000),
    "a path of 9000 folders": lambda folder: folder / "/".join(["a"] * 9_000),
    "half a pair of letters": lambda folder: folder / "a\ud800b",
    "up and away": lambda folder: folder / ".." / ".." / ".." / "none",
    "the folder of devices": lambda folder: Path("/dev/zero"),
    "a pipe": lambda folder: _made(folder / "pipe", os.mkfifo),
    "a link to nothing": lambda folder: _made(folder / "link", lambda p: p.symlink_to("none")),
    "a link to itself": lambda folder: _made(folder / "loop", lambda p: p.symlink_to("loop")),
    "a link to a device": lambda folder: _made(folder / "zero", lambda p: p.symlink_to("/dev/zero")),
    "a link to a folder": lambda folder: _made(folder / "here", lambda p: p.symlink_to(folder)),
}


def _made(path: Path, make) -> Path:
    make(path)
    return path


@pytest.mark.skipif(os.name != "posix", reason="pipes, links and devices of POSIX")
@pytest.mark.parametrize("case", PLACES)
def test_places(tmp_path, case):
    path = PLACES[case](tmp_path)
    for name, door in DOORS.items():
        refusal = attempt("odd place", lambda door=door: door.read(path), lambda _: False, None)
        assert refusal, name


@pytest.mark.parametrize("name", ["a.wav", "a.png", "a.mp4", "pose.json", "motion.safetensors", "model.pth"])
def test_links_to_good_files_and_odd_names_are_good(samples, tmp_path, name):
    door, suffix = DOORS[name], Path(name).suffix
    names = [
        f"part 1: it's \"ours\" 安娜{suffix}", f"http:x{suffix}", f"50%03d{suffix}", f"-dash{suffix}",
        f"[a]*?{suffix}", f"pipe|{suffix}", f"concat:a{suffix}", f"\u202egnp{suffix}", f"😀 e\u0301{suffix}",
    ]  # fmt: skip
    for odd in names:
        path = tmp_path / odd
        path.write_bytes(samples[name].read_bytes())
        assert door.usable(door.read(path)), odd
    link = tmp_path / f"link{suffix}"
    link.symlink_to(samples[name])
    assert door.usable(door.read(link))


def test_the_rule_itself_refuses_what_it_should():
    with pytest.raises(AssertionError, match="of no use"):
        attempt("x", lambda: 1, lambda _: False, None)
    with pytest.raises(KeyError):
        attempt("x", lambda: {}["a"], lambda _: True, None)
    with pytest.raises(AssertionError, match="what, where and how"):
        check_message(MMGTError("wrong"), None)
    with pytest.raises(AssertionError, match="MiB more"), bounded_memory(2**20):
        np.ones(2**24)
