"""Choice among candidate windows and spline smoothing, as published, against the reference."""

from __future__ import annotations

import pytest

from mmgt_core.smga.joints import official_joints, smooth_joints
from mmgt_core.smga.selection import published_scores
from mmgt_core.smga.windows import Chain


@pytest.fixture
def golden(goldens):
    return goldens("stage1/slices.safetensors")


def test_scores(golden):
    scores = published_scores(golden.use("candidates"), golden.use("previous_slice"))
    golden.close("scores_pos", scores.position, rtol=1e-5)
    golden.close("scores_angle", scores.angle, rtol=1e-5)
    golden.close("scores_total", scores.total, rtol=1e-5)


def test_the_best_is_chosen(golden):
    candidates = golden.use("candidates")
    chain = Chain(candidates.shape[1], "official")
    chosen = chain.choose(candidates, golden.use("previous_slice"), visible=candidates.new_ones(134))
    best = [i for i, candidate in enumerate(candidates) if candidate.equal(chosen)]
    assert best == golden.use("best_index").tolist()


@pytest.mark.parametrize("suffix", ["", "_T80"])
def test_spline(golden, suffix):
    rough = golden.use(f"spline_in{suffix}")
    golden.close(f"spline_out{suffix}", smooth_joints(rough, official_joints(len(rough))), atol=1e-5)


def test_rows_that_the_spline_changes(golden):
    rough = golden.use("spline_in")
    smooth = smooth_joints(rough, official_joints(len(rough)))
    changed = (smooth != rough).any(dim=1).nonzero().flatten()
    assert changed.tolist() == golden.use("changed_rows").tolist()
