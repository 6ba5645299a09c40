"""Windows of rows, convolutions in blocks, and how far that is from computing a long recording as a whole."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.audio.long_audio import (
    CONTEXT,
    conv_features,
    in_windows,
    overlapping_windows,
    receptive_field,
)

lengths = st.integers(1, 400)
windows = st.tuples(st.integers(3, 80), st.integers(1, 79)).filter(lambda pair: pair[1] < pair[0])


@given(rows=lengths, sizes=windows)
def test_windows_cover_everything_and_overlap(rows, sizes):
    window, overlap = sizes
    places = overlapping_windows(rows, window, overlap)
    assert places[0][0] == 0 and places[-1][1] == rows
    assert all(stop - start == min(window, rows) for start, stop in places)
    assert all(a[1] - b[0] >= overlap for a, b in zip(places[:-1], places[1:], strict=True))


@given(rows=lengths, sizes=windows)
def test_what_does_not_look_around_is_the_same_in_windows(rows, sizes):
    values = torch.randn(rows, 2, 3, generator=torch.Generator().manual_seed(rows))
    result = in_windows(lambda part: 2 * part + 1, values, *sizes)
    torch.testing.assert_close(result, 2 * values + 1)


@settings(max_examples=50)
@given(rows=lengths, sizes=windows)
def test_what_looks_no_farther_than_the_context_is_the_same_in_windows(rows, sizes):
    """A moving sum with zeros behind both ends, as wide as the outer part of the overlap allows."""
    reach = sizes[1] // CONTEXT
    kernel = torch.ones(1, 1, 2 * reach + 1)

    def around(part: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.conv1d(part.mT[:, None], kernel, padding=reach)[:, 0].mT

    values = torch.randn(rows, 2, generator=torch.Generator().manual_seed(rows))
    torch.testing.assert_close(in_windows(around, values, *sizes), around(values), atol=1e-4, rtol=1e-4)


def test_one_window_fades_into_the_next():
    """Two windows that disagree: only the middle third of what they share mixes them, evenly."""
    calls = iter([torch.zeros(60, 1), torch.ones(60, 1)])
    result = in_windows(lambda part: next(calls), torch.zeros(90, 1), 60, 30)[:, 0]
    assert (result[:40] == 0).all() and (result[50:] == 1).all()
    steps = result[39:51].diff()
    assert (steps > 0).all() and steps.max() < 0.2


def test_progress_ends_at_its_total_and_what_it_raises_stops_the_work():
    seen = []
    in_windows(
        lambda part: part,
        torch.zeros(100, 1),
        20,
        5,
        lambda done, total, preview=None: seen.append((done, total)),
    )
    assert seen[-1][0] == seen[-1][1] == len(seen) > 3

    def stop(done, total, preview=None, /):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_windows(lambda part: part, torch.zeros(100, 1), 20, 5, stop)


@pytest.fixture(scope="module")
def tiny():
    pytest.importorskip("transformers")
    from . import tiny_encoders

    return tiny_encoders


@pytest.mark.parametrize("kind", ["tiny_wavlm", "tiny_wav2vec2"])
@pytest.mark.parametrize("seconds", [0.04, 0.1, 1.0, 2.01])
def test_convolutions_in_blocks_are_those_of_the_whole(tiny, kind, seconds):
    """Also where a block holds a single row, and where the first layer is normalized over the whole time."""
    extractor = getattr(tiny, kind)().feature_extractor
    field, hop = receptive_field(extractor)
    assert (field, hop) == (400, 320)
    samples = torch.from_numpy(tiny.babble(seconds).samples)
    with torch.no_grad():
        whole = extractor(samples[None])[0].mT
        for block in (0.02, 0.3, 10.0):
            blocks = conv_features(extractor, samples, block=block)
            assert blocks.shape == whole.shape == ((samples.numel() - field) // hop + 1, 16)
            torch.testing.assert_close(blocks, whole, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_the_difference_to_the_whole_file_is_the_documented_one(tiny):
    """60 s with the default windows; random attention looks at the whole recording alike, the worst case."""
    from mmgt_core.audio.wav2vec2 import wav2vec2_features
    from mmgt_core.audio.wavlm import wavlm_features

    waveform = tiny.babble(60)
    for hear, model, documented in (
        (wavlm_features, tiny.tiny_wavlm(), 0.04),
        (wav2vec2_features, tiny.tiny_wav2vec2(), 0.04),
    ):
        whole = hear(model, waveform, window=61.0)
        difference = tiny.relative(hear(model, waveform), whole)
        assert 1e-4 < difference < 1.25 * documented, (hear.__name__, difference)


def test_local_attention_makes_no_difference(tiny):
    """Where attention looks no farther than the context, windows and whole file agree to rounding."""
    from mmgt_core.audio.wavlm import wavlm_features

    model = tiny.tiny_wavlm(num_hidden_layers=2)
    bias = model.encoder.layers[
        0
    ].attention.rel_attn_embed.weight  # the buckets from 8 on are 8 rows or farther
    bias[8:16], bias[24:32] = -1e4, -1e4
    waveform = tiny.babble(25)
    whole = wavlm_features(model, waveform, window=26.0)
    assert tiny.relative(wavlm_features(model, waveform, window=12.0, overlap=6.0), whole) < 1e-5
    assert tiny.relative(wavlm_features(model, waveform, window=12.0, overlap=0.1), whole) > 1e-3
