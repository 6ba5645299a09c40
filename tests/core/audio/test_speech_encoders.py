"""WavLM and wav2vec2 features: one row a frame at every length and rate, in the network's own numbers."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers")

from mmgt_core.audio.features import WAV2VEC2, WAVLM_PROSODY, required_encoder
from mmgt_core.audio.wav2vec2 import wav2vec2_features
from mmgt_core.audio.wavlm import normalised, wavlm_features
from mmgt_core.base.errors import DependencyError, InputError
from mmgt_core.media.waveform import Waveform
from mmgt_core.pipeline.encoders import file_encoders

from .tiny_encoders import babble, relative, tiny_wav2vec2, tiny_wavlm


@pytest.fixture(scope="module")
def wavlm():
    return tiny_wavlm(num_hidden_layers=1)


@pytest.fixture(scope="module")
def wav2vec2():
    return tiny_wav2vec2(num_hidden_layers=2)


@settings(max_examples=20, deadline=None)
@given(samples=st.integers(640, 20_000), rate=st.sampled_from([8_000, 16_000, 44_100]))
def test_one_row_a_frame(wavlm, wav2vec2, samples, rate):
    samples = max(samples, -(-rate // 25))
    waveform = Waveform(babble(samples / rate + 0.01, rate).samples[:samples], rate)
    one, other = wavlm_features(wavlm, waveform), wav2vec2_features(wav2vec2, waveform)
    assert one.shape == (waveform.frames, 32) and other.shape == (waveform.frames, 2, 32)
    assert one.isfinite().all() and other.isfinite().all()


@pytest.mark.parametrize("samples", [51_200, 51_201, 51_279, 51_280, 50_640])
def test_the_row_that_the_encoder_lacks_is_the_last_one_again(wavlm, samples):
    waveform = Waveform(babble(4).samples[:samples], 16_000)
    features = wavlm_features(wavlm, waveform)
    repeated = torch.equal(features[-1], features[-2])
    assert features.shape[0] == waveform.frames
    assert repeated == (samples in (51_201, 51_279))  # docs/method.md 1.2: these give 80 rows for 81 frames


def test_all_layers_are_those_of_transformers(wav2vec2):
    """Where the interpolation changes nothing, the layers must be transformers' hidden_states[1:]."""
    from mmgt_core.audio.wav2vec2 import _all_layers

    samples = torch.from_numpy(babble(1).samples)[None]
    with torch.no_grad():
        expected = wav2vec2(samples, output_hidden_states=True).hidden_states[1:]
        found = _all_layers(wav2vec2, wav2vec2.feature_extractor(samples)[0].mT)
    torch.testing.assert_close(found, torch.stack(expected, dim=2)[0], atol=1e-5, rtol=1e-5)


def test_loudness_does_not_matter(wavlm, wav2vec2):
    loud = babble(1)
    quiet = Waveform(loud.samples * 0.5, loud.rate)
    assert relative(wavlm_features(wavlm, quiet), wavlm_features(wavlm, loud)) < 1e-2
    assert relative(wav2vec2_features(wav2vec2, quiet), wav2vec2_features(wav2vec2, loud)) < 1e-3


def test_the_last_layer_hears_when_something_happens(wav2vec2):
    """A burst that comes later changes the features most where it was, and where it is now."""
    features = []
    for frame in (20, 70):
        samples = babble(4).samples.copy()
        samples[frame * 640 : (frame + 2) * 640] = babble(4, seed=1).samples[:1280] * 20
        features.append(wav2vec2_features(wav2vec2, Waveform(samples, 16_000))[:, -1])
    change = (features[0] - features[1]).norm(dim=-1)
    assert {int(place) for place in change.topk(4).indices} == {20, 21, 70, 71}


def test_silence_gives_finite_features(wavlm, wav2vec2):
    silence = Waveform(torch.zeros(16_000).numpy(), 16_000)
    assert wavlm_features(wavlm, silence).isfinite().all()
    assert wav2vec2_features(wav2vec2, silence).isfinite().all()


def test_normalisation():
    samples = torch.from_numpy(babble(1).samples)
    normal = normalised(samples)
    assert abs(normal.mean().item()) < 1e-5
    expected = (samples.var(correction=0) / (samples.var(correction=0) + 1e-5)).sqrt()
    assert abs(normal.std(correction=0).item() - expected.item()) < 1e-5


def test_half_precision_stays_near(wavlm):
    waveform = babble(1)
    full = wavlm_features(wavlm, waveform)
    half = wavlm_features(tiny_wavlm(num_hidden_layers=1).to(torch.float16), waveform)
    assert half.dtype == torch.float32
    assert 1e-6 < relative(half, full) < 0.05


def test_progress_reaches_its_end(wav2vec2):
    seen = []
    wav2vec2_features(
        wav2vec2, babble(2), progress=lambda done, total, preview=None: seen.append(done / total)
    )
    assert seen == sorted(seen) and seen[-1] == 1


def test_files_are_looked_for_at_once_and_kinds_say_what_they_need(tmp_path):
    with pytest.raises(InputError, match="--wav2vec2"):
        file_encoders(wav2vec2=tmp_path / "none.safetensors")
    assert file_encoders() == {}
    assert required_encoder("prosody", None) is None
    for kind, option in ((WAVLM_PROSODY, "--wavlm FILE"), (WAV2VEC2, "--wav2vec2 FILE")):
        with pytest.raises(DependencyError, match=option):
            required_encoder(kind, {})
