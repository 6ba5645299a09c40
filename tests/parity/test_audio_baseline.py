"""The 35 prosody channels against the published extraction (docs/method.md 1.2)."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.audio.prosody import TEMPO_RATE, prosody, prosody_raw
from mmgt_core.base.timebase import PROSODY_RATE, SAMPLE_RATE
from mmgt_core.media.waveform import Waveform

FILE = "stage1/audio_baseline.safetensors"
MFCC_ATOL, ATOL = 1e-3, 1e-5
# Onset strength is a mean of decibel differences, as large as 20; librosa's own releases differ by this much.
ENVELOPE_ATOL = 2e-5


@pytest.fixture(scope="module")
def waveform(goldens) -> Waveform:
    return Waveform(goldens(FILE).use("waveform_16k").numpy(), SAMPLE_RATE)


@pytest.fixture(scope="module")
def parts(waveform):
    return prosody_raw(waveform)


def test_resampling_is_the_published_one(goldens, waveform):
    golden = goldens(FILE)
    golden.close("waveform_12k8", waveform.resampled(PROSODY_RATE).samples, atol=1e-7)
    golden.close("waveform_22k05", waveform.resampled(TEMPO_RATE).samples, atol=1e-7)


def test_parts(goldens, parts):
    golden = goldens(FILE)
    golden.close("onset_envelope", parts.onset_envelope, atol=ENVELOPE_ATOL)
    golden.close("mfcc", parts.mfcc, atol=MFCC_ATOL)
    golden.close("chroma_cens", parts.chroma_cens, atol=ATOL)
    golden.close("onset_frames", parts.onset_frames)
    golden.close("beat_frames", parts.beat_frames)
    golden.close("start_bpm", np.array([parts.start_bpm]), atol=1e-4)


def test_channels(goldens, waveform):
    golden = goldens(FILE)
    expected = golden.use("baseline").numpy()
    found = prosody(waveform)
    assert found.shape == expected.shape and found.dtype == np.float32
    error = np.abs(found - expected).max(axis=0)
    assert error[0] <= ENVELOPE_ATOL
    assert error[1:21].max() <= MFCC_ATOL
    assert error[21:33].max() <= ATOL
    assert error[33:].max() == 0
    golden.record("baseline", error.max())
