"""Drawn speakers as clips of the tables: unseen voices, people and performances, known exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...pose.motion import Motion
from ..presenter.draw import draw_frame, draw_frames
from ..presenter.identity import sample_identity
from ..presenter.regions import face_boxes, hand_boxes, head_boxes, inside
from ..scores.image_scores import SIZE
from ..scores.regions import Regions
from .baselines.placed import held
from .presenter_inputs import EvaluationInputs, make_inputs, read_inputs
from .specs import CLIPS, PresenterSpec

SPEECH, SILENCE, PRESENTERS = CLIPS


@dataclass(frozen=True)
class PresenterScene:
    """One window of speech or silence, or one presenter with images; see `DrawnScene`.

    Attributes:
        kind: of `specs.CLIPS`. index: among those of its kind, added to the seed. beside: all of its kind.
    """

    inputs: EvaluationInputs
    kind: str
    index: int
    beside: list[PresenterScene] = field(repr=False, compare=False)
    size: int = SIZE
    _drawn: dict[tuple[int, int], NDArray[np.uint8]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        return f"{self.kind} {self.index}"

    @property
    def noise(self) -> int:
        return self.index

    @property
    def begin(self) -> int:
        return int(self.inputs.begin[self.index]) if self.kind == PRESENTERS else 0

    @property
    def frames(self) -> int:
        return self.inputs.speech_features.shape[1]

    @property
    def group(self) -> int:
        return int(self.inputs.speech_clip[self.index]) if self.kind == SPEECH else self.index

    @property
    def counts(self) -> bool:
        return self.kind != SPEECH or bool(self.inputs.speaks[self.index])

    @property
    def moves(self) -> bool:
        return self.kind != SILENCE

    @property
    def truth(self) -> Motion:
        """See `Scene`; of silence the rest pose."""
        if self.kind == SILENCE:
            return held(self.first, self.frames)
        known = self.inputs.speech_keypoints if self.kind == SPEECH else self.inputs.keypoints
        return Motion(known[self.index])

    @property
    def first(self) -> Motion:
        """See `Scene`: frame 0 of speech, else the rest pose."""
        if self.kind == SPEECH:
            return self.truth.window([0])
        poses = self.inputs.silent_pose if self.kind == SILENCE else self.inputs.rest
        return Motion(poses[self.index][None])

    @property
    def other(self) -> PresenterScene:
        """See `Scene`: of speech another utterance, and its other window, since utterances begin alike."""
        count = len(self.beside)
        shift = -(count // 2 + 1) if self.kind == SPEECH else max(count // 2, 1)
        return self.beside[(self.index + shift) % count]

    def stage1(self, sound: str, kind: str, channels: int) -> Tensor:
        """See `Scene`; prosody whatever the model, which refuses what does not fit it."""
        if sound == "none" or self.kind == SILENCE:
            return self.inputs.silent_features[self.index % len(self.inputs.silent_features)]
        known = self.inputs.speech_features if self.kind == SPEECH else self.inputs.prosody
        return known[(self.other if sound == "other" else self).index]

    def stage2(self, sound: str, first: int, frames: int, radius: int) -> Tensor:
        """See `Scene`; the inputs have windows of 5 frames."""
        if radius != self.inputs.spectrum.shape[2] // 2:
            fix = "give one with an audio window of 5 frames, as the demo model has"
            raise InputError("this video model reads other windows of sound", where=self.name, fix=fix)
        if sound == "none":
            return self.inputs.silent_spectrum[first : first + frames]
        return self.inputs.spectrum[(self.other if sound == "other" else self).index][first : first + frames]

    def portrait(self, size: int) -> Tensor:
        """See `Scene`: the presenter at rest."""
        return self._images(size, 0)[0]

    def images(self, size: int, frames: int) -> Tensor:
        """See `Scene`: the presenter as it really moves."""
        return self._images(size, frames)

    def regions(self, size: int, frames: int) -> tuple[Regions, Tensor]:
        """See `DrawnScene`; the boxes of the hands are close around them."""
        shown = self._shown(frames)
        # The pixels whose centers are in the box.
        hands, face = (
            np.ceil(boxes(shown).astype(np.float64) * size - 0.5).astype(np.int32)
            for boxes in (hand_boxes, face_boxes)
        )
        hair = inside(head_boxes(shown), size) & ~inside(face_boxes(shown), size)
        return Regions(face, hands, (0, 0, size, size), size), torch.from_numpy(hair)

    def _shown(self, frames: int) -> Motion:
        return self.truth.window(slice(self.begin, self.begin + frames))

    def _images(self, size: int, frames: int) -> Tensor:
        """The true images, with 0 frames the portrait alone; drawn once."""
        if (size, frames) not in self._drawn:
            who = sample_identity(int(self.inputs.identity[self.index]))
            drawn = (
                draw_frames(who, self._shown(frames), size)
                if frames
                else draw_frame(who, self.first.keypoints[0].numpy(), size)[None]
            )
            self._drawn[size, frames] = drawn
        return torch.from_numpy(self._drawn[size, frames]).float() / 255


def presenter_scenes(inputs: EvaluationInputs) -> dict[str, list[PresenterScene]]:
    """All clips of the inputs, by kind."""
    counts = (len(inputs.speech_features), len(inputs.silent_features), len(inputs.identity))
    found: dict[str, list[PresenterScene]] = {}
    for kind, count in zip(CLIPS, counts, strict=True):
        beside: list[PresenterScene] = []
        beside += [PresenterScene(inputs, kind, index, beside) for index in range(count)]
        found[kind] = beside
    return found


def open_inputs(
    spec: PresenterSpec, frames: int, path: Path | None = None, progress: Progress = silent
) -> EvaluationInputs:
    """The inputs of a file, no more of them than asked for, or without a file new ones.

    Raises what `make_inputs` and `read_inputs` raise, and InputError where the file is of another seed.
    """
    if path is None:
        return make_inputs(spec, frames, progress)
    inputs = read_inputs(path)
    if inputs.seed != spec.seed:
        raise InputError(
            f"these inputs were made for seed {inputs.seed}, not {spec.seed}",
            where=path,
            fix=f"give --seed {inputs.seed}",
        )
    return inputs.limited(spec)
