"""The motion library: what is saved is found, names and tags are checked, no name leaves the folder."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmgt_core import assets
from mmgt_core.base.errors import InputError
from mmgt_core.library.clips import (
    BUILT_IN,
    checked_name,
    clips_in,
    found_clip,
    library,
    parsed_tags,
    tagged,
)
from mmgt_core.library.saving import PREVIEW_SIDE, export_clip, save_clip
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_file import load_motion
from mmgt_core.pose.openpose import read_pose_file


@pytest.fixture(scope="module")
def motion() -> Motion:
    pose = read_pose_file(assets.asset(assets.POSE))
    keypoints = pose.keypoints[:1].repeat(20, 1, 1)
    keypoints[:, :, 1] += 0.01 * torch.sin(torch.arange(20) / 3)[:, None]
    return replace(pose, keypoints=keypoints)


def test_a_saved_clip_is_found_with_all_that_was_said(tmp_path: Path, motion: Motion) -> None:
    sound = Waveform(np.sin(np.arange(8000) / 20).astype(np.float32), 16000)
    saved = save_clip(
        tmp_path, "talks/hello", motion, tags="Greeting, both hands", license="CC0", sound=sound
    )
    (clip,) = clips_in(tmp_path)
    assert clip == saved and clip.name == "talks/hello"
    assert clip.tags == ("greeting", "both hands") and clip.license == "CC0"
    assert clip.seconds == pytest.approx(0.8)
    assert torch.equal(load_motion(clip.path).keypoints, motion.keypoints)
    assert clip.sound is not None and load_waveform(clip.sound).seconds == pytest.approx(0.8)
    with Image.open(clip.preview) as preview:
        assert preview.format == "WEBP" and preview.n_frames == 7 and max(preview.size) == PREVIEW_SIDE
    assert str(tmp_path) not in json.dumps(clip.to_json())


def test_names_are_counted_or_replaced(tmp_path: Path, motion: Motion) -> None:
    sound = Waveform(np.zeros(16000, np.float32), 16000)
    save_clip(tmp_path, "wave", motion, sound=sound)
    assert save_clip(tmp_path, "wave", motion).name == "wave 2"
    replaced = save_clip(tmp_path, "wave", motion.window([0]), overwrite=True)
    assert replaced.name == "wave" and replaced.sound is None  # the old sound is gone too
    assert [clip.name for clip in clips_in(tmp_path)] == ["wave", "wave 2"]


def test_half_precision_is_exact_within_a_quarter_of_a_pixel(tmp_path: Path, motion: Motion) -> None:
    clip = save_clip(tmp_path, "small", motion, small=True)
    error = (load_motion(clip.path).pixels() - motion.pixels()).abs().max()
    assert 0 < error <= 0.25
    assert clip.path.stat().st_size < 0.6 * save_clip(tmp_path, "large", motion).path.stat().st_size


@pytest.mark.parametrize(
    "name",
    ["", " ", "../up", "a/../../b", "/etc/passwd", "a//b", "con", "LPT1.x", "a:b", "a\0b", "x" * 81, "a.",
     f"{BUILT_IN}/open", "..", "a\\..\\b", "what?"],
)  # fmt: skip
def test_names_that_are_no_files_everywhere_are_refused(tmp_path: Path, motion: Motion, name: str) -> None:
    with pytest.raises(InputError, match="name of a clip"):
        save_clip(tmp_path / "library", name, motion)
    assert list(tmp_path.iterdir()) == []


def test_good_names_stay_as_they_are() -> None:
    for name in ("hello", "talks/hello", "你好", "take 2 (final)", "a-b_c"):
        assert checked_name(name) == name


def test_tags_are_checked() -> None:
    assert parsed_tags(" Wave,wave , big ") == ("wave", "big")
    for text in ("x" * 33, ",".join(f"t{n}" for n in range(17)), "a\nb"):
        with pytest.raises(InputError, match="tags"):
            parsed_tags(text)


def test_a_filter_takes_tags_then_names(tmp_path: Path, motion: Motion) -> None:
    save_clip(tmp_path, "hello", motion, tags="wave")
    save_clip(tmp_path, "big wave", motion, tags="large")
    clips = clips_in(tmp_path)
    assert [clip.name for clip in tagged(clips, ["wave"])] == ["hello"]
    assert [clip.name for clip in tagged(clips, ["large"])] == ["big wave"]
    assert [clip.name for clip in tagged(clips, ["big"])] == ["big wave"]  # no tag of any: part of a name
    assert tagged(clips, ["large", "hello"]) == []


def test_foreign_and_damaged_files_are_passed_over(tmp_path: Path, motion: Motion) -> None:
    clip = save_clip(tmp_path / "library", "good", motion)
    folder = clip.path.parent
    (folder / "text.safetensors").write_text("no motion")
    (folder / "empty.safetensors").write_bytes(b"")
    data = clip.path.read_bytes()
    (folder / "cut.safetensors").write_bytes(data[: len(data) // 2])
    (folder / ".hidden.safetensors").write_bytes(data)
    (tmp_path / "outside.safetensors").write_bytes(data)
    with contextlib.suppress(OSError):  # Windows without the right to make links
        os.symlink(tmp_path / "outside.safetensors", folder / "link.safetensors")
    assert [found.name for found in clips_in(folder)] == ["good"]
    assert clips_in(tmp_path / "nowhere") == []


def test_clips_are_looked_up_and_names_never_become_paths(tmp_path: Path, motion: Motion) -> None:
    save_clip(tmp_path / "library", "inside", motion)
    save_clip(tmp_path, "outside", motion)
    clips = library(tmp_path / "library")
    assert found_clip(clips, "inside").path.is_file()
    for name in (
        "../outside",
        "outside",
        str(tmp_path / "outside"),
        "inside.safetensors",
        "built in/../beat",
    ):
        with pytest.raises(InputError, match="no such clip"):
            found_clip(clips, name)


def test_an_export_is_a_copy_with_its_sound(tmp_path: Path, motion: Motion) -> None:
    sound = Waveform(np.zeros(16000, np.float32), 16000)
    clip = save_clip(tmp_path / "library", "hello", motion, sound=sound)
    files = export_clip(clip, tmp_path / "out" / "copy.safetensors")
    assert [path.name for path in files] == ["copy.safetensors", "copy.wav"]
    assert files[0].read_bytes() == clip.path.read_bytes()
    with pytest.raises(InputError, match=r"\.safetensors"):
        export_clip(clip, tmp_path / "out" / "copy.bin")


def test_the_shipped_gestures_are_complete_small_and_free() -> None:
    clips = [clip for clip in library("nowhere") if clip.name.startswith(BUILT_IN)]
    assert len(clips) >= 8
    for clip in clips:
        motion = load_motion(clip.path)
        assert clip.license == "CC0-1.0" and clip.preview is not None and len(clip.tags) >= 3, clip.name
        assert torch.allclose(motion.keypoints[0], motion.keypoints[-1], atol=2e-3), (
            f"{clip.name}: ends at rest"
        )
        wrists = motion.keypoints[:, [4, 7], :2]
        assert float((wrists - wrists[0]).abs().max()) > 0.03, f"{clip.name}: moves"
    size = sum(path.stat().st_size for path in assets.GESTURES.iterdir())
    assert size < 400_000
    assert "CC0" in (assets.GESTURES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "tags", ["{", "5", "[" * 5000, '["wave", 5, null, ["x"]]', '"wave"', "NaN", f'["{"x" * 9999}"]']
)
def test_tags_of_foreign_files_are_words_or_the_file_is_passed_over(tmp_path: Path, tags: str) -> None:
    from safetensors.torch import save_file

    header = {"width": "512", "height": "512", "fps": "25", "tags": tags, "license": "y" * 999}
    save_file({"keypoints": torch.zeros(3, 134, 3)}, tmp_path / "a.safetensors", header)
    for clip in clips_in(tmp_path):
        assert all(isinstance(tag, str) and len(tag) <= 32 for tag in clip.tags)
        assert len(clip.license) <= 32 and json.dumps(clip.to_json())
    if tags.startswith('["wave"'):
        assert clips_in(tmp_path)[0].tags == ("wave",)
