"""wav2vec2 at 25 Hz and the neighborhoods of its features against the reference (docs/method.md 2.5)."""

from __future__ import annotations

import json

import pytest
import torch

from mmgt_core.audio.windows import at_frame_rate, frame_windows
from mmgt_core.base.timebase import SAMPLE_RATE, frame_count

FILE = "stage2/audio_windows.safetensors"
ATOL = 2e-5  # of features with a standard deviation of 1.03


@pytest.fixture(scope="module")
def model(goldens):
    pytest.importorskip("transformers")
    from mmgt_core.checkpoints.speech_encoders import wav2vec2_from
    from mmgt_core.checkpoints.speech_file import speech_file

    golden = goldens(FILE)
    names = [name for name in golden.tensors if name.startswith("weights.")]
    weights = {name.removeprefix("weights."): golden.use(name) for name in names}
    told = {"num_attention_heads": json.loads(golden.metadata["config"])["heads"]}
    return wav2vec2_from(speech_file(told, weights), depth=None)


@pytest.fixture
def waveform(goldens):
    from mmgt_core.media.waveform import Waveform

    return Waveform(goldens(FILE).use("waveform").numpy(), SAMPLE_RATE)


def test_normalisation(goldens):
    from mmgt_core.audio.wav2vec2 import normalised

    golden = goldens(FILE)
    golden.close("normalized", normalised(golden.use("waveform").numpy()), atol=1e-6)


@pytest.mark.parametrize("block", [10.0, 0.25])
def test_convolutions_in_one_piece_and_in_blocks(goldens, model, block):
    """The blocks are exact although the first convolution is normalized over the whole time."""
    from mmgt_core.audio.long_audio import conv_features

    golden = goldens(FILE)
    features = conv_features(model.feature_extractor, golden.use("normalized"), block=block)
    golden.close("conv_features", features.mT[None], atol=1e-6)


def test_layers(goldens, model, waveform):
    from mmgt_core.audio.wav2vec2 import wav2vec2_features

    goldens(FILE).close("hidden_all", wav2vec2_features(model, waveform), atol=ATOL)


def test_layers_of_a_clip_padded_to_whole_multiples(goldens, model, waveform):
    from mmgt_core.audio.wav2vec2 import wav2vec2_features

    golden = goldens(FILE)
    frames = golden.use("hidden_all_pad40").shape[0]
    golden.close("hidden_all_pad40", wav2vec2_features(model, waveform, multiple=frames), atol=ATOL)


def test_the_padding_is_heard(goldens):
    """Otherwise the two comparisons above would be one."""
    golden = goldens(FILE)
    plain, padded = golden.use("hidden_all"), golden.use("hidden_all_pad40")
    assert (plain - padded[: len(plain)]).abs().max() > 1e-2


def test_windows(goldens):
    golden = goldens(FILE)
    golden.close("windows", frame_windows(golden.use("hidden_all")))


def test_windows_from_the_waveform(goldens, model, waveform):
    from mmgt_core.audio.features import WAV2VEC2, stage2_features
    from mmgt_core.audio.wav2vec2 import wav2vec2_features

    golden = goldens(FILE)
    features = stage2_features(waveform, WAV2VEC2, {WAV2VEC2: lambda heard: wav2vec2_features(model, heard)})
    golden.close("windows", frame_windows(features), atol=ATOL)
    assert features.dtype == torch.float32


def test_length(goldens):
    golden = goldens(FILE)
    golden.close("audio_length", [frame_count(golden.use("waveform").numel())])


@pytest.mark.parametrize("name", ["interp_out_9", "interp_out_31"])
def test_frame_rate(goldens, name):
    golden = goldens(FILE)
    frames = golden.use(name).shape[1]
    golden.close(name, at_frame_rate(golden.use("interp_in"), frames), atol=1e-6)
