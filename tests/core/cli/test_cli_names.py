"""People's file names: spaces, quotes, colons, Chinese letters, on the whole road, relative and absolute."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from mmgt_core.checkpoints.io import read_model_file
from mmgt_core.media.images import load_image
from mmgt_core.media.video_reader import read_video
from mmgt_core.pose.motion_file import load_motion

FOLDER = 'my "best" 视频\'s folder: 1'
NAME = 'part 1: it\'s "安娜" (50%03d) é'


@pytest.fixture
def named(inputs, tmp_path) -> dict[str, Path]:
    """The inputs under such names."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    paths = {}
    for kind in ("portrait", "pose", "speech", "motion", "motion_model", "video_model"):
        source = getattr(inputs, kind)
        paths[kind] = Path(shutil.copy(source, folder / f"{kind} {NAME}{source.suffix}"))
    return paths


@pytest.mark.parametrize("relative", [False, True])
def test_the_whole_road(mmgt, inputs, named, monkeypatch, relative):
    folder = named["portrait"].parent
    if relative:  # then nothing stands before the colon, and FFmpeg would take it for a protocol
        monkeypatch.chdir(folder)
        named = {kind: Path(path.name) for kind, path in named.items()}
        folder = Path()
    video, sheet, motion = folder / f"{NAME}.mp4", folder / f"{NAME}.jpg", folder / f"{NAME}.safetensors"
    models = {"motion_model": named["motion_model"]}
    sound = {"audio": named["speech"], "keypoints": named["pose"]}
    outcome = mmgt(inputs.motion_command(motion, **models, **sound))
    assert outcome.code == 0, outcome.err
    frames = load_motion(motion).frames
    picture = {"image": named["portrait"], "model": named["video_model"], "contact_sheet": sheet}
    outcome = mmgt(inputs.generate(video, **models, **sound, **picture, vocals=named["speech"]))
    assert outcome.code == 0, outcome.err
    assert outcome.out.split("\n")[:2] == [str(video), str(sheet)]
    assert len(read_video(video).frames) == frames and load_image(sheet).size
    own = {**picture, "keypoints": None, "audio": None, "motion": motion}
    outcome = mmgt(inputs.generate(folder / "data:2.mp4", **models, **own))
    assert outcome.code == 0, outcome.err
    skeleton = folder / f"3 {NAME}.mp4"
    assert mmgt(inputs.motion_command(skeleton, **models, **sound)).code == 0
    assert len(read_video(skeleton).frames) == frames


def test_converting(mmgt, named):
    source = named["motion_model"].with_suffix(".pth")
    torch.save(read_model_file(named["motion_model"]).tensors, source)
    out = source.parent / "out 输出's"
    model = read_model_file(named["motion_model"])
    outcome = mmgt(["convert", str(named["motion_model"]), "--out", str(out), "--back"])
    assert outcome.code == 0, outcome.err
    (back,) = out.glob("*_official.safetensors")
    assert str(back) in outcome.out
    assert read_model_file(back).tensors.keys() >= model.tensors.keys()


def test_jobs(named):
    from mmgt_core.queue.jobs import Job, read_jobs

    path = named["portrait"].parent / f"{NAME}.jsonl"
    lines = [{"name": "安娜 1", "image": named["portrait"].name, "audio": str(named["speech"])}]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    (job,) = read_jobs(path)
    assert isinstance(job, Job) and job.image and job.image.is_file() and job.audio and job.audio.is_file()


def test_new_files_are_as_open_as_the_persons_other_files(inputs, named, mmgt, tmp_path):
    """safetensors' own writer would make them readable to their owner alone."""
    import os

    from mmgt_core.checkpoints.io import write_model_file

    if os.name != "posix":
        pytest.skip("no modes here")
    motion = tmp_path / "m.safetensors"
    assert mmgt(inputs.motion_command(motion, duration=0.3)).code == 0
    write_model_file(tmp_path / "model.safetensors", read_model_file(named["motion_model"]))
    (tmp_path / "plain").write_text("")
    modes = {
        path.name: path.stat().st_mode
        for path in (motion, tmp_path / "model.safetensors", tmp_path / "plain")
    }
    assert len(set(modes.values())) == 1, modes
