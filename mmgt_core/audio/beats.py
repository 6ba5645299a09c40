"""Beats by dynamic programming (Ellis, 2007), with librosa's definitions, in NumPy alone; see `spectra`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_HOP

TIGHTNESS = 100.0
SPREAD = 32.0  # the Gaussian that smooths the onsets has this many deviations a beat
QUIET = 0.01  # of the largest score: no beat begins before it is reached

Scores = NDArray[np.float64]


def beat_columns(envelope: NDArray[np.float32], rate: int, bpm: float) -> NDArray[np.int64]:
    """Columns of the beats of an onset strength (columns,) at about `bpm` beats a minute."""
    if not envelope.any():
        return np.zeros(0, np.int64)
    beat = int(np.round(rate / PROSODY_HOP * 60.0 / bpm))
    score = _local_score(envelope, beat)
    links, sums = _chains(score, beat)
    place, beats = _last_beat(sums), list[int]()
    while place >= 0:
        beats.append(place)
        place = int(links[place])
    return _trimmed(score, np.array(beats[::-1], np.int64))


def _local_score(envelope: NDArray[np.float32], beat: int) -> Scores:
    """(columns,) onset strength with deviation 1, smoothed."""
    onsets = envelope / (envelope.std(ddof=1) + np.finfo(np.float32).tiny)
    window = np.exp(-0.5 * (np.arange(-beat, beat + 1) * SPREAD / beat) ** 2)
    return np.convolve(onsets.astype(np.float64), window)[beat : beat + onsets.size]


def _chains(score: Scores, beat: int) -> tuple[NDArray[np.int64], Scores]:
    """(columns,) the best beat before each column, or -1, and the sum of scores up to it."""
    distances = np.arange(round(beat / 2), 2 * beat + 1)
    costs = TIGHTNESS * (np.log(distances) - np.log(beat)) ** 2
    links, sums = np.full(score.size, -1, np.int64), np.empty(score.size)
    threshold, silent = QUIET * score.max(), True
    for column, own in enumerate(score):
        before = column - distances[distances <= column]
        best = -1
        sums[column] = own
        if before.size:
            totals = sums[before] - costs[: before.size]
            chosen = int(totals.argmax())
            best = int(before[chosen])
            sums[column] += totals[chosen]
        if not silent or own >= threshold:
            links[column], silent = best, False
    return links, sums


def _last_beat(sums: Scores) -> int:
    """The last peak of the sums that is at least half of their median peak."""
    peaks = np.zeros(sums.size, bool)
    peaks[1:-1] = (sums[1:-1] > sums[:-2]) & (sums[1:-1] >= sums[2:])
    peaks[-1] = sums[-1] > sums[-2]
    places = np.flatnonzero(peaks)
    if not places.size:
        return sums.size - 1
    high = places[sums[places] >= 0.5 * np.median(sums[places])]
    return int(high[-1]) if high.size else sums.size - 1


def _trimmed(score: Scores, beats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Beats between the first and the last column whose score is not weak."""
    smooth = np.convolve(score[beats], np.hanning(5))[2 : score.size + 2]
    strong = np.flatnonzero(score > 0.5 * np.sqrt((smooth**2).mean()))
    if not strong.size:
        return beats[:0]
    return beats[(beats >= strong[0]) & (beats <= strong[-1])]
