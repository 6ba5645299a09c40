"""The training loss of SMGA: position, velocity, acceleration, with the face counted again (Eq. 17, 18)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import mse_loss

from ...pose.skeleton import FACE_COLUMNS

FACE_WEIGHT = 3.0


class LossTerms(NamedTuple):
    """Scalars; total = rec + vel + acc + 3 (face_rec + face_vel + face_acc)."""

    total: Tensor
    rec: Tensor
    vel: Tensor
    acc: Tensor
    face_rec: Tensor
    face_vel: Tensor
    face_acc: Tensor


def smga_loss(pred: Tensor, target: Tensor) -> LossTerms:
    """Loss of a predicted x0 (batch, frames, 402) against the true motion (docs/method.md 1.8).

    Plain means over all elements.

    The terms without `face_` run over all 402 columns, as published code does (the paper's text says gesture
    only). Differences are forward differences in time; at least three frames.
    """
    rec, vel, acc = (mse_loss(a, b) for a, b in zip(_derivatives(pred), _derivatives(target), strict=True))
    face_pred, face_target = pred[..., FACE_COLUMNS], target[..., FACE_COLUMNS]
    face = tuple(
        mse_loss(a, b) for a, b in zip(_derivatives(face_pred), _derivatives(face_target), strict=True)
    )
    total = rec + vel + acc + FACE_WEIGHT * (face[0] + face[1] + face[2])
    return LossTerms(total, rec, vel, acc, *face)


def _derivatives(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return x, x.diff(dim=1), x.diff(n=2, dim=1)
