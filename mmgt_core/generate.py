"""The road from files to files: recording and pose become a motion, with the portrait a video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import assets
from .audio.encoder_files import file_encoders
from .audio.features import PROSODY, WAVLM_PROSODY, required_encoder, stage1_features
from .audio.waveform import Waveform, load_waveform
from .checkpoints.smga import load_smga
from .checkpoints.video import load_video_model
from .device import choose_device
from .errors import InputError
from .media.images import load_image
from .media.video_writer import CONTAINERS, VideoWriter
from .pose.finder import DRIVING_VIDEOS, PoseFinder
from .pose.motion import Motion
from .pose.motion_file import load_motion, save_motion
from .pose.openpose import read_pose_file
from .progress import Progress, silent
from .render import VideoSettings, render
from .timebase import sample_count

if TYPE_CHECKING:
    from .smga.network import SMGA

Stages = Callable[[str], Progress]
"""Begins a named stage of the work and returns the progress callable that belongs to it."""

StrPath = str | PathLike[str]
PREVIEW_SIZE = 512  # pixels of the shorter side of a skeleton video
DRAWN_AT_ONCE = 32  # skeleton pictures in memory
PROSODY_CHANNELS = 35  # a model that hears as many does without a speech encoder


@dataclass(frozen=True)
class MotionSettings:
    """How Stage I runs; None stands for the model's own value.

    Attributes:
        model: SMGA model file; None: the shipped demo model.
        seed: decides the motion.
        steps, guidance: of its sampler.
        candidates: motions drawn for every window after the first, of which the best continuation is kept.
        silence_gate: hold the mouth still where the recording is silent.
        wavlm: file or folder of WavLM-Large, for a model that hears through it.
        device: see `choose_device`.
    """

    model: StrPath | None = None
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    candidates: int = 1
    silence_gate: bool = True
    wavlm: StrPath | None = None
    device: str = "auto"


@dataclass(frozen=True)
class MotionRequest:
    """What `generate_motion_file` makes: `out` is a motion file (.safetensors) or a video of the skeleton.

    The pose comes from `keypoints`, or is found on `image` by the detector in the folder `detector`.
    """

    audio: StrPath
    out: StrPath
    image: StrPath | None = None
    keypoints: StrPath | None = None
    demo_portrait: bool = False
    detector: StrPath | None = None
    person: int | None = None
    start: float = 0.0
    duration: float | None = None


@dataclass(frozen=True)
class VideoRequest:
    """What `generate_video` makes: of `keypoints` and `audio`, or of a `motion` with or without `audio`.

    With the pose detector's folder `detector`, keypoints need not be given, and `motion` may be a video; for
    `person` see `PoseFinder`.
    """

    image: StrPath
    out: StrPath
    audio: StrPath | None = None
    keypoints: StrPath | None = None
    motion: StrPath | None = None
    detector: StrPath | None = None
    person: int | None = None
    start: float = 0.0
    duration: float | None = None
    contact_sheet: StrPath | None = None


@dataclass(frozen=True)
class VideoResult:
    """The files that were written, their frames, and remarks that a person should read."""

    files: tuple[Path, ...]
    frames: int
    notes: tuple[str, ...] = ()


def no_stages(name: str) -> Progress:
    """The stages that show nothing."""
    return silent


def speech_motion(
    model: SMGA, waveform: Waveform, first_pose: Motion, settings: MotionSettings, stages: Stages = no_stages
) -> Motion:
    """Stage I with its audio features before and the silence gate behind it: (ceil(seconds * 25), 134, 3)."""
    from .audio.silence_gate import apply_to_motion, silence_gate
    from .smga.generate import generate_motion

    encoders = file_encoders(wavlm=settings.wavlm, device=choose_device(settings.device), stages=stages)
    features = stage1_features(waveform, _features_of(model), encoders)
    motion = generate_motion(
        model,
        features,
        first_pose,
        seed=settings.seed,
        steps=settings.steps,
        guidance=settings.guidance,
        candidates=settings.candidates,
        progress=stages("speech to motion"),
    )
    return apply_to_motion(motion, silence_gate(waveform), first_pose) if settings.silence_gate else motion


def generate_motion_file(
    request: MotionRequest, settings: MotionSettings, stages: Stages = no_stages
) -> Path:
    """Files to a motion file or a skeleton video; returns its path.

    Raises MMGTError for what cannot be used; nothing half-written is left.
    """
    out = Path(request.out)
    suffix = out.suffix.lower()
    if suffix != ".safetensors" and suffix not in CONTAINERS:
        raise InputError(
            f"motions cannot be written as '{out.suffix}'",
            where=out,
            fix="end the name in .safetensors or .mp4",
        )
    waveform = load_waveform(request.audio, request.start, request.duration)
    finder = PoseFinder(request.detector, request.person, settings.device, stages)
    first_pose = _first_pose(request, finder)
    model = load_smga(settings.model or assets.asset(assets.MOTION_MODEL), choose_device(settings.device))
    motion = speech_motion(model, waveform, first_pose, settings, stages)
    if suffix == ".safetensors":
        save_motion(out, motion)
    else:
        _write_skeleton(out, motion, waveform, stages("drawing"))
    return out


def generate_video(
    request: VideoRequest,
    motion_settings: MotionSettings | None = None,
    video_settings: VideoSettings | None = None,
    stages: Stages = no_stages,
) -> VideoResult:
    """Files to a video.

    Raises MMGTError for what cannot be used, before long work where possible; nothing half-written is left.
    """
    motion_settings, video_settings = motion_settings or MotionSettings(), video_settings or VideoSettings()
    _check_request(request)
    image = load_image(request.image)
    waveform = (
        None if request.audio is None else load_waveform(request.audio, request.start, request.duration)
    )
    size = image.shape[1::-1]
    finder = PoseFinder(request.detector, request.person, video_settings.device, stages)
    pose = _own_motion(request, size, finder) if request.motion else _pose_of_portrait(request, image, finder)
    encoders = file_encoders(
        wav2vec2=video_settings.wav2vec2, device=choose_device(video_settings.device), stages=stages
    )
    model = load_video_model(
        video_settings.model or assets.asset(assets.VIDEO_MODEL), choose_device(video_settings.device)
    )
    if waveform is not None:
        required_encoder(model.config.audio_features, encoders)
    video_settings.applied_to(model.config)  # complains before long work
    if request.motion:
        motion, waveform, notes = _same_length(pose, waveform)
    else:
        assert waveform is not None, "checked above"
        smga = load_smga(
            motion_settings.model or assets.asset(assets.MOTION_MODEL), choose_device(motion_settings.device)
        )
        motion, notes = speech_motion(smga, waveform, pose.window([0]), motion_settings, stages), ()
    files = render(
        model,
        image,
        motion,
        waveform,
        request.out,
        video_settings,
        contact_sheet=request.contact_sheet,
        encoders=encoders,
        stages=stages,
    )
    return VideoResult(files, motion.frames, notes)


def _check_request(request: VideoRequest) -> None:
    out = Path(request.out)
    if out.suffix.lower() not in CONTAINERS:
        raise InputError(f"videos cannot be written as '{out.suffix}'", where=out, fix="end the name in .mp4")
    if request.motion is not None and request.keypoints is not None:
        raise InputError(
            "an own motion brings its own pose",
            where=request.keypoints,
            fix="leave out --keypoints or --motion",
        )
    if request.motion is None and request.audio is None:
        raise InputError(
            "there is neither a recording nor a motion",
            fix="give --audio speech.wav or --motion motion.safetensors",
        )


def _features_of(model: SMGA) -> str:
    return PROSODY if model.config.audio_channels == PROSODY_CHANNELS else WAVLM_PROSODY


def _first_pose(request: MotionRequest, finder: PoseFinder) -> Motion:
    if request.demo_portrait:
        return read_pose_file(assets.asset(assets.POSE))
    if request.image is None and request.keypoints is None:
        raise InputError(
            "nothing tells the pose to begin with", fix="give --keypoints pose.json or --demo-portrait"
        )
    image = None if request.image is None else load_image(request.image)
    if request.keypoints is not None:
        size = None if image is None else image.shape[1::-1]
        return read_pose_file(request.keypoints, size=size).window([0])
    assert image is not None, "checked above"
    return finder.on_portrait(image, request.image).motion


def _pose_of_portrait(request: VideoRequest, image: NDArray[np.uint8], finder: PoseFinder) -> Motion:
    if request.keypoints is None:
        return finder.on_portrait(image, request.image).motion
    size = image.shape[1::-1]
    return _on_picture(read_pose_file(request.keypoints, size=size), size, request.keypoints)


def _own_motion(request: VideoRequest, size: tuple[int, int], finder: PoseFinder) -> Motion:
    path = Path(str(request.motion))
    if path.suffix.lower() in DRIVING_VIDEOS:
        motion = finder.in_video(path, request.start, request.duration).motion
    elif path.suffix.lower() == ".json":
        motion = read_pose_file(path, size=size)
    else:
        motion = load_motion(path)
    return _on_picture(motion, size, path)


def _on_picture(motion: Motion, size: tuple[int, int], where: StrPath) -> Motion:
    """The motion as one of the picture of `size`; raises InputError where its picture had another shape."""
    width, height = size
    if abs(motion.width * height - motion.height * width) > 0.02 * motion.height * width:
        raise InputError(
            f"the pose belongs to a picture of {motion.width} x {motion.height} pixels, "
            f"the portrait has {width} x {height}",
            where=where,
            fix="use the pose of this portrait, or crop the portrait as it was for the pose",
        )
    return Motion(motion.keypoints, width, height)


def _same_length(
    motion: Motion, waveform: Waveform | None
) -> tuple[Motion, Waveform | None, tuple[str, ...]]:
    """An own motion and its sound, both cut to the shorter of the two."""
    if waveform is None or waveform.frames == motion.frames:
        return motion, waveform, ()
    frames = min(motion.frames, waveform.frames)
    longer = "motion" if motion.frames > frames else "recording"
    lengths = f"the motion has {motion.frames} frames, the recording {waveform.frames}"
    note = f"{lengths}; the end of the {longer} is left out"
    return motion.window(slice(0, frames)), waveform.padded(sample_count(frames, waveform.rate)), (note,)


def _write_skeleton(out: Path, motion: Motion, waveform: Waveform, progress: Progress) -> None:
    from .pose.drawing import draw_pose

    scale = PREVIEW_SIZE / min(motion.width, motion.height)
    width, height = (max(2, round(side * scale)) for side in (motion.width, motion.height))
    with VideoWriter(out, width, height, audio=waveform) as video:
        for start in range(0, motion.frames, DRAWN_AT_ONCE):
            stop = min(start + DRAWN_AT_ONCE, motion.frames)
            video.write(draw_pose(motion.window(slice(start, stop)), (width, height)))
            progress(stop, motion.frames)
