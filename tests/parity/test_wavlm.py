"""WavLM against the original implementation (docs/method.md 1.2)."""

from __future__ import annotations

import ast

import pytest

pytest.importorskip("transformers")

from mmgt_core.audio.wavlm import normalised, wavlm_features, wavlm_rows
from mmgt_core.base.timebase import SAMPLE_RATE
from mmgt_core.checkpoints.speech_encoders import wavlm_from
from mmgt_core.checkpoints.speech_file import speech_file
from mmgt_core.media.waveform import Waveform

FILE = "stage1/wavlm_tiny.safetensors"
ATOL = 1e-5


@pytest.fixture(scope="module")
def model(goldens):
    """The tiny network from the original release's names and configuration."""
    golden = goldens(FILE)
    names = [name for name in golden.tensors if name.startswith("state.")]
    state = {name.removeprefix("state."): golden.use(name) for name in names}
    return wavlm_from(speech_file(ast.literal_eval(golden.metadata["config"]), state), depth=None)


def test_normalisation(goldens):
    golden = goldens(FILE)
    golden.close("waveform_normalised", normalised(golden.use("waveform_16k")), atol=1e-6)


def test_rows(goldens, model):
    golden = goldens(FILE)
    golden.close("frames_50hz", wavlm_rows(model, golden.use("waveform_normalised")), atol=ATOL)


def test_features(goldens, model):
    golden = goldens(FILE)
    waveform = Waveform(golden.use("waveform_16k").numpy(), SAMPLE_RATE)
    golden.close("features_25hz", wavlm_features(model, waveform), atol=ATOL)
