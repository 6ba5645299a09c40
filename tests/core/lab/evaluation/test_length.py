"""The tables of long clips: rows for every way, seams where windows meet, drift by the minute."""

from __future__ import annotations

import math

import pytest
import torch

from mmgt_core.lab.evaluation import length
from mmgt_core.pose.motion import Motion
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SMGA(
            SMGAConfig(width=8, ffn=8, layers=1, heads=1, encoder_layers=1, audio_channels=3, steps=1)
        ).eval()


@pytest.fixture(scope="module")
def clips():
    random = torch.Generator().manual_seed(1)
    walk = 0.5 + 0.002 * torch.randn(2, 400, 134, 3, generator=random).cumsum(1)
    return [length.LongClip(torch.randn(400, 3, generator=random), Motion(motion)) for motion in walk]


def test_every_way_has_a_row_and_all_of_it_is_numbers(model, clips):
    rows = length.measure_seams(model, clips, length.QUICK_WAYS)
    assert [row.name for row in rows] == ["the truth", *(way.name for way in length.QUICK_WAYS)]
    for row in rows:
        assert len(row.seams) == len(row.over) == 6
        assert all(math.isfinite(v.value) and v.low <= v.value <= v.high for v in row.seams.values())
        assert all(0 <= share <= 100 for share in row.over.values())
    table = length.motion_table(rows).splitlines()
    assert len(table) == 2 + len(rows) and len({line.count("|") for line in table}) == 1


def test_seams_lie_where_windows_meet():
    assert length.OVERLAPPING.seams(400, 80) == [70, 130, 190, 250, 310, 370]
    assert length.CHAINED.seams(400, 80) == [79, 158, 237, 316, 395]
    assert length.OFFICIAL.seams(400, 80) == [81, 161, 241, 321]


def test_drift_is_told_by_the_minute(model, clips):
    changes = length.measure_drift(model, clips[:1], length.CHAINED)
    assert len(changes) == 1 and changes[0] >= 0
    table = length.drift_table({"a": [0.01, 0.5], "b": [0.0, 1.0]})
    assert table.splitlines()[2] == "| a | 1.0 | 50.0 |"
