"""The road from files to files: recording and pose become a motion, with the portrait a video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import assets
from ..audio.features import PROSODY, WAVLM_PROSODY, required_encoder, stage1_features
from ..base.device import choose_device
from ..base.progress import Plan, Progress, silent, unplanned
from ..checkpoints.companions import autoencoder_of, portrait_embedding
from ..checkpoints.smga import load_smga
from ..checkpoints.video import load_video_model
from ..media.images import load_image
from ..media.vocals import load_vocals
from ..media.waveform import Waveform, load_waveform
from ..pose.motion import Motion
from ..pose.motion_file import save_motion
from ..work.steps import StepStore
from .encoders import file_encoders
from .inputs import first_pose, pose_of_video, same_length
from .kept_work import kept_motion, video_key, work_of
from .pose_finder import PoseFinder
from .render import Output, Scene, render
from .request import MotionRequest, VideoRequest, VideoResult
from .settings import MotionSettings, Settings
from .skeleton_video import write_skeleton

if TYPE_CHECKING:
    from ..smga.network import SMGA

Stages = Callable[[str], Progress]
"""Begins a named stage of the work and returns the progress callable that belongs to it."""

PROSODY_CHANNELS = 35  # a model that hears as many does without a speech encoder
SHARES = {"speech to motion": 0.07, "conditions": 0.01, "motion to video": 0.84, "writing the video": 0.08}


def no_stages(name: str) -> Progress:
    """The stages that show nothing."""
    return silent


def speech_motion(
    model: SMGA, waveform: Waveform, first: Motion, settings: MotionSettings, stages: Stages = no_stages
) -> Motion:
    """Stage I with its audio features before and the silence gate behind it: (ceil(seconds * 25), 134, 3)."""
    from ..audio.silence_gate import apply_to_motion, silence_gate
    from ..smga.generate import generate_motion

    encoders = file_encoders(wavlm=settings.wavlm, device=choose_device(settings.device), stages=stages)
    features = stage1_features(waveform, _features_of(model), encoders)
    motion = generate_motion(
        model,
        features,
        first,
        seed=settings.seed,
        steps=settings.steps,
        guidance=settings.guidance,
        candidates=settings.candidates,
        progress=stages("speech to motion"),
    )
    return apply_to_motion(motion, silence_gate(waveform), first) if settings.silence_gate else motion


def generate_motion_file(
    request: MotionRequest, settings: MotionSettings, stages: Stages = no_stages
) -> Path:
    """Files to a motion file or a skeleton video; returns its path.

    Raises MMGTError for what cannot be used; nothing half-written is left.
    """
    request.check()
    out = Path(request.out)
    waveform = load_waveform(request.audio, request.start, request.duration)
    voice = _voice(request, waveform)
    first = first_pose(request, PoseFinder(request.detector, request.person, settings.device, stages))
    motion = speech_motion(_smga(settings), voice, first, settings, stages)
    if out.suffix.lower() == ".safetensors":
        save_motion(out, motion)
    else:
        write_skeleton(out, motion, waveform, stages("drawing"))
    return out


def generate_video(
    request: VideoRequest,
    settings: Settings | None = None,
    stages: Stages = no_stages,
    announce: Callable[[Plan], None] = unplanned,
) -> VideoResult:
    """Files to a video.

    With a work folder (`settings.work`) a run that was stopped, however, goes on when it is called again with
    the same inputs and settings, and makes the same file.

    Args:
        stages: begins a named stage and returns its progress callable; what that raises stops the run.
        announce: hears of the stages before the first of them begins.

    Raises MMGTError for what cannot be used, before long work where possible; nothing half-written is left.
    """
    settings = settings or Settings()
    chosen = settings.video
    request.check()
    image = load_image(request.image)
    sound = None if request.audio is None else load_waveform(request.audio, request.start, request.duration)
    voice = None if sound is None else _voice(request, sound)
    pose = pose_of_video(request, image, PoseFinder(request.detector, request.person, chosen.device, stages))
    device = choose_device(chosen.device)
    encoders = file_encoders(wav2vec2=chosen.wav2vec2, device=device, stages=stages)
    model = load_video_model(chosen.model or assets.asset(assets.VIDEO_MODEL), device)
    model.autoencoder = autoencoder_of(model, chosen.vae, device)
    if voice is not None:
        required_encoder(model.config.audio_features, encoders)
    config = chosen.applied_to(model.config)  # complains before long work
    smga = None if request.motion is not None else _smga(settings.motion)
    embedding = portrait_embedding(model.config, chosen.clip_vision, image, device)
    notes: tuple[str, ...] = ()
    if request.motion is not None:
        pose, sound, notes = same_length(pose, sound)
        voice = None if voice is None else same_length(pose, voice)[1]
    frames = pose.frames if sound is None else sound.frames
    announce(Plan(frames, _shares(made_motion=smga is not None)))

    def key() -> str:
        return video_key(settings, model.config, image=image, pose=pose, voice=voice)

    with work_of(settings, key, request, config, frames) as work:
        if smga is None:
            motion = pose
        else:
            assert voice is not None, "a request without a motion has a recording"
            heard = voice
            motion = kept_motion(
                work, lambda: speech_motion(smga, heard, pose.window([0]), settings.motion, stages)
            )
        files = render(
            model,
            Scene(image, motion, sound, voice, embedding, None if smga is None else pose),
            Output(request.out, request.fps, request.contact_sheet),
            chosen,
            encoders=encoders,
            store=None if work is None else StepStore(work),
            stages=stages,
        )
    return VideoResult(files, motion.frames, notes)


def _voice(request: MotionRequest | VideoRequest, sound: Waveform) -> Waveform:
    """What the models hear of a recording."""
    if request.vocals is None:
        return sound
    return load_vocals(request.vocals, sound, request.start, request.duration)


def _smga(settings: MotionSettings) -> SMGA:
    return load_smga(settings.model or assets.asset(assets.MOTION_MODEL), choose_device(settings.device))


def _features_of(model: SMGA) -> str:
    return PROSODY if model.config.audio_channels == PROSODY_CHANNELS else WAVLM_PROSODY


def _shares(made_motion: bool) -> dict[str, float]:
    shares = {name: share for name, share in SHARES.items() if made_motion or name != "speech to motion"}
    return {name: share / sum(shares.values()) for name, share in shares.items()}
