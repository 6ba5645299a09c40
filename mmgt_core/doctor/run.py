"""The whole examination, from files to a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .. import assets
from ..audio.features import stage1_features
from ..base.device import choose_device
from ..base.errors import MMGTError
from ..base.presets import Preset
from ..base.timebase import FPS
from ..checkpoints.folders import model_folders
from ..checkpoints.smga import load_smga
from ..media.sound_file import load_waveform
from ..pipeline.encoders import file_encoders
from ..pipeline.render import Output
from ..pipeline.stages import Stage, Stages, no_stages
from ..pose.motion import Motion
from ..pose.openpose import read_pose_file
from ..smga.generate import generate_motion
from ..smga.sampling import MotionSampling
from ..video.config import PoseStyle
from ..video.sampling import Sampling
from .environment import environment
from .files import files
from .findings import Finding, Verdict, worst, write_report
from .memory import Meter
from .motion_checks import SECTION as MOTION
from .motion_checks import motion_checks
from .renderer import Host, published_video
from .style_check import SECTION as VIDEO
from .style_check import style_check

if TYPE_CHECKING:
    from ..media.waveform import Waveform

STYLE_FRAMES = 6  # poses that the styles are compared on


@dataclass(frozen=True)
class Examination:
    """What to examine; see the options of `mmgt doctor`."""

    out: Path
    seconds: float = 10.0
    preset: Preset = "recommended"
    models_dir: tuple[Path, ...] = ()
    verify: bool = False
    device: str = "auto"
    host: Host = field(default_factory=Host)


@dataclass(frozen=True)
class Report:
    """What was found, the files that say so, and the worst verdict."""

    findings: tuple[Finding, ...]
    files: tuple[Path, ...]
    verdict: Verdict


def examine(examination: Examination, stages: Stages = no_stages) -> Report:
    """Examine the installation, then run both stages on the shipped portrait and speech.

    The published models are used where they can be, else the demo models; the report says which. What one
    check raises becomes a finding, so that the others still run.
    """
    device = choose_device(examination.device)
    found = environment(device, examination.host.name)
    lines, usable = files(
        model_folders(examination.models_dir),
        hashes=examination.verify,
        progress=stages(Stage.CHECKING),
        check_video=examination.host.check_video,
    )
    found += lines
    portrait, pose = (assets.asset(name) for name in assets.PORTRAITS[0])
    voice = load_waveform(assets.asset(assets.SPEECH), duration=examination.seconds)
    first = read_pose_file(pose).window([0])
    motion, written = None, ()
    try:
        lines, motion = _stage_1(examination, usable, voice, first, device, stages)
        found += lines
    except MMGTError as error:
        found.append(Finding(MOTION, "run", "failed", "fault", str(error)))
    if motion is not None:
        try:
            lines, written = _stage_2(examination, usable, voice, motion, portrait, device, stages)
            found += lines
        except MMGTError as error:
            found.append(Finding(VIDEO, "run", "failed", "fault", str(error)))
    reports = write_report(found, examination.out)
    return Report(tuple(found), (*reports, *written), worst(found))


def _stage_1(
    examination: Examination,
    usable: Mapping[str, Path],
    voice: Waveform,
    first: Motion,
    device: torch.device,
    stages: Stages,
) -> tuple[list[Finding], Motion]:
    published = "motion" in usable and "wavlm" in usable
    model = load_smga(usable["motion"] if published else assets.asset(assets.MOTION_MODEL), device)
    encoders = file_encoders(wavlm=usable.get("wavlm"), device=device, stages=stages)
    sampling = MotionSampling(preset=examination.preset)
    with Meter(device) as meter:
        features = stage1_features(voice, model.config.audio_features, encoders)
        motion = generate_motion(model, features, first, sampling, stages(Stage.MOTION))
    found = [_model(MOTION, published), *_cost(MOTION, meter, motion.frames)]
    return [*found, *motion_checks(motion, first, voice)], motion


def _stage_2(
    examination: Examination,
    usable: Mapping[str, Path],
    voice: Waveform,
    motion: Motion,
    portrait: Path,
    device: torch.device,
    stages: Stages,
) -> tuple[list[Finding], tuple[Path, ...]]:
    renderer = examination.host.open_video(usable, portrait, device, stages)
    sampling = Sampling(preset=examination.preset)
    config, size = sampling.applied_to(renderer.config), sampling.size(renderer.config)

    def in_style(style: PoseStyle, few: Motion) -> Tensor:
        return renderer.few(few, replace(sampling, cfg=1.0, pose_style=style))

    far = [round(i * (motion.frames - 1) / (STYLE_FRAMES - 1)) for i in range(STYLE_FRAMES)]
    found = [_model(VIDEO, published_video(usable))]
    stages(Stage.COMPARING)
    found += style_check(in_style, motion.window(far), size, config.pose_style)
    output = Output(examination.out / "doctor.mp4", None, examination.out / "doctor.jpg")
    with Meter(device) as meter:
        written = renderer.video(motion, voice, sampling, output)
    return [*found, *_cost(VIDEO, meter, motion.frames)], written


def _model(section: str, published: bool) -> Finding:
    if published:
        return Finding(section, "model", "the published one", "ok")
    remark = "the published model, or a file that it needs, is missing: see above"
    return Finding(section, "model", "the demo model", "", remark)


def _cost(section: str, meter: Meter, frames: int) -> list[Finding]:
    each = meter.seconds / max(frames, 1)
    times = f"{each:.3f} s, {each * FPS:.1f} s for a second of video"
    return [Finding(section, "time a frame", times), Finding(section, "peak memory", meter.peak)]
