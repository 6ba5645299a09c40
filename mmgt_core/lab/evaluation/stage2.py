"""Figures of Stage II: are the images right, does the mouth open when it should, and who moves it?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ...base.correlation import pearson
from ...pose.motion import Motion
from ...pose.mouth import aperture
from ..metrics.image import frame_difference, gradient_energy, psnr, ssim
from ..metrics.journal import Journal, Record
from ..presenter.draw import draw_frame, draw_frames
from ..presenter.finger_meter import five_fingers, hands_apart
from ..presenter.identity import Identity, sample_identity
from ..presenter.mouth_meter import mouth_opening
from ..presenter.regions import face_boxes, hand_boxes, head_boxes, inside
from ..sources.video_source import VideoSource
from ..training.hiding import freeze_face, hide_mouth
from .figures import Figure
from .inputs import EvaluationInputs
from .plan import Plan
from .rows import STAGE2, DemoRow
from .stage2_figures import stage2_figures
from .steps import Steps


@dataclass(frozen=True)
class Presenter:
    """One unseen presenter with a stretch of speech: truth and controls."""

    identity: Identity
    rest: Tensor
    motion: Motion
    audio: Tensor
    size: int

    @classmethod
    def of(cls, inputs: EvaluationInputs, index: int, frames: int, size: int) -> Presenter:
        """The index-th presenter of the inputs (counted round) in its liveliest `frames` frames."""
        index %= len(inputs.identity)
        chosen = slice(int(inputs.begin[index]), int(inputs.begin[index]) + frames)
        return cls(
            sample_identity(int(inputs.identity[index])),
            inputs.rest[index],
            Motion(inputs.keypoints[index, chosen]),
            inputs.spectrum[index, chosen],
            size,
        )

    @cached_property
    def portrait(self) -> Tensor:
        """(size, size, 3): the presenter at rest."""
        return torch.from_numpy(draw_frame(self.identity, self.rest.numpy(), self.size)).float() / 255

    @cached_property
    def hands(self) -> Tensor:
        """bool (frames, size, size): the boxes of both hands."""
        return torch.from_numpy(inside(hand_boxes(self.motion), self.size))

    @cached_property
    def hair(self) -> Tensor:
        """bool (frames, size, size): the box of the head without that of the face."""
        head, face = (inside(boxes(self.motion), self.size) for boxes in (head_boxes, face_boxes))
        return torch.from_numpy(head & ~face)

    @cached_property
    def truth(self) -> Tensor:
        """(frames, size, size, 3): the presenter as it really moves."""
        return torch.from_numpy(draw_frames(self.identity, self.motion, self.size)).float() / 255


def stage2_steps(identities: int, plan: Plan) -> int:
    """How many pieces of work `measure_stage2` reports."""
    return sum(len(_rows(index, plan)) for index in range(identities))


def _rows(index: int, plan: Plan) -> tuple[DemoRow, ...]:
    """What is measured of the index-th presenter; many steps take long and are tried on a few."""
    return STAGE2 if index < plan.sampler_clips else tuple(row for row in STAGE2 if row.steps is None)


def measure_stage2(
    source: VideoSource, inputs: EvaluationInputs, plan: Plan, journal: Journal, steps: Steps
) -> list[Figure]:
    """All Stage II rows of the table."""
    records: dict[str, list[Record]] = {row.name: [] for row in STAGE2}
    for index in range(len(inputs.identity)):
        case = _Case(source, inputs, plan, index)
        for row in _rows(index, plan):
            records[row.name].append(journal.once(f"{row.name}/{index}", lambda r=row, c=case: c.measure(r)))
            steps.step(case.preview)
    return stage2_figures(records)


class _Case:
    """All rows of one presenter."""

    def __init__(self, source: VideoSource, inputs: EvaluationInputs, plan: Plan, index: int):
        self.source, self.plan, self.inputs = source, plan, inputs
        self.me = Presenter.of(inputs, index, plan.mouth_frames, source.size)
        self.other = Presenter.of(
            inputs, index + max(len(inputs.identity) // 2, 1), plan.mouth_frames, source.size
        )
        self.seed = inputs.seed + index
        self.preview: np.ndarray | None = None

    def measure(self, row: DemoRow) -> Record:
        """Render a row and take the figures that it is for."""
        frames = self._render(row)
        if row.frames == "still":
            return {"difference": frame_difference(frames)}
        if row.frames == "mouth":
            return self._true(frames) if row.lips else {"mouth": self._mouth(frames)}
        return {"psnr": float(psnr(frames, self.me.truth[: len(frames)]).mean())}

    def _render(self, row: DemoRow) -> Tensor:
        counts = {"mouth": self.plan.mouth_frames, "picture": self.plan.picture_frames}
        few = slice(0, counts.get(row.frames, self.plan.still_frames))
        audio = {"own": self.me.audio, "other": self.other.audio, "none": self.inputs.silent_spectrum}
        motion = (self.me if row.pose == "own" else self.other).motion.window(few)
        if row.row.motion == "first pose":
            motion = Motion(self.me.rest.expand(few.stop, -1, -1).clone())
        made = self.source.render(
            (self.me if row.portrait == "own" else self.other).portrait,
            motion if row.lips else hide_mouth(motion),
            audio[row.row.sound][few],
            seed=self.seed,
            masked=None if row.lips else freeze_face(motion),
            steps=row.steps,
            cfg=row.guidance,
        )
        frames = made.cpu().float()
        self.preview = as_bytes(frames[-1])
        return frames

    def _true(self, frames: Tensor) -> Record:
        truth, ceiling = self.me.truth, self.source.through_autoencoder(self.me.truth).cpu().float()
        quality = psnr(frames, truth)
        return {
            "psnr": float(quality.mean()),
            "psnr_few": float(quality[: self.plan.picture_frames].mean()),
            "psnr_ceiling": float(psnr(ceiling, truth).mean()),
            "psnr_portrait": float(psnr(self.me.portrait.expand_as(truth), truth).mean()),
            **self._parts(frames, ""),
            **self._parts(ceiling, "_ceiling"),
            "five_true": self._five(truth),
            "hands": float(2 * hands_apart(self.me.motion).sum()),
            "ssim": float(ssim(frames, truth).mean()),
            "ssim_ceiling": float(ssim(ceiling, truth).mean()),
            "mouth": self._mouth(frames),
            "mouth_ceiling": self._mouth(ceiling),
            "meter": self._mouth(truth),
        }

    def _parts(self, frames: Tensor, suffix: str) -> Record:
        """How near hands and hair are to the truth, and how sharp edges are, as a ratio to the truth's."""
        me = self.me

        def sharpness(where: Tensor | None = None) -> float:
            return float(gradient_energy(frames, where).mean() / gradient_energy(me.truth, where).mean())

        values = {
            "psnr_hands": float(psnr(frames, me.truth, me.hands).mean()),
            "psnr_hair": float(psnr(frames, me.truth, me.hair).mean()),
            "sharpness": sharpness(),
            "sharpness_hands": sharpness(me.hands),
            "five": self._five(frames),
        }
        return {f"{name}{suffix}": value for name, value in values.items()}

    def _five(self, frames: Tensor) -> float:
        """How many hands show five fingers, of those that do not cover each other."""
        apart = hands_apart(self.me.motion)
        return float(five_fingers(as_bytes(frames), self.me.motion)[apart].sum())

    def _mouth(self, frames: Tensor) -> float:
        return mouth_correlation(frames, self.me.motion, self.me.motion)


def mouth_correlation(frames: Tensor, motion: Motion, truth: Motion) -> float:
    """Correlation over one clip of the mouth opening in the pixels with the true aperture.

    Args:
        frames: (F, H, W, 3) in [0, 1].
        motion: where the head is in these frames.
        truth: whose lips say how far the mouth should be open.
    """
    seen = torch.from_numpy(np.ascontiguousarray(mouth_opening(as_bytes(frames), motion)))
    return float(pearson(seen.float(), aperture(truth)))


def as_bytes(frames: Tensor) -> np.ndarray:
    """Frames in [0, 1] as uint8."""
    return (frames.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
