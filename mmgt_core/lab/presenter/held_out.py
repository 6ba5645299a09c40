"""What training must never see: the one place that says which seeds belong to evaluation.

Training takes seeds below `FIRST_SEED`; evaluation takes those of `held_out_seed`, with the voices and
sentences that the presenter keeps apart (`sample_voice` and `sentence` with `held_out=True`).
"""

from __future__ import annotations

from ...base.errors import InputError

FIRST_SEED = 1_000_000_000  # seeds of identities, sentences and performances from here on are evaluation's
SEEDS_PER_RUN = 1_000_000  # of one seed of training, or of `mmgt eval-demo --seed N`


def held_out_seed(run: int, index: int) -> int:
    """The index-th seed of evaluation run `run` (its `--seed`), which no training and no other run has."""
    if run < 0 or not 0 <= index < SEEDS_PER_RUN:
        raise ValueError(f"run {run}, index {index}: runs are >= 0 and indices in 0..{SEEDS_PER_RUN - 1}")
    return FIRST_SEED + run * SEEDS_PER_RUN + index


def training_seed(run: int, index: int) -> int:
    """The index-th seed of a training run with the seed `run`; raises InputError where it
    would meet evaluation's.
    """
    seed = run * SEEDS_PER_RUN + index
    if run < 0 or not 0 <= index < SEEDS_PER_RUN or seed >= FIRST_SEED:
        raise InputError(
            f"training with the seed {run} would use seeds that belong to evaluation",
            where="seed",
            fix=f"choose 0 to {FIRST_SEED // SEEDS_PER_RUN - 1}, and at most {SEEDS_PER_RUN} clips",
        )
    return seed
