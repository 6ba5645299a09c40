"""The small golden files of the repository hold what the full set holds."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ..goldens.small import SMALL, SUFFIX, read

ROOT = Path(__file__).resolve().parents[2]
HERE, FULL = ROOT / "tests" / "goldens", ROOT.parent / "shared" / "goldens"


@pytest.mark.parametrize("small", SMALL)
def test_a_small_file_is_cut_from_the_full_one(small):
    name, cut, _ = SMALL[small]
    if not (FULL / name).is_file():
        pytest.skip("the full set of goldens is not here")
    tensors, _ = read(HERE / f"{small}{SUFFIX}")
    expected = cut(read(FULL / name)[0])
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[key], tensor) for key, tensor in expected.items())
