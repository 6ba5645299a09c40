"""Figures of whole sets of clips: Fréchet and kernel distances, and diversity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .frechet import Gaussians, frechet_distance, frechet_interval
from .kernel import Reservoir, diversity, kernel_interval
from .store import TensorStore
from .summary import Score

DISTANCES = {
    "pose": ("fgd", None),
    "inception": ("fid", "kid"),
    "inception_face": ("fid_face", "kid_face"),
    "i3d": ("fvd", "kvd"),
    "i3d_face": ("fvd_face", "kvd_face"),
}
"""Features -> names of their Fréchet and their kernel distance."""
DIVERSITIES = {"pose": "diversity", "gesture": "diversity_motion"}
COUNTED = {"pose": "windows", "gesture": "windows", "inception": "images", "inception_face": "images"}
LEAST = 8  # windows of each half, for the distance between two halves of the truth
WIDEST = 4096  # features of which a Gaussian is kept


@dataclass
class FeatureSet:
    """The features of one kind over all clips of a system, in memory of a fixed size."""

    gaussians: Gaussians | None
    sample: Reservoir


def feature_sets(store: TensorStore, keys: Sequence[str], seed: int = 0) -> dict[str, FeatureSet]:
    """The features of all clips, one clip at a time.

    Args:
        store: where clips were kept. keys: of the clips, in an order that is the same for every system.
    """
    sets: dict[str, FeatureSet] = {}
    for number, key in enumerate(keys):
        for name, tensor in store.load(key).items():
            if name not in DISTANCES and name not in DIVERSITIES or not len(tensor):
                continue
            features = tensor.float().numpy()
            if name not in sets:
                wide = name not in DISTANCES or features.shape[1] > WIDEST
                sets[name] = FeatureSet(None if wide else Gaussians(features.shape[1]), Reservoir(seed))
            if (gaussians := sets[name].gaussians) is not None:
                gaussians.add(number, features)
            sets[name].sample.add(number, features)
    return sets


def set_scores(
    pred: dict[str, FeatureSet], truth: dict[str, FeatureSet] | None, seed: int = 0
) -> dict[str, Score]:
    """Diversities of a system, and its distances to the truth.

    Args:
        truth: the truth's features; None: only what needs none.
    """
    found: dict[str, Score] = {}
    for name, figure in DIVERSITIES.items():
        if name in pred and pred[name].sample.seen > 1:
            interval = diversity(pred[name].sample, seed)
            found[figure] = Score.from_interval(interval, pred[name].sample.seen, COUNTED[name])
    for name, (frechet, kernel) in DISTANCES.items():
        if truth is None or name not in pred or name not in truth:
            continue
        own, true = pred[name], truth[name]
        of = COUNTED.get(name, "parts of 16 frames")
        if own.gaussians is not None and true.gaussians is not None:
            samples = own.gaussians.samples
            if min(samples, true.gaussians.samples) > 1:
                interval = frechet_interval(own.gaussians, true.gaussians, seed)
                found[frechet] = Score.from_interval(interval, samples, of)
        if kernel is not None and min(own.sample.seen, true.sample.seen) > 1:
            found[kernel] = Score.from_interval(
                kernel_interval(own.sample, true.sample, seed), own.sample.seen, of
            )
    return found


def halves(truth: dict[str, FeatureSet]) -> float | None:
    """FGD of one half of the true clips against the other: what chance alone makes of so few windows.

    None without features, or where a half has fewer than `LEAST` windows.
    """
    gaussians = truth["pose"].gaussians if "pose" in truth else None
    if gaussians is None:
        return None
    first, second = gaussians.filled[::2], gaussians.filled[1::2]
    if min(gaussians.count[first].sum(), gaussians.count[second].sum()) < LEAST:
        return None
    return frechet_distance(gaussians.moments(first), gaussians.moments(second))
