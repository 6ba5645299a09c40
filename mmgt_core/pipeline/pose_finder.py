"""Poses found in files: on the portrait of a run, and in a driving video."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.timebase import FPS
from .stages import Stage, Stages, no_stages

if TYPE_CHECKING:
    from ..pose.detector import Detection, PoseDetector
    from ..pose.openpose import Person

StrPath = str | PathLike[str]
NO_POSE = "there are no keypoints of this portrait"
NO_POSE_FIX = (
    "give its OpenPose JSON with --keypoints pose.json (ComfyUI's and other DWPose tools write it), "
    "or the folder of the pose detector's two files with --detector-dir "
    "(`mmgt download person-detector` and `mmgt download pose-detector` fetch them)"
)
NO_DETECTOR = "the motion is a video, and there is no detector to find the poses in it"
NO_DETECTOR_FIX = "give the folder of the pose detector's two files with --detector-dir"
DRIVING_VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")


@dataclass(frozen=True)
class PoseFinder:
    """The pose detector of a run, loaded when it is needed.

    Attributes:
        folder: of the detector's two files; None: where they lie in the models' folders (see `mmgt models`);
            where they do not, asking for a pose is an InputError.
        person: counts the people on an image, the surest first; None takes the largest.
        device: see `PoseDetector`.
        stages: begins a named stage of the work.
    """

    folder: StrPath | None = None
    person: int | None = None
    device: str = "auto"
    stages: Stages = no_stages

    def on_portrait(self, image: NDArray[np.uint8], where: object) -> Detection:
        """The pose on an image, uint8 RGB; `where` is its file, for messages."""
        detector = self._detector()
        if detector is None:
            raise InputError(NO_POSE, where=where, fix=NO_POSE_FIX)
        progress = self.stages(Stage.DETECTION)
        try:
            with detector:
                found = detector.detect(image, person=self._person())
        except InputError as error:
            raise InputError(error.what, where=where, fix=error.fix) from error
        progress(1, 1)
        return found

    def in_video(self, path: StrPath, start: float = 0.0, duration: float | None = None) -> Detection:
        """The motion of one person in a video file, at 25 frames a second."""
        detector = self._detector()
        if detector is None:
            raise InputError(NO_DETECTOR, where=path, fix=NO_DETECTOR_FIX)
        from ..media.video_reader import iterate_video

        frames = iterate_video(path, fps=FPS, start=start, duration=duration)
        try:
            with detector:
                return detector.track(frames, person=self._person(), progress=self.stages(Stage.DETECTION))
        except InputError as error:
            raise InputError(error.what, where=path, fix=error.fix) from error

    @property
    def available(self) -> bool:
        """Whether there is a detector."""
        return self.folder is not None or None not in self._files()

    def _files(self) -> list[Path | None]:
        """The detector's two files in the models' folders."""
        from ..checkpoints.folders import given_or_found

        return [given_or_found(None, name) for name in ("person-detector", "pose-detector")]

    def _detector(self) -> PoseDetector | None:
        if self.folder is not None:
            from ..pose.detector import PoseDetector

            return PoseDetector.from_folder(self.folder, device=self.device)
        files = self._files()
        if files[0] is None or files[1] is None:
            return None
        from ..pose.detector import PoseDetector

        return PoseDetector(files[0], files[1], device=self.device)

    def _person(self) -> Person:
        return "largest" if self.person is None else self.person
