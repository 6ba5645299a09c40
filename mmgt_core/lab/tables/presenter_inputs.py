"""The evaluation's inputs: unseen speech with its true motion, as tensors that travel without espeak-ng."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...audio.windows import frame_windows
from ...base.atomic_files import atomic_write
from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...base.timebase import FPS, WINDOW_FRAMES
from ...media.waveform import Waveform
from ..presenter.held_out import held_out_seed
from .specs import PresenterSpec

if TYPE_CHECKING:
    from ..presenter.speech import Utterance

SPEAKS = 0.5  # share of a window's frames with speech from which on it counts as one that speaks
FIRST_VIDEO_CLIP = 500_000  # indices of held-out seeds of presenters; those of Stage I's clips are below
FORMAT = "mmgt_evaluation_inputs"


@dataclass(frozen=True)
class EvaluationInputs:
    """Everything that the measurements need besides the models; W windows, S silent ones, N presenters.

    Attributes:
        seed: the run's seed.
        speech_features: (W, 80, 35) prosody of windows of speech.
        speech_keypoints: (W, 80, 134, 3) their true motion.
        speech_clip: (W,) int64, which utterance a window was cut from.
        speaks: (W,) bool, whether at least half of the window is speech.
        silent_features: (S, 80, 35) prosody of silence.
        silent_pose: (S, 134, 3) rest poses to start from.
        identity: (N,) int64, seeds of the presenters.
        rest: (N, 134, 3) their rest poses; the portrait is the image of this pose.
        begin: (N,) int64, where the liveliest frames of each presenter's clip begin: these become images.
        keypoints: (N, 80, 134, 3) true motion of each presenter's clip; it starts from the rest pose.
        prosody: (N, 80, 35) of the clip, for Stage I.
        spectrum: (N, 80, 5, 1, 40) log-mel windows of it, for Stage II.
        silent_spectrum: (80, 5, 1, 40) of silence.
    """

    seed: int
    speech_features: Tensor
    speech_keypoints: Tensor
    speech_clip: Tensor
    speaks: Tensor
    silent_features: Tensor
    silent_pose: Tensor
    identity: Tensor
    rest: Tensor
    begin: Tensor
    keypoints: Tensor
    prosody: Tensor
    spectrum: Tensor
    silent_spectrum: Tensor

    def limited(self, plan: PresenterSpec) -> EvaluationInputs:
        """No more windows and presenters than the plan asks for, the first of each."""
        windows = plan.speech_clips * plan.windows_per_clip
        counts = {"speech": windows, "speaks": windows, "silent": plan.silent_windows}
        parts = {name: counts.get(name.split("_")[0], plan.identities) for name in _tensor_names()}
        parts["silent_spectrum"] = len(self.silent_spectrum)
        return replace(self, **{name: getattr(self, name)[:stop] for name, stop in parts.items()})


def input_steps(plan: PresenterSpec) -> int:
    """How many pieces of work `make_inputs` reports."""
    return plan.speech_clips + plan.silent_windows + plan.identities


def make_inputs(plan: PresenterSpec, frames: int, progress: Progress = silent) -> EvaluationInputs:
    """All inputs of the evaluation run `plan.seed`; needs espeak-ng.

    Args:
        frames: that become images, where each presenter speaks most.

    Raises:
        DependencyError: espeak-ng is not installed.
        InputError: the seed is negative.
    """
    seed = plan.seed
    if seed < 0:
        raise InputError(f"the evaluation's seed is {seed}", fix="give a seed of 0 or more")
    total = input_steps(plan)
    return EvaluationInputs(
        seed=seed,
        **_speech(seed, plan, progress, total),
        **_silence(seed, plan, progress, total),
        **_presenters(seed, plan, frames, progress, total),
    )


def write_inputs(inputs: EvaluationInputs, path: str | os.PathLike[str]) -> None:
    """Write the inputs as one safetensors file; it appears under its name only when it is complete."""
    from safetensors.torch import save_file

    tensors = {name: getattr(inputs, name).contiguous() for name in _tensor_names()}
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, {FORMAT: "1", "seed": str(inputs.seed)})


def read_inputs(path: str | os.PathLike[str]) -> EvaluationInputs:
    """Read what `write_inputs` wrote; raises InputError when the file is something else."""
    from safetensors import SafetensorError, safe_open

    mend = "write one with `mmgt eval-demo --save-inputs`"
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (FileNotFoundError, SafetensorError, OSError) as error:
        raise InputError("this is not a file of evaluation inputs", where=path, fix=mend) from error
    if FORMAT not in metadata or set(tensors) != set(_tensor_names()):
        raise InputError("this is not a file of evaluation inputs", where=path, fix=mend)
    return EvaluationInputs(seed=int(metadata["seed"]), **tensors)


def _tensor_names() -> list[str]:
    return [field.name for field in fields(EvaluationInputs) if field.name != "seed"]


def _speech(seed: int, plan: PresenterSpec, progress: Progress, total: int) -> dict[str, Tensor]:
    from ..presenter.clip import make_clip

    frames = plan.windows_per_clip * WINDOW_FRAMES
    features, keypoints, activity = [], [], []
    for index in range(plan.speech_clips):
        clip = make_clip(held_out_seed(seed, index), sentences=4, seconds=frames / FPS, held_out=True)
        features.append(_prosody(clip.utterance)[:frames])
        keypoints.append(clip.performance.motion.keypoints[:frames])
        activity.append(torch.as_tensor(clip.performance.activity)[:frames])
        progress(index + 1, total)
    count = plan.speech_clips * plan.windows_per_clip

    def windows(parts: list[Tensor]) -> Tensor:
        return torch.stack(parts).unflatten(1, (plan.windows_per_clip, WINDOW_FRAMES)).flatten(0, 1).float()

    return {
        "speech_features": windows(features),
        "speech_keypoints": windows(keypoints),
        "speech_clip": torch.arange(count) // plan.windows_per_clip,
        "speaks": windows(activity).gt(0.5).float().mean(1) >= SPEAKS,
    }


def _silence(seed: int, plan: PresenterSpec, progress: Progress, total: int) -> dict[str, Tensor]:
    from ..presenter.figure import rest_pose
    from ..presenter.identity import sample_identity
    from ..presenter.speech import silence

    features = _prosody(silence(WINDOW_FRAMES / FPS))
    poses = []
    for index in range(plan.silent_windows):
        poses.append(torch.as_tensor(rest_pose(sample_identity(held_out_seed(seed, index)))).float())
        progress(plan.speech_clips + index + 1, total)
    return {
        "silent_features": features.expand(plan.silent_windows, -1, -1).clone(),
        "silent_pose": torch.stack(poses),
    }


def _presenters(
    seed: int, plan: PresenterSpec, frames: int, progress: Progress, total: int
) -> dict[str, Tensor]:
    from ..presenter.clip import make_clip
    from ..presenter.figure import rest_pose
    from ..presenter.speech import silence

    parts: dict[str, list[Tensor]] = {"rest": [], "keypoints": [], "prosody": [], "spectrum": []}
    identities, begins = [], []
    for index in range(plan.identities):
        clip_seed = held_out_seed(seed, FIRST_VIDEO_CLIP + index)
        clip = make_clip(clip_seed, sentences=2, seconds=WINDOW_FRAMES / FPS, held_out=True)
        identities.append(clip.identity.seed)
        begins.append(_liveliest(torch.as_tensor(clip.performance.activity), frames))
        parts["rest"].append(torch.as_tensor(rest_pose(clip.identity)).float())
        parts["keypoints"].append(clip.performance.motion.keypoints[:WINDOW_FRAMES])
        parts["prosody"].append(_prosody(clip.utterance)[:WINDOW_FRAMES])
        parts["spectrum"].append(_spectrum(clip.utterance)[:WINDOW_FRAMES])
        progress(plan.speech_clips + plan.silent_windows + index + 1, total)
    return {
        "identity": torch.tensor(identities, dtype=torch.int64),
        "begin": torch.tensor(begins, dtype=torch.int64),
        **{name: torch.stack(values).float() for name, values in parts.items()},
        "silent_spectrum": _spectrum(silence(WINDOW_FRAMES / FPS)),
    }


def _liveliest(activity: Tensor, frames: int) -> int:
    """Where the `frames` frames begin that speak most; the first such place."""
    return int(activity.float().unfold(0, frames, 1).mean(1).argmax())


def _prosody(utterance: Utterance) -> Tensor:
    from ...audio.prosody import prosody

    return torch.as_tensor(prosody(Waveform(utterance.samples, utterance.rate))).float()


def _spectrum(utterance: Utterance) -> Tensor:
    from ...audio.log_mel import log_mel

    bands = torch.as_tensor(log_mel(Waveform(utterance.samples, utterance.rate))).float()
    return torch.as_tensor(frame_windows(bands[:, None, :])).float()
