"""Motion of any length at once: windows overlap, and their x0 are fused at every DDIM step (docs/windows.md).

One noisy motion spans the whole recording. At each step every window predicts its part of x0, and where
windows overlap the parts fade into one another; so no window has an edge that another does not soften, and
there is no seam to join. A window's condition is the fused x0 at its first frame. That is known better from
step to step, and is handed on only a few times in a run: what a condition gets wrong can wander as many
windows as it is handed on, and no farther, whereas in a chain it wanders through all of them and adds up.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..base.progress import Progress, silent
from ..pose.skeleton import CHANNELS
from .config import OVERLAP
from .diffusion import CosineSchedule, FirstPoseRamp, ddim_step
from .guided import Guided, Windows
from .network import SMGA

REFRESHES = 10  # times in a run that conditions are taken from the fused x0 again
KEPT_BYTES = 2**28  # of windows that are kept ready for all steps: half a minute at the published sizes
NOISE_ROWS = 8  # rows of 402 numbers: a multiple of the 16 that torch's generator draws at once


@torch.no_grad()
def sample_overlapping(
    model: SMGA,
    features: Tensor,
    pose: Tensor,
    *,
    seed: int,
    steps: int = 50,
    guidance: float = 2.0,
    eta: float = 1.0,
    spacing: float = 1.0,
    overlap: int = OVERLAP,
    windows_at_once: int = 8,
    first_pose_ramp: bool = True,
    progress: Progress = silent,
) -> Tensor:
    """Sample one motion x0 (frames, 402) on the model's device.

    Memory grows with the length by a few rows of 402 numbers a frame and nothing else: of a long recording
    only the first windows are kept ready for all steps, the others are made ready again in each.

    Args:
        model: in eval mode.
        features: (frames, channels), at least one frame; any device.
        pose: (402,) the pose to begin with, in the published normalization.
        seed: of CPU generators that draw all noise; a longer recording draws the same for the frames
            that both have.
        steps, guidance, eta, spacing: see `ddim_sample`.
        overlap: frames that neighboring windows share, 0 <= overlap < the model's window.
        windows_at_once: windows that one network call computes; the same motion but for rounding.
        first_pose_ramp: begin exactly at the pose.
    """
    length, device = model.config.frames, model.device
    starts = overlapping_starts(len(features), length, overlap)
    total = starts[-1] + length
    weights = crossfade(length, overlap).to(device)[:, None]
    groups = [starts[i : i + windows_at_once] for i in range(0, len(starts), windows_at_once)]
    seeds = torch.randint(2**62, (steps,), generator=torch.Generator().manual_seed(seed)).tolist()
    schedule, pose = CosineSchedule(), pose.to(device)
    times = schedule.times(steps, spacing)
    ramp = FirstPoseRamp(pose[None]) if first_pose_ramp else None
    conditions = dict.fromkeys(starts, pose)
    denoise = Guided(model, times[:-1], guidance)
    ready = _Ready(denoise, features, length)

    x = _noise(seeds[0], total, len(pose)).to(device)
    for step, (t, t_next) in enumerate(zip(times[:-1], times[1:], strict=True)):
        sums, counts = torch.zeros_like(x), x.new_zeros(total, 1)
        for index, group in enumerate(groups):
            noisy = torch.stack([x[start : start + length] for start in group])
            first = torch.stack([conditions[start] for start in group])
            parts = denoise(noisy, first, ready(group), step).clamp(-1, 1)
            for start, part in zip(group, parts, strict=True):
                sums[start : start + length] += weights * part
                counts[start : start + length] += weights
            progress(step * len(groups) + index + 1, steps * len(groups))
        x0 = sums.div_(counts)
        if ramp is not None:  # it has died out long before the end of the first window
            x0[:length] = ramp(x0[None, :length])[0]
        if _refreshes(step, steps):
            conditions.update({start: _with_scores(x0[start], pose) for start in starts[1:]})
        noise = None if t_next < 0 or not eta else _noise(seeds[step + 1], total, len(pose)).to(device)
        x = x0 if t_next < 0 else ddim_step(schedule, x, x0, t, t_next, eta, noise)
    return x[: len(features)]


class _Ready:
    """Groups of windows, kept for all steps as long as there is room."""

    def __init__(self, denoise: Guided, features: Tensor, length: int):
        self._denoise, self._features, self._length = denoise, features, length
        self._kept: dict[int, Windows] = {}
        self._room = KEPT_BYTES

    def __call__(self, starts: list[int]) -> Windows:
        """The windows that begin at these frames."""
        kept = self._kept.get(starts[0])
        if kept is not None:
            return kept
        rows = torch.stack([_rows(self._features, start, self._length) for start in starts])
        made = self._denoise.windows(rows.to(self._denoise.model.device, torch.float32))
        if made.bytes <= self._room:
            self._room -= made.bytes
            self._kept[starts[0]] = made
        return made


def overlapping_starts(frames: int, length: int, overlap: int) -> list[int]:
    """First frame of every window of `length` that `frames` frames need; at least one window."""
    hop = length - overlap
    return list(range(0, max(1, frames - overlap), hop))


def crossfade(length: int, overlap: int) -> Tensor:
    """(length,) positive weights of a window's frames: rising over the overlap, level, falling over it."""
    place = torch.arange(length)
    return torch.minimum(place + 1, length - place).clamp_max(overlap + 1).float()


def _rows(features: Tensor, start: int, length: int) -> Tensor:
    """(length, channels) features of a window; behind the end the last row stays."""
    return features[torch.arange(start, start + length, device=features.device).clamp_max(len(features) - 1)]


def _noise(seed: int, frames: int, channels: int) -> Tensor:
    """(frames, channels) standard normal; the first frames are the same for any number of frames."""
    rows = -(-frames // NOISE_ROWS) * NOISE_ROWS
    return torch.randn(rows, channels, generator=torch.Generator().manual_seed(seed))[:frames]


def _refreshes(step: int, steps: int) -> bool:
    """Whether conditions are taken again after this step, evenly spread over the run."""
    return (step + 1) * REFRESHES // steps > step * REFRESHES // steps


def _with_scores(frame: Tensor, pose: Tensor) -> Tensor:
    """A frame (402,) as a condition: its scores are those of `pose`, lest noise passes for visibility."""
    frame = frame.clone().unflatten(-1, (-1, CHANNELS))
    frame[:, 2] = pose.unflatten(-1, (-1, CHANNELS))[:, 2]
    return frame.flatten()
