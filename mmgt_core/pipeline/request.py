"""Requests: a motion or a video, from which files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..base.errors import InputError
from ..media.containers import CONTAINERS


@dataclass(frozen=True)
class MotionRequest:
    """Input files and output."""

    audio: Path
    """The recording, any format; it sets the length."""
    out: Path
    """Motion file (.safetensors) or skeleton video (.mp4)."""
    image: Path | None = None
    """The portrait, with keypoints or a detector."""
    keypoints: Path | None = None
    """The portrait's pose as OpenPose JSON."""
    demo_portrait: bool = False
    """Start from the pose of the demo portrait."""
    detector_dir: Path | None = None
    """Folder with yolox_l.onnx and dw-ll_ucoco_384.onnx, which detect the pose if no keypoints are given."""
    person: int | None = None
    """Which of several people the detector takes, 0 = highest confidence. None = the largest."""
    start: float = 0.0
    """Seconds of the recording to skip."""
    duration: float | None = None
    """Seconds of the recording to use. None = up to its end."""
    vocals: Path | None = None
    """The isolated voice, if the recording contains music. The models use it; a video keeps the full mix."""
    lead_in: float = 0.0
    """Seconds of silence before the recording: sound and motion start later, from the portrait's pose."""
    lead_out: float = 0.0
    """Seconds of silence after the recording, in which the motion comes to rest."""

    def check(self) -> None:
        """Raise InputError for a name that says no kind of file, and for two sources of the pose."""
        out = Path(self.out)
        if out.suffix.lower() not in (".safetensors", *CONTAINERS):
            raise InputError(
                f"motions cannot be written as '{out.suffix}'",
                where=out,
                fix="end the name in .safetensors or .mp4",
            )
        if self.demo_portrait and self.keypoints is not None:
            raise InputError(
                "the demo portrait has its own pose",
                where=self.keypoints,
                fix="use either --keypoints or --demo-portrait",
            )
        self.leads()

    def leads(self) -> tuple[int, int]:
        """Frames of lead in and lead out; raises InputError for seconds that are not possible."""
        return leads_of(self.lead_in, self.lead_out)


@dataclass(frozen=True)
class VideoRequest:
    """Input files and output: keypoints and audio, or a motion with or without audio."""

    image: Path
    """The portrait: head, shoulders and hands."""
    out: Path
    """The video file to write (.mp4)."""
    audio: Path | None = None
    """The recording, any format; it sets the video's length."""
    keypoints: Path | None = None
    """The portrait's pose as OpenPose JSON. With a motion: the portrait's pose for the background lock."""
    motion: Path | None = None
    """A motion file (see `mmgt motion`), OpenPose JSON (a file, or a folder with one file a frame), or a
    driving video; with or without audio."""
    detector_dir: Path | None = None
    """Folder with yolox_l.onnx and dw-ll_ucoco_384.onnx, which detect poses that are not given."""
    person: int | None = None
    """Which of several people the detector takes, 0 = highest confidence. None = the largest."""
    start: float = 0.0
    """Seconds of the recording to skip."""
    duration: float | None = None
    """Seconds of the recording to use. None = up to its end."""
    vocals: Path | None = None
    """The isolated voice, if the recording contains music. The models use it; the video keeps the mix."""
    fps: float | None = None
    """Frame rate of the file: frames are repeated or dropped, the duration stays. None = 25."""
    contact_sheet: Path | None = None
    """Also write an overview of the frames as an image."""
    motion_fps: float | None = None
    """Frame rate of a motion in OpenPose JSON; it is resampled to 25. None = 25. Videos have their own."""
    lead_in: float = 0.0
    """Seconds of silence before the recording; a given motion holds its first pose for as long."""
    lead_out: float = 0.0
    """Seconds of silence after the recording, for which a given motion holds its last pose."""
    face_mask: Path | None = None
    """A mask of the face, white inside, in the portrait's framing: an image for all frames, or a video with
    one frame for each. It replaces the computed mask."""
    lips_mask: Path | None = None
    """Likewise of the lips."""
    hands_mask: Path | None = None
    """Likewise of the hands."""

    def check(self) -> None:
        """Raise InputError for what contradicts itself."""
        out = Path(self.out)
        if out.suffix.lower() not in CONTAINERS:
            raise InputError(
                f"videos cannot be written as '{out.suffix}'", where=out, fix="end the name in .mp4"
            )
        if self.motion is None and self.audio is None:
            raise InputError(
                "there is neither a recording nor a motion",
                fix="give --audio speech.wav or --motion motion.safetensors",
            )
        if self.vocals is not None and self.audio is None:
            raise InputError(
                "there are vocals without their recording", where=self.vocals, fix="give --audio too"
            )
        if self.fps is not None:
            from ..media.frame_rate import output_rate

            output_rate(self.fps)
        if self.motion_fps is not None:
            self._check_motion_fps(self.motion_fps)
        self.leads()

    def _check_motion_fps(self, fps: float) -> None:
        from ..media.frame_rate import output_rate

        output_rate(fps, "motion_fps")
        path = self.motion
        if path is None or not (path.suffix.lower() == ".json" or path.is_dir()):
            raise InputError(
                "only a motion in OpenPose JSON has no frame rate of its own",
                where="motion_fps",
                fix="leave it out, or give --motion poses.json",
            )

    def leads(self) -> tuple[int, int]:
        """Frames of lead in and lead out; raises InputError for seconds that are not possible."""
        return leads_of(self.lead_in, self.lead_out)


def leads_of(lead_in: float, lead_out: float) -> tuple[int, int]:
    """Whole frames of two leads in seconds; raises InputError, which names the option."""
    from ..media.lead import lead_frames

    return lead_frames(lead_in, "lead_in"), lead_frames(lead_out, "lead_out")


@dataclass(frozen=True)
class VideoResult:
    """The files that were written, their number of frames, and notes that a person should read."""

    files: tuple[Path, ...]
    frames: int
    notes: tuple[str, ...] = ()
