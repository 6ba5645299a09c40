"""The whole examination, from files to a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from ..checkpoints.companions import autoencoder_of, portrait_embedding
from ..checkpoints.folders import model_folders
from ..checkpoints.smga import load_smga
from ..checkpoints.video import load_video_model
from ..media.framing import fit_image
from ..media.images import load_image
from ..media.sound_file import load_waveform
from ..pipeline.conditions import clip_conditions
from ..pipeline.encoders import file_encoders
from ..pipeline.render import Output, Scene, render
from ..pipeline.stages import Stage, Stages, no_stages
from ..pose.motion import Motion
from ..pose.openpose import read_pose_file
from ..smga.generate import generate_motion
from ..smga.sampling import MotionSampling
from ..video.autoencoder import decode_latents
from ..video.config import PoseStyle
from ..video.denoise import denoise
from ..video.sampling import Sampling
from .environment import environment
from .files import files
from .findings import Finding, Verdict, worst, write_report
from .memory import Meter
from .motion_checks import SECTION as MOTION
from .motion_checks import motion_checks
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
    host: str = ""


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
    found = environment(device, examination.host)
    lines, usable = files(
        model_folders(examination.models_dir), hashes=examination.verify, progress=stages(Stage.CHECKING)
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
    published = all(name in usable for name in ("video", "vae", "clip-vision", "wav2vec2"))
    model = load_video_model(usable["video"] if published else assets.asset(assets.VIDEO_MODEL), device)
    model.autoencoder = autoencoder_of(model, usable.get("vae"), device)
    encoders = file_encoders(wav2vec2=usable.get("wav2vec2"), device=device, stages=stages)
    sampling, image = Sampling(preset=examination.preset), load_image(portrait)
    config, size = sampling.applied_to(model.config), sampling.size(model.config)
    fitted, framing = fit_image(image, size, sampling.fitted)
    embedding = portrait_embedding(config, usable.get("clip-vision"), fitted, device)
    placed = motion.on_portrait((image.shape[1], image.shape[0]))
    target = framing.motion_to_target(placed)

    def in_style(style: PoseStyle, few: Motion) -> Tensor:
        conditions = clip_conditions(
            model, fitted, few, None, replace(config, pose_style=style), image_embeds=embedding
        )
        latents = denoise(model, conditions, replace(sampling, cfg=1.0))
        return decode_latents(model.autoencoder, latents, config.latent_scale)

    far = [round(i * (target.frames - 1) / (STYLE_FRAMES - 1)) for i in range(STYLE_FRAMES)]
    found = [_model(VIDEO, published)]
    stages(Stage.COMPARING)
    found += style_check(in_style, target.window(far), size, config.pose_style)
    scene = Scene(image, placed, (voice,), voice, embedding)
    output = Output(examination.out / "doctor.mp4", None, examination.out / "doctor.jpg")
    with Meter(device) as meter:
        written = render(model, scene, output, sampling, encoders=encoders, stages=stages)
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
