"""Retarget a motion: the other person's bones keep their lengths and take the motion's directions."""

from __future__ import annotations

import torch
from torch import Tensor

from ...base.errors import InputError
from .. import skeleton
from ..absent import PARENTS
from ..gaps import bridged, gaps_of
from ..motion import Motion
from ..visibility import visible_points

FORESHORTENED = 0.25  # of its usual length: a bone that points at the camera says nothing about its length
PARTS = (
    (skeleton.FACE, skeleton.NOSE),
    (skeleton.LEFT_HAND, skeleton.LEFT_WRIST),
    (skeleton.RIGHT_HAND, skeleton.RIGHT_WRIST),
)


def with_proportions(motion: Motion, pose: Motion) -> Motion:
    """The motion with the bone lengths of the first frame of `pose`, from where its neck is.

    Every bone keeps the direction of the motion and the ratio by which the motion shortens it; face and hands
    are scaled as wholes. Gaps of the motion stay gaps; what the pose does not show stays not visible.

    Raises InputError where the two have no neck or no bone in common.
    """
    gaps = torch.from_numpy(gaps_of(motion))
    shown = torch.from_numpy(visible_points(motion).any(axis=0))
    theirs_shown = torch.from_numpy(visible_points(pose)[0])
    both = shown & theirs_shown
    own = bridged(motion).pixels()
    theirs = pose.pixels()[0].to(own)
    bones = {joint: _parent(joint, both) for joint in PARENTS if both[joint]}
    if not both[skeleton.NECK] or not bones:
        raise InputError(
            "the two poses have no neck or no bone in common",
            where="portrait_pose",
            fix="use a pose that shows neck and shoulders",
        )
    lengths = {j: (_length(own, j, p), float((theirs[j] - theirs[p]).norm())) for j, p in bones.items()}
    known = [pair for pair in lengths.values() if pair[0]]
    whole = sum(their for _, their in known) / max(sum(mine for mine, _ in known), 1e-6) if known else 1.0
    neck = own[:, skeleton.NECK]
    points = torch.zeros_like(own)
    points[:, skeleton.NECK] = theirs[skeleton.NECK] + (neck - neck[0]) * whole
    for joint, parent in bones.items():
        mine, their = lengths[joint]
        ratio = their / mine if mine > 1e-6 else whole
        points[:, joint] = points[:, parent] + (own[:, joint] - own[:, parent]) * ratio
    for part, joint in PARTS:
        ratio = _part_ratio(own, theirs, both, part, whole)
        anchor = joint if both[joint] else _parent(joint, both)
        points[:, part] = points[:, anchor, None] + (own[:, part] - own[:, anchor, None]) * ratio
    scores = torch.where(gaps | ~shown, 0, pose.keypoints[0, :, 2].to(own).expand(motion.frames, -1))
    places = points / own.new_tensor([pose.width, pose.height])
    keypoints = torch.cat([places, scores[..., None]], dim=-1)
    keypoints[gaps | ~shown | ~theirs_shown] = 0
    return Motion(keypoints, pose.width, pose.height)


def _parent(joint: int, known: Tensor) -> int:
    """The nearest joint above that both persons show; the neck at last."""
    parent = PARENTS[joint]
    while parent != skeleton.NECK and not known[parent]:
        parent = PARENTS[parent]
    return parent


def _length(points: Tensor, joint: int, parent: int) -> float:
    """Pixels of a bone in the first frame; 0 where that frame foreshortens it, and so says nothing."""
    lengths = (points[:, joint] - points[:, parent]).norm(dim=-1)
    usual = float(lengths.quantile(0.9))
    return float(lengths[0]) if float(lengths[0]) > FORESHORTENED * usual else 0.0


def _part_ratio(own: Tensor, theirs: Tensor, both: Tensor, part: slice, whole: float) -> float:
    seen = both[part]
    if int(seen.sum()) < 3:
        return whole
    mine, other = own[0, part][seen], theirs[part][seen]
    spread = [float((points - points.mean(dim=0)).norm(dim=-1).mean()) for points in (mine, other)]
    return spread[1] / spread[0] if spread[0] > 1e-6 else whole
