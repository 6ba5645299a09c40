"""Figures of the whole way: portrait + sound -> motion -> video file -> mouth opening in the pixels."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...pose.motion import Motion
from ..metrics.bootstrap import bootstrap, mean
from ..metrics.journal import Journal, Record
from ..sources.video_source import VideoSource
from .figures import Beside, Bound, Figure
from .inputs import EvaluationInputs
from .plan import Plan
from .rows import END_TO_END
from .stage1 import MotionSource
from .stage2 import Presenter, as_bytes, mouth_correlation
from .steps import Steps

STAGE = "end-to-end"


def end_to_end_steps(identities: int, plan: Plan) -> int:
    """How many pieces of work `measure_end_to_end` reports for so many presenters."""
    return identities + min(identities, plan.control_clips)


def measure_end_to_end(
    motion_source: MotionSource,
    video_source: VideoSource,
    inputs: EvaluationInputs,
    plan: Plan,
    journal: Journal,
    steps: Steps,
) -> list[Figure]:
    """The end-to-end row: each presenter's portrait and rest pose with its own sound, some also another's."""
    count, preview = len(inputs.identity), None
    values: dict[str, list[float]] = {row.name: [] for row in END_TO_END}

    def measure(index: int, heard: int) -> Record:
        nonlocal preview
        me = Presenter.of(inputs, index, plan.mouth_frames, video_source.size)
        # The motion of the whole clip, from the rest pose on; images of its liveliest frames only.
        keypoints = motion_source(inputs.prosody[heard : heard + 1], me.rest[None], seed=inputs.seed + index)[
            0
        ]
        shown = slice(int(inputs.begin[index]), int(inputs.begin[index]) + plan.mouth_frames)
        motion, audio = Motion(keypoints[shown].cpu()), inputs.spectrum[heard, shown]
        frames = through_mp4(video_source.render(me.portrait, motion, audio, seed=inputs.seed + index))
        preview = as_bytes(frames[-1])
        return {"mouth": mouth_correlation(frames, motion, me.motion)}

    for index in range(count):
        for row in END_TO_END if index < plan.control_clips else END_TO_END[:1]:
            heard = index if row.row.sound == "own" else (index + max(count // 2, 1)) % count
            once: Callable[[], Record] = lambda i=index, h=heard: measure(i, h)  # noqa: E731
            values[row.name].append(journal.once(f"{row.name}/{index}", once)["mouth"])
            steps.step(preview)
    shuffled = Beside("shuffled audio", bootstrap(mean, np.array(values["shuffled"])))
    value = bootstrap(mean, np.array(values["own"]))
    name = "portrait + sound to mp4: mouth opening in the pixels, correlation"
    return [Figure(STAGE, name, value, Bound(0.35), Bound(0.65), "", (shuffled,), count)]


def through_mp4(frames: Tensor) -> Tensor:
    """The frames (F, H, W, 3) in [0, 1], written to an mp4 file and read again; on the CPU."""
    from ...media.video_reader import read_video
    from ...media.video_writer import write_video

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_video(path, frames.detach().cpu())
        return torch.from_numpy(read_video(path).frames).float() / 255
