"""The training loss of SMGA: position, velocity, acceleration, with the face counted again (Eq. 17, 18)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from ...pose.skeleton import FACE_COLUMNS

FACE_WEIGHT = 3.0


BodyLoss = Literal["all", "gesture"]
"""Which columns the terms of the body count: all of them, as published code does, or those outside the
face, as the paper's Eq. 17 says.
"""


class LossTerms(NamedTuple):
    """Scalars; total = body_weight (rec + vel + acc) + face_weight (face_rec + face_vel + face_acc)."""

    total: Tensor
    rec: Tensor
    vel: Tensor
    acc: Tensor
    face_rec: Tensor
    face_vel: Tensor
    face_acc: Tensor


def smga_loss(
    pred: Tensor,
    target: Tensor,
    *,
    face_weight: float = FACE_WEIGHT,
    body_weight: float = 1.0,
    body: BodyLoss = "all",
) -> LossTerms:
    """Loss of a predicted x0 (batch, frames, 402) against the true motion (docs/method.md 1.8, Eq. 14-18).

    Plain means over all elements. Differences are forward differences in time; at least three frames.
    """
    face_pred, face_target = pred[..., FACE_COLUMNS], target[..., FACE_COLUMNS]
    if body == "gesture":
        pred, target = _without_face(pred), _without_face(target)
    rec, vel, acc = (mse_loss(a, b) for a, b in zip(_derivatives(pred), _derivatives(target), strict=True))
    face = tuple(
        mse_loss(a, b) for a, b in zip(_derivatives(face_pred), _derivatives(face_target), strict=True)
    )
    total = body_weight * (rec + vel + acc) + face_weight * (face[0] + face[1] + face[2])
    return LossTerms(total, rec, vel, acc, *face)


def _without_face(x: Tensor) -> Tensor:
    return torch.cat([x[..., : FACE_COLUMNS.start], x[..., FACE_COLUMNS.stop :]], -1)


def _derivatives(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return x, x.diff(dim=1), x.diff(n=2, dim=1)
