"""Quiet recordings are raised, and only they; noise and silence stay what they are."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.audio import silence_gate as silence_gate_module
from mmgt_core.audio.features import extract_features
from mmgt_core.audio.silence_gate import note_early_start, silence_gate, speech_start
from mmgt_core.audio.speech_level import SILENT_NOTE, frame_levels, leveled
from mmgt_core.media.waveform import Waveform
from mmgt_core.smga.diffusion import RAMP_FRAMES

RATE = 16_000


def speech(gain: float = 1.0, silence: float = 0.4) -> Waveform:
    """Syllables four times a second, with pauses around them."""
    time = np.arange(2 * RATE) / RATE
    loud = np.clip(np.sin(2 * np.pi * 2 * time), 0, None) ** 2
    sound = 0.3 * loud * np.random.default_rng(0).standard_normal(time.size)
    samples = np.pad(sound, round(silence * RATE)) * gain
    return Waveform(samples.astype(np.float32), RATE)


@pytest.mark.parametrize("gain", [4.0, 1.0, 0.25])
def test_ordinary_levels_stay_bit_for_bit(gain):
    voice, notes = speech(gain), []
    assert leveled(voice, notes.append) is voice and not notes


@pytest.mark.parametrize("decibels", [-45, -55])
def test_quiet_speech_gives_the_features_and_the_gate_of_loud_speech(decibels):
    loud, quiet, notes = speech(), speech(10 ** (decibels / 20)), []
    raised = leveled(quiet, notes.append)
    assert len(notes) == 1 and "dB louder" in notes[0]
    np.testing.assert_array_equal(silence_gate(quiet), silence_gate(loud))
    np.testing.assert_array_equal(silence_gate(raised), silence_gate(loud))
    assert silence_gate(loud).max() == 1 and silence_gate(loud).min() == 0
    wanted, found, unraised = (extract_features(voice) for voice in (loud, raised, quiet))
    middle = slice(15, 50)
    wrong = (found.stage2[middle] - wanted.stage2[middle]).abs().mean()
    assert wrong < 0.3 * (unraised.stage2[middle] - wanted.stage2[middle]).abs().mean()


@pytest.mark.parametrize("level", [2e-4, 6e-4])
def test_steady_noise_is_not_raised(level):
    noise = Waveform((level * np.random.default_rng(0).standard_normal(3 * RATE)).astype(np.float32), RATE)
    notes: list[str] = []
    assert leveled(noise, notes.append) is noise
    assert notes == [SILENT_NOTE]
    assert not silence_gate(noise).any()


def test_rounding_noise_is_silence():
    samples = np.zeros(3 * RATE, np.float32)
    samples[RATE : 2 * RATE] = np.random.default_rng(0).integers(-1, 2, RATE) / 32768
    notes: list[str] = []
    leveled(Waveform(samples, RATE), notes.append)
    assert notes == [SILENT_NOTE] and frame_levels(Waveform(samples, RATE)).max() > -100


def test_a_click_does_not_hide_that_speech_is_quiet():
    quiet = speech(10 ** (-45 / 20))
    quiet.samples[500:600] = 0.9
    assert np.square(leveled(quiet).samples[RATE:]).mean() > 1e3 * np.square(quiet.samples[RATE:]).mean()


@pytest.mark.parametrize(("silence", "noted"), [(0.0, True), (0.4, False)])
def test_speech_inside_the_first_pose_ramp_gets_a_remark(silence, noted):
    voice, notes = speech(silence=silence), []
    note_early_start(voice, notes.append)
    assert [("lead_in" in note) for note in notes] == [True] * noted
    start = speech_start(voice)
    assert start is not None and (start < RAMP_FRAMES) == noted


def test_the_remark_knows_how_long_the_ramp_is():
    assert silence_gate_module.RAMP_FRAMES == RAMP_FRAMES < 25 * silence_gate_module.LEAD_IN


def test_silence_gets_no_remark_about_its_start():
    silent = Waveform(np.zeros(RATE, np.float32), RATE)
    assert speech_start(silent) is None
    note_early_start(silent, pytest.fail)
