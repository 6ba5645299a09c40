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
from ..presenter.draw import draw_frames
from ..presenter.identity import sample_identity
from ..presenter.regions import face_boxes, hand_boxes, head_boxes, inside
from ..scores.image_scores import SIZE
from ..scores.regions import Regions
from .baselines.placed import held
from .presenter_inputs import EvaluationInputs, make_inputs, read_inputs, write_inputs
from .specs import CLIPS, PresenterSpec

SPEECH, SILENCE, PRESENTERS = CLIPS


@dataclass(frozen=True)
class PresenterScene:
    """One window of speech or silence, or one presenter with images; see `PreparedScene`.

    Attributes:
        group: the utterance that a window was cut from. counts: False where nobody speaks in it.
        moves: whether the true motion is known; of silence `truth` is the rest pose.
        prosody: (n, 35) of Stage I, without speech `quiet`. bands: (n, 5, 1, 40) of Stage II, `quiet_bands`.
        identity: seed of the person. shift: how far away in `beside`, all scenes of this kind, the other is.
    """

    name: str
    noise: int
    group: int
    counts: bool
    truth: Motion
    first: Motion
    prosody: Tensor
    quiet: Tensor
    shift: int
    beside: list[PresenterScene] = field(repr=False, compare=False)
    moves: bool = True
    begin: int = 0
    identity: int = 0
    bands: Tensor | None = None
    quiet_bands: Tensor | None = None
    size: int = SIZE
    _drawn: dict[tuple[int, int], NDArray[np.uint8]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def frames(self) -> int:
        return self.truth.frames

    @property
    def other(self) -> PresenterScene:
        """See `PreparedScene`; of speech another utterance, and its other window: utterances begin alike."""
        return self.beside[(self.noise + self.shift) % len(self.beside)]

    def stage1(self, sound: str, _kind: str, _channels: int) -> Tensor:
        """See `PreparedScene`; always prosody, "none" is silence."""
        return {"own": self.prosody, "other": self.other.prosody, "none": self.quiet}[sound]

    def stage2(self, sound: str, first: int, frames: int, radius: int) -> Tensor:
        """See `PreparedScene`; raises InputError for windows of other than 5 frames."""
        found = {"own": self.bands, "other": self.other.bands, "none": self.quiet_bands}[sound]
        assert found is not None, "of presenters"
        if radius != found.shape[1] // 2:
            fix = "give one with an audio window of 5 frames, as the demo model has"
            raise InputError("this video model reads other windows of sound", where=self.name, fix=fix)
        return found[first : first + frames]

    def portrait(self, size: int) -> Tensor:
        """See `PreparedScene`: the presenter at rest."""
        return self.images(size, 0)[0]

    def images(self, size: int, frames: int) -> Tensor:
        """See `PreparedScene`: the presenter as it really moves, drawn once; with 0 frames the portrait."""
        if (size, frames) not in self._drawn:
            who, motion = sample_identity(self.identity), self.shown(frames) if frames else self.first
            self._drawn[size, frames] = draw_frames(who, motion, size)
        return torch.from_numpy(self._drawn[size, frames]).float() / 255

    def shown(self, frames: int) -> Motion:
        """The true motion of the frames that have images."""
        return self.truth.window(slice(self.begin, self.begin + frames))

    def regions(self, size: int, frames: int) -> tuple[Regions, Tensor]:
        """Boxes of face and hands in these images, close around the hands; bool (frames, size, size) the head
        without the face.
        """
        shown = self.shown(frames)
        # The pixels whose centers are in the box.
        hands, face = (
            np.ceil(boxes(shown).astype(np.float64) * size - 0.5).astype(np.int32)
            for boxes in (hand_boxes, face_boxes)
        )
        hair = inside(head_boxes(shown), size) & ~inside(face_boxes(shown), size)
        return Regions(face, hands, (0, 0, size, size), size), torch.from_numpy(hair)


def presenter_scenes(inputs: EvaluationInputs) -> dict[str, list[PresenterScene]]:
    """All clips of the inputs, by kind."""
    windows, people = len(inputs.speech_features), len(inputs.identity)
    speech: list[PresenterScene] = []
    for i, (keypoints, group, speaks) in enumerate(
        zip(inputs.speech_keypoints, inputs.speech_clip.tolist(), inputs.speaks.tolist(), strict=True)
    ):
        true, features = Motion(keypoints), (inputs.speech_features[i], inputs.silent_features[0])
        scene = (f"speech {i}", i, group, speaks, true, true.window([0]), *features, -(windows // 2 + 1))
        speech.append(PresenterScene(*scene, speech))
    silence: list[PresenterScene] = []
    for i, (pose, quiet) in enumerate(zip(inputs.silent_pose, inputs.silent_features, strict=True)):
        first = Motion(pose[None])
        scene = (f"silence {i}", i, i, True, held(first, len(quiet)), first, quiet, quiet, 0)
        silence.append(PresenterScene(*scene, silence, moves=False))
    presenters: list[PresenterScene] = []
    for i, (keypoints, rest) in enumerate(zip(inputs.keypoints, inputs.rest, strict=True)):
        features = (inputs.prosody[i], inputs.silent_features[0])
        scene = (f"presenter {i}", i, i, True, Motion(keypoints), Motion(rest[None]), *features)
        presenters.append(
            PresenterScene(
                *scene,
                max(people // 2, 1),
                presenters,
                begin=int(inputs.begin[i]),
                identity=int(inputs.identity[i]),
                bands=inputs.spectrum[i],
                quiet_bands=inputs.silent_spectrum,
            )
        )
    return dict(zip(CLIPS, (speech, silence, presenters), strict=True))


def open_inputs(
    spec: PresenterSpec, frames: int, path: Path | None, save: Path | None, progress: Progress = silent
) -> EvaluationInputs:
    """The inputs of a file, no more of them than asked for, or without a file new ones.

    Args:
        frames: of each presenter that become images. save: keep them in this file.

    Raises what `make_inputs` and `read_inputs` raise, and InputError where the file is of another seed.
    """
    inputs = make_inputs(spec, frames, progress) if path is None else read_inputs(path)
    if inputs.seed != spec.seed:
        why = f"these inputs were made for seed {inputs.seed}, not {spec.seed}"
        raise InputError(why, where=path, fix=f"give --seed {inputs.seed}")
    inputs = inputs.limited(spec)
    if save is not None:
        write_inputs(inputs, save)
    return inputs
