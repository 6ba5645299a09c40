"""The benchmarks run, and compare forms that compute the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
def test_stage_2_forms_are_compared(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import stage2

    report = stage2.measure(size=64, frames=2, repeats=1, small=True)
    assert set(report["rows"]) == {"plain", "sd15", "unpacked", "ours", "sd15, packed"}
    assert report["difference"] < stage2.CLOSE
    assert report["rows"]["ours"]["tflop"] <= report["rows"]["plain"]["tflop"]
    assert report["rows"]["plain"]["ratio"] == 1
    sys.modules.pop("stage2")


@pytest.fixture
def benchmarks(monkeypatch):
    """The folder can be imported from; what was imported is forgotten again."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == FOLDER:
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("outer", [1, 2])
def test_kept_deep_features_of_the_same_call_change_nothing_and_save_work(benchmarks, outer):
    import shortcuts
    import stage2
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    window = stage2.Window(size=64, frames=2, small=True)
    deep = shortcuts.DeepFeatures(window.model.unet, outer)
    with torch.no_grad(), window.model.attached():
        plain = window.call()
        with deep.computed("a window"), FlopCounterMode(display=False) as whole:
            torch.testing.assert_close(window.call(), plain)
        with deep.reused("a window"), FlopCounterMode(display=False) as part:
            torch.testing.assert_close(window.call(), plain)
        assert part.get_total_flops() < 0.9 * whole.get_total_flops()
        torch.testing.assert_close(window.call(), plain)


def test_tokens_that_are_alike_are_merged_and_come_back(benchmarks):
    import shortcuts
    import torch

    torch.manual_seed(0)
    blocks = torch.randn(2, 4, 4, 16)
    tokens = blocks.repeat_interleave(2, 1).repeat_interleave(2, 2).flatten(1, 2)  # 2 x 2 each, 8 x 8 in all
    merge = shortcuts.Merge(tokens)
    shorter = merge.done(tokens)
    assert shorter.shape == (2, 32, 16)
    torch.testing.assert_close(merge.undone(shorter), tokens)
    torch.testing.assert_close(shortcuts._pooled(tokens), blocks.flatten(1, 2))
