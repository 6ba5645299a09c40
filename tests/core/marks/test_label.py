"""The visible label: where it is, how large, and that the rest of the frame stays."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.marks.label import labeled


@pytest.mark.parametrize("size", [(64, 64), (256, 256), (512, 768), (1080, 1920), (300, 40)])
def test_it_is_readable_in_the_corner_and_nothing_else_changes(size):
    frames = np.full((2, *size, 3), 120, np.uint8)
    shown = next(labeled([frames]))
    changed = (shown != frames).any(axis=(0, 3))
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert rows.min() >= size[0] * 0.7 and columns.max() < size[1] and rows.max() < size[0]
    assert (shown[:, changed].max() == 255) or size[1] < 100
    assert columns.max() - columns.min() >= 0.2 * min(size) or size[1] < 100
    letters = np.flatnonzero((shown[0].min(-1) > 200).any(1))
    assert size[1] < 100 or letters.max() - letters.min() + 1 >= 0.04 * min(size)
    assert (frames == 120).all()
