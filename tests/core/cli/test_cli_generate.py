"""The whole road on tiny models: what comes out has the right length, size and sound."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgt_core.__main__ import main
from mmgt_core.base.timebase import frame_count
from mmgt_core.media.images import load_image
from mmgt_core.media.sound_file import load_channels, load_waveform, save_wav
from mmgt_core.pipeline.generate import generate_video
from mmgt_core.pipeline.request import VideoRequest
from mmgt_core.pipeline.settings import MotionSettings, Settings, VideoSettings
from mmgt_core.pipeline.stages import SHARES
from mmgt_core.pose.motion_file import load_motion
from mmgt_core.pose.openpose import read_pose_file

from .interrupting import ctrl_c, running

RECORDED = Path("/usr/share/sounds/alsa/Front_Center.wav")  # a human voice, from Debian's alsa-utils


def pictures(path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def sound_seconds(path) -> float | None:
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        return sum(frame.samples for frame in container.decode(audio=0)) / container.streams.audio[0].rate


@pytest.fixture(scope="module")
def waveform(inputs):
    return load_waveform(inputs.speech)


def test_a_portrait_and_a_recording_become_a_video_with_sound_and_a_contact_sheet(
    inputs, mmgt, tmp_path, waveform
):
    out, sheet = tmp_path / "new folder" / "video.mp4", tmp_path / "sheet.jpg"
    outcome = mmgt(inputs.generate(out, contact_sheet=sheet))
    assert outcome.code == 0, outcome.err
    assert outcome.out.split("\n")[:2] == [str(out), str(sheet)]
    frames = pictures(out)
    # The portrait's own shape: the padding that made it square is gone, sides are even as H.264 wants them.
    assert frames.shape == (waveform.frames, 50, 64, 3)
    assert abs(sound_seconds(out) - waveform.frames / 25) < 0.1
    assert load_image(sheet).shape[1] > 256
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["sheet.jpg", "video.mp4"]
    for stage in ("generating motion", "preparing conditions", "sampling video", "writing video"):
        assert stage in outcome.err


@pytest.mark.parametrize(
    ("name", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16), ("auto", torch.float32)]
)
def test_the_video_model_runs_in_the_chosen_precision(inputs, mmgt, tmp_path, monkeypatch, name, dtype):
    """The UNet has the chosen precision, the VAE stays in fp32, and the video is nearly the same."""
    from mmgt_core.pipeline import generate

    models, render = [], generate.render

    def spied(model, *args, **settings):
        models.append(model)
        return render(model, *args, **settings)

    monkeypatch.setattr(generate, "render", spied)
    whole, half = tmp_path / "whole.mp4", tmp_path / "half.mp4"
    for out, chosen in ((whole, "fp32"), (half, name)):
        assert mmgt(inputs.generate(out, duration=0.2, dtype=chosen, device="cpu")).code == 0
    assert [model.dtype for model in models] == [torch.float32, dtype]
    assert all(model.autoencoder.dtype == torch.float32 for model in models)
    a, b = (pictures(out).astype(np.float32) for out in (whole, half))
    assert np.abs(a - b).mean() < 0.1 * a.std()


def test_the_same_seed_gives_the_same_video_and_another_seed_another(inputs, mmgt, tmp_path):
    videos = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / f"{name}.mp4"
        assert mmgt(inputs.generate(out, seed=seed, duration=0.2)).code == 0
        videos.append(pictures(out))
    assert np.array_equal(videos[0], videos[1])
    assert not np.array_equal(videos[0], videos[2])


@pytest.fixture(scope="module")
def awake(inputs, tmp_path_factory):
    """A video model whose audio branches act (fresh ones end in zeros, as published), and a video of it."""
    import torch

    from mmgt_core.checkpoints.video import load_video_model, save_video_model

    folder = tmp_path_factory.mktemp("awake")
    model = load_video_model(inputs.video_model)
    generator = torch.Generator().manual_seed(3)
    for parameter in model.adapter.parameters():
        parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    save_video_model(folder / "model.safetensors", model, dtype=None)
    assert main(inputs.generate(folder / "plain.mp4", duration=0.12, model=folder / "model.safetensors")) == 0
    return folder / "model.safetensors", pictures(folder / "plain.mp4")


@pytest.mark.parametrize(
    "option",
    [
        {"cfg": 3},
        {"steps": 2},
        {"pose_weight": 0},
        {"face_weight": 9},
        {"lip_weight": 9},
        {"full_mask": "1-face"},
    ],
    ids=str,
)
def test_every_setting_changes_the_picture(inputs, mmgt, tmp_path, awake, option):
    model, plain = awake
    out = tmp_path / "changed.mp4"
    assert mmgt(inputs.generate(out, duration=0.12, model=model, **option)).code == 0
    assert not np.array_equal(pictures(out), plain)


def test_an_own_motion_renders_without_sound(inputs, mmgt, tmp_path):
    out = tmp_path / "video.mp4"
    outcome = mmgt(inputs.generate(out, keypoints=None, audio=None, motion=inputs.motion))
    assert outcome.code == 0, outcome.err
    assert len(pictures(out)) == load_motion(inputs.motion).frames
    assert sound_seconds(out) is None


@pytest.mark.parametrize(("duration", "frames", "longer"), [(None, 9, "recording"), (0.2, 5, "motion")])
def test_an_own_motion_with_sound_lasts_as_long_as_the_shorter_of_the_two(
    inputs, mmgt, tmp_path, duration, frames, longer
):
    out = tmp_path / "video.mp4"
    outcome = mmgt(inputs.generate(out, keypoints=None, motion=inputs.motion, duration=duration))
    assert outcome.code == 0, outcome.err
    assert len(pictures(out)) == frames
    assert abs(sound_seconds(out) - frames / 25) < 0.1
    assert f"the end of the {longer} is cut off" in outcome.err


def test_stereo_stays_stereo_and_the_models_use_the_mean(inputs, mmgt, tmp_path):
    """A video's left channel is the recording's, and the motion is that of the mono mix."""
    speech = load_waveform(inputs.speech).samples
    channels = np.stack([speech, np.zeros_like(speech)])
    rate = load_waveform(inputs.speech).rate
    stereo, mono = tmp_path / "stereo.wav", tmp_path / "mono.wav"
    with wave.open(str(stereo), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(channels.T * 32767).astype("<i2").tobytes())
    out = tmp_path / "video.mp4"
    assert mmgt(inputs.generate(out, audio=stereo, duration=0.4)).code == 0
    left, right = load_channels(out)
    assert np.abs(left.samples).max() > 10 * np.abs(right.samples).max()
    motions = []
    for name, sound in (("a", stereo), ("b", mono)):
        if sound == mono:
            save_wav(mono, load_waveform(stereo))
        motion = tmp_path / f"{name}.safetensors"
        assert mmgt(inputs.motion_command(motion, audio=sound, motion_steps=1)).code == 0
        motions.append(load_motion(motion).keypoints)
    assert float((motions[0] - motions[1]).abs().max()) < 1e-3, "16 bits of the mono file apart"


@pytest.mark.parametrize("framing", ["pad", "crop", "stretch"])
def test_width_height_and_framing_give_the_portraits_own_shape(inputs, mmgt, tmp_path, framing):
    out = tmp_path / "video.mp4"
    outcome = mmgt(inputs.generate(out, duration=0.2, width=128, height=64, framing=framing))
    assert outcome.code == 0, outcome.err
    height, width = pictures(out).shape[1:3]
    portrait = load_image(inputs.portrait)
    assert abs(width / height - portrait.shape[1] / portrait.shape[0]) < 0.06


def test_the_background_lock_knows_or_asks_for_the_portraits_own_pose(inputs, mmgt, tmp_path):
    common = {"motion": inputs.motion, "lock_background": True, "duration": 0.2}
    outcome = mmgt(inputs.generate(tmp_path / "a.mp4", keypoints=None, **common))
    assert outcome.code == 0 and "give it with --keypoints" in outcome.err
    outcome = mmgt(inputs.generate(tmp_path / "b.mp4", **common))
    assert outcome.code == 0 and "give it with --keypoints" not in outcome.err


def test_openpose_json_is_a_motion_too(inputs, mmgt, tmp_path):
    out = tmp_path / "video.mp4"
    assert mmgt(inputs.generate(out, keypoints=None, audio=None, motion=inputs.pose)).code == 0
    assert len(pictures(out)) == 1


def test_motion_then_generate_equals_generate(inputs, mmgt, tmp_path):
    """The motion that `mmgt motion` keeps is the one that `mmgt generate` uses."""
    kept, direct, by_file = tmp_path / "motion.safetensors", tmp_path / "direct.mp4", tmp_path / "by_file.mp4"
    assert mmgt(inputs.motion_command(kept, seed=5, image=inputs.portrait)).code == 0
    assert mmgt(inputs.generate(direct, seed=5)).code == 0
    assert mmgt(inputs.generate(by_file, seed=5, keypoints=None, motion=kept)).code == 0
    assert np.array_equal(pictures(direct), pictures(by_file))


def test_the_motion_begins_with_the_portraits_pose(inputs, mmgt, tmp_path, waveform):
    out = tmp_path / "motion.safetensors"
    assert mmgt(inputs.motion_command(out)).code == 0
    motion, pose = load_motion(out), read_pose_file(inputs.pose)
    assert motion.frames == waveform.frames
    assert (motion.width, motion.height) == (pose.width, pose.height)
    assert float((motion.pixels()[0] - pose.pixels()[0]).abs().max()) < 0.5


def test_a_skeleton_video_has_the_sound_and_the_portraits_shape(inputs, mmgt, tmp_path, waveform):
    out = tmp_path / "skeleton.mp4"
    outcome = mmgt(inputs.motion_command(out))
    assert outcome.code == 0, outcome.err
    assert pictures(out).shape == (waveform.frames, 512, 640, 3)
    assert abs(sound_seconds(out) - waveform.frames / 25) < 0.1


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=st.integers(320, 16_000 * 4))
def test_any_length_gives_exactly_ceil_of_seconds_times_25_frames(inputs, mmgt, tmp_path, samples):
    from mmgt_core.media.waveform import Waveform

    rate = 8_000
    sound, out = tmp_path / "sound.wav", tmp_path / "motion.safetensors"
    save_wav(sound, Waveform(np.random.default_rng(1).uniform(-0.1, 0.1, samples).astype(np.float32), rate))
    assert mmgt(inputs.motion_command(out, audio=sound, motion_steps=1)).code == 0
    assert load_motion(out).frames == frame_count(samples, rate)


@pytest.mark.skipif(not RECORDED.is_file(), reason="Debian's alsa-utils is not installed")
def test_recorded_human_speech_becomes_a_video(inputs, mmgt, tmp_path):
    out = tmp_path / "video.mp4"
    outcome = mmgt(inputs.generate(out, audio=RECORDED, duration=0.5))
    assert outcome.code == 0, outcome.err
    assert len(pictures(out)) == load_waveform(RECORDED, duration=0.5).frames


class Stop(Exception):
    pass


@pytest.mark.parametrize("stage", list(SHARES))
def test_what_a_progress_callable_raises_travels_through_and_nothing_is_left(inputs, tmp_path, stage):
    out = tmp_path / "video.mp4"
    out.write_bytes(b"an older video")

    def stages(name):
        def progress(done, total, preview=None, /):
            if name == stage:
                raise Stop

        return progress

    request = VideoRequest(
        inputs.portrait, out, inputs.speech, inputs.pose, duration=0.2, contact_sheet=tmp_path / "sheet.jpg"
    )
    with pytest.raises(Stop):
        generate_video(
            request,
            Settings(
                motion=MotionSettings(inputs.motion_model, motion_steps=1),
                video=VideoSettings(inputs.video_model),
            ),
            stages,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]
    assert out.read_bytes() == b"an older video"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_stops_with_one_line_and_leaves_nothing(inputs, tmp_path):
    out = tmp_path / "video.mp4"
    with running(inputs.generate(out, steps=1000), until="preparing conditions: 3/3") as process:
        rest = ctrl_c(process)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert rest.strip().splitlines()[-1].startswith("mmgt: interrupted")
    assert list(tmp_path.iterdir()) == []


def test_python_dash_m_is_the_command(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "mmgt_core", "--version"], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.returncode == 0
    assert result.stdout.startswith("mmgt ")
