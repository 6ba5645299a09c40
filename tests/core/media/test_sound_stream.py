"""Sound taken piece by piece is the sound resampled at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.media.sound_stream import SoundStream
from mmgt_core.media.waveform import Waveform

RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000)


@given(
    own=st.sampled_from(RATES),
    wanted=st.sampled_from(RATES),
    seconds=st.floats(0.05, 3.5),
    pieces=st.lists(st.integers(1, 5_000), min_size=1, max_size=8),
    channels=st.integers(1, 2),
)
@settings(max_examples=60)
def test_pieces_of_any_size_are_the_whole(own, wanted, seconds, pieces, channels):
    noise = np.random.default_rng(0).standard_normal((channels, round(seconds * own))).astype(np.float32)
    given_channels = [Waveform(channel, own) for channel in noise]
    expected = np.stack([channel.resampled(wanted).samples for channel in given_channels])
    stream, taken, left = SoundStream(given_channels, wanted), [], expected.shape[1]
    assert stream.samples == left
    while left:
        count = min(pieces[len(taken) % len(pieces)], left)
        taken.append(stream.take(count))
        left -= count
        assert stream._ready.shape[1] < 2.2 * wanted, "about a second is in memory"
    np.testing.assert_allclose(np.concatenate(taken, axis=1), expected, atol=1e-6)
