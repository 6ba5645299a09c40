"""Figures of Stage II: are the pictures right, does the mouth open when it should, and who moves it?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...pose.motion import Motion
from ..metrics.bootstrap import Interval, bootstrap, mean
from ..metrics.correlation import pearson
from ..metrics.image import frame_difference, psnr, ssim
from ..presenter.draw import draw_frame, draw_frames
from ..presenter.identity import Identity, sample_identity
from ..presenter.mouth_meter import mouth_opening, true_aperture
from ..training.hiding import freeze_face, hide_mouth
from .figures import Beside, Bound, Figure
from .inputs import EvaluationInputs
from .journal import Journal, Record
from .plan import Plan
from .steps import Steps

STAGE = "stage2"
CONDITIONS = ("true", "hidden", "hidden-shuffled", "wrong-pose", "wrong-portrait", "still")


class VideoSource(Protocol):
    """What makes pictures: the model under test, or in tests the presenter itself."""

    size: int

    def render(
        self, portrait: Tensor, motion: Motion, audio: Tensor, *, seed: int, masked: Motion | None = None
    ) -> Tensor:
        """Frames (F, size, size, 3) in [0, 1].

        Args:
            portrait: (size, size, 3) in [0, 1].
            motion: what the pose pictures show, F frames.
            audio: (F, 5, blocks, channels).
            masked: the motion whose boxes are the motion masks; default the one that is shown.
        """
        ...

    def through_autoencoder(self, frames: Tensor) -> Tensor:
        """The frames (F, size, size, 3), encoded and decoded: what no video of this model can surpass."""
        ...


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
    def truth(self) -> Tensor:
        """(frames, size, size, 3): the presenter as it really moves."""
        return torch.from_numpy(draw_frames(self.identity, self.motion, self.size)).float() / 255


def stage2_steps(identities: int) -> int:
    """How many pieces of work `measure_stage2` reports."""
    return identities * len(CONDITIONS)


def measure_stage2(
    source: VideoSource, inputs: EvaluationInputs, plan: Plan, journal: Journal, steps: Steps
) -> list[Figure]:
    """All Stage II rows of the table."""
    records: dict[str, list[Record]] = {name: [] for name in CONDITIONS}
    for index in range(len(inputs.identity)):
        case = _Case(source, inputs, plan, index)
        for name in CONDITIONS:
            records[name].append(journal.once(f"{name}/{index}", lambda n=name, c=case: c.measure(n)))
            steps.step(case.preview)
    return _figures(records)


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
        poses = self.other.motion if condition == "wrong-pose" else self.me.motion
        portrait = self.other.portrait if condition == "wrong-portrait" else self.me.portrait
        frames = self._render(portrait, poses.window(few), self.me.audio[few])
        return {"psnr": float(psnr(frames, self.me.truth[few]).mean())}

    def _render(
        self, portrait: Tensor, motion: Motion, audio: Tensor, masked: Motion | None = None
    ) -> Tensor:
        frames = self.source.render(portrait, motion, audio, seed=self.seed, masked=masked).cpu().float()
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
            "ssim": float(ssim(frames, truth).mean()),
            "ssim_ceiling": float(ssim(ceiling, truth).mean()),
            "mouth": self._mouth(frames),
            "mouth_ceiling": self._mouth(ceiling),
            "meter": self._mouth(truth),
        }

    def _hidden(self, audio: Tensor) -> Tensor:
        """Lips and jaw hidden in the pose picture, the lip and face boxes those of the first frame."""
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
    return float(pearson(seen.float(), torch.as_tensor(true_aperture(truth)).float()))


def as_bytes(frames: Tensor) -> np.ndarray:
    """Frames in [0, 1] as uint8."""
    return (frames.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def _figures(records: dict[str, list[Record]]) -> list[Figure]:
    def column(name: str, condition: str = "true") -> np.ndarray:
        return np.array([record[name] for record in records[condition]])

    def average(name: str, condition: str = "true") -> Interval:
        return bootstrap(mean, column(name, condition))

    count = len(records["true"])

    def figure(
        name: str, value: Interval, floor: Bound, goal: Bound | None, *beside: Beside, unit: str = ""
    ) -> Figure:
        return Figure(STAGE, name, value, floor, goal, unit, beside, count)

    def cost(condition: str) -> Interval:
        return bootstrap(mean, column("psnr_few") - column("psnr", condition))

    return [
        figure("pixel mouth meter on true frames, correlation", average("meter"), Bound(0.9), None),
        figure(
            "PSNR from true poses", average("psnr"), Bound(23.5), Bound(27),
            Beside("autoencoder ceiling", average("psnr_ceiling")), unit="dB",
        ),
        figure(
            "SSIM from true poses", average("ssim"), Bound(0.82), Bound(0.88),
            Beside("autoencoder ceiling", average("ssim_ceiling")),
        ),
        figure(
            "PSNR above the repeated portrait", bootstrap(mean, column("psnr") - column("psnr_portrait")),
            Bound(3), Bound(6), Beside("repeated portrait", average("psnr_portrait")), unit="dB",
        ),
        figure(
            "mouth opening in the pixels, correlation", average("mouth"), Bound(0.5), Bound(0.75),
            Beside("autoencoder ceiling", average("mouth_ceiling")),
        ),
        figure(
            "the same from audio alone (lips hidden, masks frozen)", average("mouth", "hidden"),
            Bound(0.2), Bound(0.5),
            Beside("shuffled audio", average("mouth", "hidden-shuffled"), Bound(high=0.1)),
        ),
        figure("cost of a wrong pose", cost("wrong-pose"), Bound(3), None, unit="dB"),
        figure("cost of another person's portrait", cost("wrong-portrait"), Bound(3), None, unit="dB"),
        figure(
            "frame-to-frame difference, still pose and silence", average("difference", "still"),
            Bound(high=2), Bound(high=0.5), unit="/255",
        ),
    ]  # fmt: skip
