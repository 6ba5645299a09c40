"""Recordings as people bring them, through the whole command: remarks, levels and leads."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import torch

from mmgt_core.media.sound_file import load_channels, load_waveform
from mmgt_core.media.video_reader import read_video
from mmgt_core.pose.motion_file import load_motion


@pytest.fixture(scope="module")
def speech(inputs):
    """(samples, rate) of speech with a pause before and after it."""
    waveform = load_waveform(inputs.speech)
    return np.pad(waveform.samples, waveform.rate // 2), waveform.rate


def motion_of(inputs, mmgt, path, **options):
    """(keypoints, stderr) of `mmgt motion`."""
    out = path.with_suffix(".safetensors")
    outcome = mmgt(inputs.motion_command(out, audio=path, **options))
    assert outcome.code == 0, outcome.err
    return load_motion(out).keypoints, outcome.err


def test_opposite_phase_moves_as_the_mono_file(inputs, mmgt, tmp_path, speech):
    samples, rate = speech
    soundfile.write(tmp_path / "mono.wav", samples, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "phase.wav", np.stack([samples, -samples], 1), rate, subtype="FLOAT")
    mono, quiet = motion_of(inputs, mmgt, tmp_path / "mono.wav")
    phase, remark = motion_of(inputs, mmgt, tmp_path / "phase.wav")
    assert torch.equal(phase, mono)
    assert "note: the channels of the recording cancel each other" in remark and "note:" not in quiet


def test_the_center_of_surround_keeps_its_level_in_the_video(inputs, mmgt, tmp_path, speech):
    samples, rate = speech
    values = np.zeros((samples.size, 6))
    values[:, 2] = samples
    soundfile.write(tmp_path / "a.wav", values, rate, format="WAVEX")
    out = tmp_path / "a.mp4"
    assert mmgt(inputs.generate(out, audio=tmp_path / "a.wav", duration=1.0)).code == 0
    (found,) = load_channels(out)
    wanted = samples[:rate]
    level = 10 * np.log10(np.square(found.samples).mean() / np.square(wanted).mean())
    assert abs(level) < 3


def test_a_quiet_recording_is_raised_with_a_remark(inputs, mmgt, tmp_path, speech):
    samples, rate = speech
    soundfile.write(tmp_path / "loud.wav", samples, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "quiet.wav", samples * 10 ** (-45 / 20), rate, subtype="FLOAT")
    _, silent = motion_of(inputs, mmgt, tmp_path / "loud.wav")
    _, remark = motion_of(inputs, mmgt, tmp_path / "quiet.wav")
    assert "the recording is very quiet" in remark and "quiet" not in silent


def test_leads_add_frames_to_the_motion_and_to_its_sound(inputs, mmgt, tmp_path, speech):
    samples, rate = speech
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    plain, _ = motion_of(inputs, mmgt, path)
    led, _ = motion_of(inputs, mmgt, path, lead_in=0.4, lead_out=0.2)
    assert len(led) == len(plain) + 15
    video = tmp_path / "a.mp4"
    led_video = inputs.generate(video, audio=path, lead_in=0.4, motion_steps=1)
    assert mmgt(led_video).code == 0
    sound = load_waveform(video)
    assert len(read_video(video).frames) == len(plain) + 10
    loud = np.flatnonzero(np.abs(sound.samples) > 0.05)[0] / sound.rate
    assert abs(loud - (np.flatnonzero(np.abs(samples) > 0.05)[0] / rate + 0.4)) < 0.03


def test_a_given_motion_is_held_for_the_lead(inputs, mmgt, tmp_path):
    out = tmp_path / "a.mp4"
    given = {"keypoints": None, "motion": inputs.motion, "lead_in": 0.2, "lead_out": 0.12}
    outcome = mmgt(inputs.generate(out, audio=None, **given))
    assert outcome.code == 0, outcome.err
    assert len(read_video(out).frames) == load_motion(inputs.motion).frames + 8


def test_speech_at_once_gets_a_remark_and_an_impossible_lead_is_refused(inputs, mmgt, tmp_path):
    outcome = mmgt(inputs.motion_command(tmp_path / "a.safetensors"))
    assert outcome.code == 0 and "lead_in" in outcome.err
    outcome = mmgt(inputs.motion_command(tmp_path / "a.safetensors", lead_in=-1))
    assert outcome.code == 2 and "lead_in: a lead of -1 s is not possible" in outcome.err
