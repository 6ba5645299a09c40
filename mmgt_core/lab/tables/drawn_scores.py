"""The figures of one clip of a drawn speaker, measured in memory."""

from __future__ import annotations

import torch
from torch import Tensor

from ...base.correlation import pearson
from ...media.images import to_uint8
from ...pose.mouth import aperture
from ..metrics.image import psnr
from ..metrics.journal import Record
from ..presenter.finger_meter import five_fingers, hands_apart
from ..presenter.mouth_meter import mouth_opening
from ..scores.image_scores import SIZE, squares, tensor_scores
from ..scores.motion_scores import liveliness, truth_scores
from .making import Made
from .presenter import PresenterScene
from .specs import RowSpec


def drawn_scores(made: Made, scene: PresenterScene, row: RowSpec) -> Record:
    """Figures of `scores.figure_list`, and "group" and "counts" of the scene.

    Motions are measured where the row makes them, images where it has a video.
    """
    record = placed(scene)
    if row.motion not in ("", "true"):
        record |= liveliness(made.motion)
        if scene.moves:
            record |= truth_scores(made.motion, scene.truth, lag_ms=0)
    if made.frames is not None:
        record |= _images(made.frames, made, scene)
    return record


def truth_record(scene: PresenterScene) -> Record:
    """What the truth itself has."""
    return placed(scene) | liveliness(scene.truth)


def placed(scene: PresenterScene) -> Record:
    """Which utterance a clip belongs to, and whether somebody speaks in it."""
    return {"group": float(scene.group), "counts": float(scene.counts)}


def _images(frames: Tensor, made: Made, scene: PresenterScene) -> Record:
    count, size = len(frames), frames.shape[1]
    truth, true_motion = (
        scene.images(size, count),
        scene.truth.window(slice(scene.begin, scene.begin + count)),
    )
    pixels = to_uint8(frames)
    apart = hands_apart(true_motion)
    hair = scene.regions(size, count)[1]
    opening = torch.from_numpy(mouth_opening(pixels, made.shown)).float()
    return {
        **tensor_scores(_squares(frames), _squares(truth), scene.regions(SIZE, count)[0]),
        "psnr_hair": float(psnr(frames, truth, hair).mean()),
        "mouth_seen": float(pearson(opening, aperture(true_motion))),
        "five_fingers": float(five_fingers(pixels, true_motion)[apart].sum()),
        "hands_apart": float(2 * apart.sum()),
    }


def _squares(frames: Tensor) -> Tensor:
    return frames if frames.shape[1] == SIZE else squares(list(to_uint8(frames)))
