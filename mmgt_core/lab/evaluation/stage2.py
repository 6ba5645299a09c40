"""Figures of Stage II: are the images right, does the mouth open when it should, and who moves it?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
from .stage2_figures import stage2_figures
from .steps import Steps

CONDITIONS = ("true", "hidden", "hidden-shuffled", "wrong-pose", "wrong-portrait", "still", "many-steps")
MANY_STEPS, GUIDANCE = 20, 1.5  # of the condition "many-steps": a usual setting of ComfyUI's samplers


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
    return sum(len(_conditions(index, plan)) for index in range(identities))


def _conditions(index: int, plan: Plan) -> tuple[str, ...]:
    """What is measured of the index-th presenter; many steps take long and are tried on a few."""
    return CONDITIONS if index < plan.sampler_clips else CONDITIONS[:-1]


def measure_stage2(
    source: VideoSource, inputs: EvaluationInputs, plan: Plan, journal: Journal, steps: Steps
) -> list[Figure]:
    """All Stage II rows of the table."""
    records: dict[str, list[Record]] = {name: [] for name in CONDITIONS}
    for index in range(len(inputs.identity)):
        case = _Case(source, inputs, plan, index)
        for name in _conditions(index, plan):
            records[name].append(journal.once(f"{name}/{index}", lambda n=name, c=case: c.measure(n)))
            steps.step(case.preview)
    return stage2_figures(records)


class _Case:
    """All conditions of one presenter."""

    def __init__(self, source: VideoSource, inputs: EvaluationInputs, plan: Plan, index: int):
        self.source, self.plan, self.inputs = source, plan, inputs
        self.me = Presenter.of(inputs, index, plan.mouth_frames, source.size)
        self.other = Presenter.of(
            inputs, index + max(len(inputs.identity) // 2, 1), plan.mouth_frames, source.size
        )
        self.seed = inputs.seed + index
        self.preview: np.ndarray | None = None

    def measure(self, condition: str) -> Record:
        if condition == "true":
            return self._true()
        if condition == "still":
            return self._still()
        if condition.startswith("hidden"):
            return {
                "mouth": self._mouth(
                    self._hidden(self.other.audio if "shuffled" in condition else self.me.audio)
                )
            }
        few = slice(0, self.plan.picture_frames)
        if condition == "many-steps":
            frames = self._render(
                self.me.portrait,
                self.me.motion.window(few),
                self.me.audio[few],
                steps=MANY_STEPS,
                cfg=GUIDANCE,
            )
            return {"psnr": float(psnr(frames, self.me.truth[few]).mean())}
        poses = self.other.motion if condition == "wrong-pose" else self.me.motion
        portrait = self.other.portrait if condition == "wrong-portrait" else self.me.portrait
        frames = self._render(portrait, poses.window(few), self.me.audio[few])
        return {"psnr": float(psnr(frames, self.me.truth[few]).mean())}

    def _render(
        self,
        portrait: Tensor,
        motion: Motion,
        audio: Tensor,
        masked: Motion | None = None,
        **sampler: Any,
    ) -> Tensor:
        made = self.source.render(portrait, motion, audio, seed=self.seed, masked=masked, **sampler)
        frames = made.cpu().float()
        self.preview = as_bytes(frames[-1])
        return frames

    def _true(self) -> Record:
        frames = self._render(self.me.portrait, self.me.motion, self.me.audio)
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

    def _hidden(self, audio: Tensor) -> Tensor:
        """Lips and jaw hidden in the pose image, the lip and face boxes those of the first frame."""
        return self._render(self.me.portrait, hide_mouth(self.me.motion), audio, freeze_face(self.me.motion))

    def _still(self) -> Record:
        count = self.plan.still_frames
        pose = Motion(self.me.rest.expand(count, -1, -1).clone())
        return {
            "difference": frame_difference(
                self._render(self.me.portrait, pose, self.inputs.silent_spectrum[:count])
            )
        }

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
