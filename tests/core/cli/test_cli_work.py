"""Unfinished work from the command line: going on, listing, clearing away; and the options of long videos."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import av
import numpy as np
import pytest

from mmgt_core import assets
from mmgt_core.media.images import load_image
from mmgt_core.pipeline.generate import generate_video
from mmgt_core.pipeline.request import VideoRequest
from mmgt_core.pipeline.settings import MotionSettings, Settings, VideoSettings, WorkSettings
from mmgt_core.pipeline.stages import SHARES
from mmgt_core.work.folder import MARKER, WorkFolder

from .interrupting import ctrl_c, running

KEY = "0123456789abcdef" * 4


class Stop(Exception):
    pass


def pictures(path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def seconds(path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return float(stream.duration * stream.time_base)


@pytest.mark.parametrize("stage", ["sampling video", "writing video"])
def test_a_stopped_run_goes_on_and_makes_the_same_file(inputs, tmp_path, work_root, stage):
    def make(out, stop=None):
        seen = []

        def stages(name):
            seen.append(name)

            def progress(done, total, preview=None, /):
                if name == stop and done >= 2:
                    raise Stop

            return progress

        request = VideoRequest(inputs.portrait, out, inputs.speech, inputs.pose)
        settings = Settings(
            motion=MotionSettings(inputs.motion_model, motion_steps=1),
            video=VideoSettings(inputs.video_model),
            work=WorkSettings(),
        )
        generate_video(request, settings, stages)
        return seen

    assert "generating motion" in make(tmp_path / "whole.mp4")
    with pytest.raises(Stop):
        make(tmp_path / "stopped.mp4", stage)
    assert len(list(work_root.iterdir())) == 1
    assert "generating motion" not in make(tmp_path / "resumed.mp4")
    assert (tmp_path / "resumed.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resumed.mp4", "whole.mp4"]
    assert not list(work_root.iterdir()), "the work of a run that is done goes"


def test_keeping_no_work_and_keeping_finished_work(inputs, mmgt, tmp_path, work_root):
    elsewhere = tmp_path / "elsewhere"
    common = {"duration": 0.2, "motion_steps": 1}
    assert mmgt(inputs.generate(tmp_path / "a.mp4", no_keep_work=True, **common)).code == 0
    assert not list(work_root.iterdir())
    kept = inputs.generate(tmp_path / "b.mp4", keep_finished=True, work_dir=elsewhere, **common)
    assert mmgt(kept).code == 0
    (folder,) = elsewhere.iterdir()
    about = json.loads((folder / MARKER).read_text())["about"]
    assert about["out"] == "b.mp4" and about["audio"] == inputs.speech.name
    again = mmgt(kept)
    assert again.code == 0 and "generating motion" not in again.err
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_another_input_or_setting_is_another_work(inputs, mmgt, tmp_path):
    root = tmp_path / "work"
    common = {"duration": 0.2, "motion_steps": 1, "keep_finished": True, "work_dir": root}
    for number, change in enumerate(
        ({}, {"seed": 1}, {"lip_weight": 2}, {"start": 0.1}, {"window_fusion": "pyramid"})
    ):
        assert mmgt(inputs.generate(tmp_path / f"{number}.mp4", **common, **change)).code == 0
        assert len(list(root.iterdir())) == number + 1
    # What only changes the file, or how many windows run side by side, is the same work.
    for change in ({"fps": 12}, {"windows_at_once": 2}, {"lock_background": True}):
        outcome = mmgt(inputs.generate(tmp_path / "more.mp4", **common, **change))
        assert outcome.code == 0, outcome.err
    assert len(list(root.iterdir())) == 5


def test_a_run_that_needs_more_disk_than_there_is_says_so_before_it_starts(
    inputs, mmgt, tmp_path, monkeypatch
):
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    outcome = mmgt(inputs.generate(tmp_path / "a.mp4"))
    assert outcome.code == 2 and "free, and this run needs about" in outcome.err
    assert "generating motion" not in outcome.err and not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize(("fps", "frames"), [(50, 36), (30, 22), (12.5, 9), (25, 18), (29.97, 22)])
def test_another_rate_repeats_or_leaves_out_frames_and_keeps_the_length(inputs, mmgt, tmp_path, fps, frames):
    out, plain = tmp_path / "video.mp4", tmp_path / "plain.mp4"
    assert mmgt(inputs.generate(plain)).code == 0
    assert mmgt(inputs.generate(out, fps=fps)).code == 0
    shown = pictures(out)
    assert len(shown) == frames
    length = len(pictures(plain)) / 25
    assert length <= seconds(out) + 1e-3 and seconds(out) < length + 1 / fps + 1e-3


def test_a_rate_that_is_none_is_refused(inputs, mmgt, tmp_path):
    for fps in ("0", "nan", "1000"):
        outcome = mmgt(inputs.generate(tmp_path / "a.mp4", fps=fps))
        assert outcome.code == 2 and "frames a second are not possible" in outcome.err


def test_the_size_and_the_windows_are_options(inputs, mmgt, tmp_path):
    out = tmp_path / "video.mp4"
    options = {
        "width": 128,
        "height": 128,
        "window": 5,
        "overlap": 1,
        "window_ends": "closed loop",
        "preview": tmp_path / "now.png",
    }
    outcome = mmgt(inputs.generate(out, duration=0.3, **options))
    assert outcome.code == 0, outcome.err
    assert pictures(out).shape == (8, 102, 128, 3)
    assert load_image(tmp_path / "now.png").shape == (102, 128, 3)
    for change, words in (
        ({"width": 100}, "multiples of 64"),
        ({"window": 99}, "window 99"),
        ({"overlap": 30}, "overlap 30"),
        ({"windows_at_once": 0}, "0 windows at once"),
    ):
        outcome = mmgt(inputs.generate(out, **change))
        assert outcome.code == 2 and words in outcome.err


def test_work_lists_and_cleans_only_its_own(mmgt, tmp_path):
    root = tmp_path / "work"
    (root / "photos").mkdir(parents=True)
    (root / "photos" / "a.jpg").write_text("mine")
    for key, age in (("a" * 64, 30 * 86400), ("b" * 64, 60)):
        with WorkFolder.open(root, key, {"out": f"{key[0]}.mp4"}) as work:
            journal = work.path / "journal.jsonl"
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        journal.write_text("".join(json.dumps({**line, "time": time.time() - age}) + "\n" for line in lines))
    common = ["--work-dir", str(root)]
    listed = mmgt(["work", "list", *common])
    assert listed.code == 0 and listed.out.index("out=a.mp4") < listed.out.index("out=b.mp4")
    assert "30d old" in listed.out and "2 work folders" in listed.out and "photos" not in listed.out
    assert "removed 1 work folders" in mmgt(["work", "clean", *common]).out
    assert "removed 0" in mmgt(["work", "clean", "--older-than", "2h", *common]).out
    with WorkFolder.open(root, "b" * 64):
        assert "in use" in mmgt(["work", "list", *common]).out
        assert "removed 0" in mmgt(["work", "clean", "--all", *common]).out
    assert "removed 1" in mmgt(["work", "clean", "--all", *common]).out
    assert [path.name for path in root.iterdir()] == ["photos"] and (root / "photos" / "a.jpg").is_file()
    assert "0 work folders" in mmgt(["work", "list", "--work-dir", str(tmp_path / "none")]).out
    assert mmgt(["work", "clean", "--older-than", "long ago"]).code == 2


@pytest.mark.skipif(os.name == "nt", reason="limits on file sizes are POSIX's")
def test_a_full_disk_while_writing_costs_only_the_writing(inputs, tmp_path, work_root, mmgt):
    """The file of the video may grow to 3 kB only; latents and motion are smaller."""
    out = tmp_path / "video.mp4"
    arguments = inputs.generate(out, duration=0.2, motion_steps=1)
    script = (
        "import resource, sys; from mmgt_core.cli import main; import mmgt_core.pipeline.render;"
        "write = mmgt_core.pipeline.render.VideoWriter.__enter__\n"
        "def limited(writer):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "    return write(writer)\n"
        "mmgt_core.pipeline.render.VideoWriter.__enter__ = limited\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert run.returncode == 2 and "the disk is full" in run.stderr and "Traceback" not in run.stderr
    assert not list(tmp_path.iterdir())
    (kept,) = work_root.iterdir()
    assert [path.name for path in sorted(kept.glob("*.safetensors"))] == [
        "latents-0001.safetensors",
        "motion.safetensors",
    ]
    resumed = mmgt(arguments)
    assert not kept.exists(), "the same folder was used, and went when the video was there"
    assert (
        resumed.code == 0 and "sampling video" not in resumed.err and "generating motion" not in resumed.err
    )
    assert len(pictures(out)) == 5


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_leaves_work_to_go_on_from(inputs, tmp_path, work_root):
    out, steps = tmp_path / "video.mp4", 1000
    with running(inputs.generate(out, steps=steps), until="preparing conditions: 3/3") as process:
        (folder,) = work_root.iterdir()
        while not list(folder.glob("latents-*.safetensors")):
            time.sleep(0.05)
        rest = ctrl_c(process)
    assert process.returncode == 130 and "Traceback" not in rest
    assert "continues from there" in rest.strip().splitlines()[-1]
    kept = [int(path.stem[-4:]) for path in folder.glob("latents-*.safetensors")]
    assert 0 < max(kept) < steps, "it stopped in the middle and did not run to its end first"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("stage", list(SHARES))
def test_ctrl_c_within_every_stage_of_the_demo(tmp_path, work_root, stage):
    paths = {"image": assets.PORTRAIT, "keypoints": assets.POSE, "audio": assets.SPEECH}
    arguments = ["generate", "--device", "cpu", "--out", str(tmp_path / "video.mp4")]
    for option, name in paths.items():
        arguments += [f"--{option}", str(assets.asset(name))]
    with running(arguments, until=stage) as process:
        rest = ctrl_c(process)
    assert process.returncode == 130 and "continues from there" in rest
    assert list(work_root.iterdir()) and not (tmp_path / "video.mp4").exists()
