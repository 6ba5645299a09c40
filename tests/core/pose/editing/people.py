"""A person who moves, with gaps, for the tests of editing."""

from __future__ import annotations

import torch

from mmgt_core.pose import skeleton
from mmgt_core.pose.absent import BODY, with_places
from mmgt_core.pose.motion import Motion

FRAMES = 60


def person(seed: int = 0, frames: int = FRAMES, size: tuple[int, int] = (512, 384)) -> Motion:
    """Somebody with face and hands whose joints wander smoothly; all points visible."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.zeros(frames, skeleton.KEYPOINTS, 3)
    points[:, :24, :2] = torch.tensor(BODY) * torch.tensor([0.2, 0.25]) + torch.tensor([0.5, 0.3])
    points[:, :24, 2] = 1
    placed = with_places(Motion(points, *size)).keypoints.clone()
    time = torch.arange(frames)[:, None, None] / 25
    phase = torch.rand(skeleton.KEYPOINTS, 2, generator=generator) * 6.28
    placed[..., :2] += 0.01 * torch.sin(time * (3 + phase[None]) + phase)
    placed[..., 2] = 0.5 + 0.5 * torch.rand(frames, skeleton.KEYPOINTS, generator=generator)
    return Motion(placed, *size)


def gappy(seed: int, poison: float = 0.0, frames: int = FRAMES, size: tuple[int, int] = (512, 384)) -> Motion:
    """`person`, of whom points come and go and some are never seen; there, x and y are `poison`."""
    motion = person(seed, frames, size)
    generator = torch.Generator().manual_seed(100 + seed)
    keypoints = motion.keypoints.clone()
    hidden = torch.rand(frames, skeleton.KEYPOINTS, generator=generator) < 0.15
    start = int(torch.randint(0, max(frames - 8, 1), (1,), generator=generator))
    hidden[start : start + 8, skeleton.LEFT_HAND] = True
    carriers = (skeleton.NOSE, skeleton.NECK, skeleton.LEFT_WRIST, skeleton.RIGHT_WRIST)
    never = torch.randperm(skeleton.KEYPOINTS, generator=generator)[:10].tolist()
    hidden[:, [point for point in never if point not in carriers]] = True
    keypoints[..., 2] = torch.where(hidden, 0, keypoints[..., 2])
    other = torch.rand(frames, skeleton.KEYPOINTS, 2, generator=generator) * poison
    keypoints[..., :2] = torch.where(hidden[..., None], other, keypoints[..., :2])
    return Motion(keypoints, *size)
