"""`mmgt generate --devices`: the file of one device, also when it is resumed with another number of them."""

from __future__ import annotations

import pytest

from mmgt_core.media.video_reader import read_video
from mmgt_core.pipeline.generate import generate_video
from mmgt_core.pipeline.request import VideoRequest
from mmgt_core.pipeline.settings import MotionSettings, Settings, VideoSettings, WorkSettings


def test_two_devices_make_the_video_of_one(inputs, mmgt, tmp_path):
    one, two = tmp_path / "one.mp4", tmp_path / "two.mp4"
    assert mmgt(inputs.generate(one)).code == 0
    outcome = mmgt([*inputs.generate(two), "--devices", "cpu", "cpu"])
    assert outcome.code == 0, outcome.err
    first, second = read_video(one).frames, read_video(two).frames
    assert first.shape == second.shape and abs(first.astype(int) - second).max() <= 1


def test_a_run_is_resumed_with_another_number_of_devices(inputs, tmp_path):
    """What one device had finished is not computed again: it belongs to the same work folder."""
    request = VideoRequest(inputs.portrait, tmp_path / "a.mp4", inputs.speech, inputs.pose)
    seen: list[int] = []

    def settings(*devices: str) -> Settings:
        return Settings(
            motion=MotionSettings(motion_model=inputs.motion_model, motion_steps=2),
            video=VideoSettings(model=inputs.video_model, devices=devices),
            work=WorkSettings(work_dir=tmp_path / "work"),
            device="cpu",
        )

    def stages(stop):
        def begin(stage):
            def progress(done, total, preview=None, /):
                if stage.name == "SAMPLING":
                    seen.append(done)
                    if done == stop:
                        raise KeyboardInterrupt

            return progress

        return begin

    with pytest.raises(KeyboardInterrupt):
        generate_video(request, settings(), stages(2))
    assert seen == [1, 2]
    result = generate_video(request, settings("cpu", "cpu"), stages(None))
    assert seen[2] == 2 and seen[2:] == sorted(set(seen[2:])) and result.files[0].is_file()


def test_a_device_that_is_not_there_is_named(inputs, mmgt, tmp_path):
    outcome = mmgt([*inputs.generate(tmp_path / "a.mp4"), "--devices", "cpu", "cuda:77"])
    assert outcome.code == 2 and "cuda:77" in outcome.err


def test_a_batch_has_one_device_a_worker(mmgt, tmp_path):
    jobs = tmp_path / "jobs.jsonl"
    jobs.write_text('{"name": "a"}')
    outcome = mmgt(["batch", str(jobs), "--out", str(tmp_path / "out"), "--devices", "cpu", "cpu"])
    assert outcome.code == 2 and "--devices" in outcome.err
