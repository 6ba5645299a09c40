"""Held-out windows of Stage I: how far generated keypoints are from the true ones, and how they look."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...base.correlation import pearson
from ...marks.record import COMPOSITE, Record
from ...media.images import save_image
from ...media.video_writer import write_video
from ...pose.drawing import draw_pose
from ...pose.motion import Motion
from ...pose.mouth import aperture
from ...pose.skeleton import VISIBLE_SCORE
from ...smga.diffusion import ddim_sample
from ...smga.network import SMGA
from .draws import generator_for

SHOWN, MOMENTS, TILE = 4, 5, 192  # windows, moments of each, pixels of a tile


class HeldOutMotion:
    """RMSE on held-out windows, the choice of the best weights (the paper's Algorithm 2).

    Args:
        motion, audio: (windows, 80, 402) and (windows, 80, channels).
        steps: DDIM steps of each validation. The noise is the same every time.
    """

    def __init__(self, model: SMGA, motion: Tensor, audio: Tensor, *, steps: int = 10, seed: int = 0):
        self.model, self.motion, self.audio, self.steps, self.seed = model, motion, audio, steps, seed

    @torch.no_grad()
    def generated(self, rows: int | None = None) -> Tensor:
        """(windows, 80, 402) what the model makes of the first poses and the sound."""
        motion, audio = self.motion[:rows], self.audio[:rows]
        noise = torch.randn(1, *motion.shape, generator=generator_for("cpu", self.seed, 4)).to(motion)
        return ddim_sample(
            self.model,
            motion[:, 0],
            audio,
            steps=self.steps,
            guidance=self.model.config.guidance,
            eta=0.0,
            noise=noise,
        )

    def figures(self) -> Mapping[str, float]:
        """RMSE of visible keypoints in pixels of a 512-pixel square ("rmse", which is the score too), and the
        mean correlation of the mouth's opening with the true one ("lips").
        """
        squares, count, lips = 0.0, 0.0, []
        for made, true in zip(map(_motion, self.generated()), map(_motion, self.motion), strict=True):
            seen = (true.keypoints[..., 2] >= VISIBLE_SCORE).float()
            error = (made.pixels() - true.pixels()).square().sum(-1)
            squares, count = squares + float((error * seen).sum()), count + 2 * float(seen.sum())
            lips.append(float(pearson(aperture(made), aperture(true))))
        rmse = (squares / max(count, 1.0)) ** 0.5
        return {"score": rmse, "rmse": rmse, "lips": float(np.mean(lips))}

    def write_samples(self, stem: Path) -> None:
        """Skeletons of the first windows, the true ones above the generated ones: moments in `stem.jpg`, all
        frames in `stem.mp4`.
        """
        pairs = [
            [np.stack(list(draw_pose(_motion(flat), TILE, "example"))) for flat in pair]
            for pair in zip(self.motion[:SHOWN], self.generated(SHOWN), strict=True)
        ]
        moments = np.linspace(0, self.motion.shape[1] - 1, MOMENTS).astype(int)
        rows = [np.concatenate(list(frames[moments]), axis=1) for pair in pairs for frames in pair]
        save_image(stem.with_suffix(".jpg"), np.concatenate(rows, axis=0), Record(COMPOSITE))
        columns = [np.concatenate(pair, axis=1) for pair in pairs]
        write_video(stem.with_suffix(".mp4"), np.concatenate(columns, axis=2), record=Record(COMPOSITE))


def _motion(flat: Tensor) -> Motion:
    return Motion.from_network(flat.float().cpu())
