"""What training must never see: the one place that says which seeds belong to evaluation.

Training takes seeds below `FIRST_SEED`; evaluation takes those of `held_out_seed`, with the voices and
sentences that the presenter keeps apart (`sample_voice` and `sentence` with `held_out=True`).
"""

from __future__ import annotations

FIRST_SEED = 1_000_000_000  # seeds of identities, sentences and performances from here on are evaluation's
SEEDS_PER_RUN = 1_000_000  # `mmgt eval-demo --seed N` owns this many seeds


def held_out_seed(run: int, index: int) -> int:
    """The index-th seed of evaluation run `run` (its `--seed`), which no training and no other run has."""
    if run < 0 or not 0 <= index < SEEDS_PER_RUN:
        raise ValueError(f"run {run}, index {index}: runs are >= 0 and indices in 0..{SEEDS_PER_RUN - 1}")
    return FIRST_SEED + run * SEEDS_PER_RUN + index


def may_train_on(seed: int) -> bool:
    """Whether a training clip or identity may be made with this seed."""
    return 0 <= seed < FIRST_SEED
