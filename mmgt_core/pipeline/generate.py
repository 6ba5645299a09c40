"""From files to files: a recording and a pose become a motion, and with the portrait a video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import assets
from ..audio.features import required_encoder, stage1_features
from ..audio.silence_gate import note_early_start
from ..audio.speech_level import leveled
from ..base.device import choose_device, choose_dtype, retries
from ..base.errors import InputError
from ..base.notes import Note, unnoted
from ..base.presets import Preset, Quality
from ..base.progress import Plan, unplanned
from ..checkpoints.companions import portrait_embedding
from ..checkpoints.speaker_adapter import Stage as AdaptedStage
from ..checkpoints.speaker_adapter import adapted_stages
from ..marks.record import TRAINED
from ..media.framing import fit_image
from ..media.images import load_image
from ..media.lead import held, with_leads
from ..media.sound_file import load_channels
from ..media.vocals import load_vocals
from ..media.voice import voice_of
from ..media.waveform import Waveform
from ..pose.motion import Motion
from ..pose.motion_file import save_motion
from ..work.steps import StepStore
from .encoders import file_encoders
from .inputs import first_pose, own_pose, pose_of_video, same_length
from .kept_work import kept_motion, video_key, work_of
from .marking import WITHOUT_MARKS, MarkSettings
from .mask_files import given_masks
from .origin import record_of, sign
from .overflow import precise_model
from .parts import LOADED, Parts, load_motion_part
from .pose_finder import PoseFinder
from .render import Output, Scene, render
from .request import MotionRequest, VideoRequest, VideoResult
from .settings import MotionSettings, Settings, SpeakerChoice
from .skeleton_video import write_skeleton
from .stages import Stage, Stages, no_stages, shares

if TYPE_CHECKING:
    from ..smga.network import SMGA


def speech_motion(
    model: SMGA,
    voice: Waveform,
    first: Motion,
    settings: MotionSettings,
    preset: Preset,
    seed: int,
    quality: Quality = "exact",
    stages: Stages = no_stages,
) -> Motion:
    """Stage I with its audio features before and the silence gate after it: (ceil(seconds * 25), 134, 3)."""
    from ..audio.silence_gate import apply_to_motion, silence_gate
    from ..smga.generate import generate_motion

    encoders = file_encoders(wavlm=settings.wavlm, device=model.device, stages=stages)
    features = stage1_features(voice, model.config.audio_features, encoders)
    sampling = settings.sampling(preset, seed, quality).applied_to(model.config)
    motion = generate_motion(model, features, first, sampling, stages(Stage.MOTION))
    return apply_to_motion(motion, silence_gate(voice), first) if sampling.silence_gate else motion


def generate_motion_file(
    request: MotionRequest,
    settings: MotionSettings,
    preset: Preset = "recommended",
    seed: int = 0,
    device: str = "auto",
    stages: Stages = no_stages,
    speaker: SpeakerChoice | None = None,
    quality: Quality = "exact",
    marks: MarkSettings | None = None,
) -> VideoResult:
    """Files to a motion file or a skeleton video.

    Raises MMGTError for what cannot be used; nothing half-written is left.
    """
    request.check()
    out, notes = Path(request.out), list[str]()
    speakers = adapted_stages(speaker.chosen() if speaker else None, ("motion",), notes.append)
    sound = load_channels(request.audio, request.start, request.duration, notes.append)
    voice = _voice(request, sound, notes.append)
    finder = PoseFinder(request.detector_dir, request.person, device, stages)
    first = first_pose(request, finder, notes.append)
    sound, (voice,) = (with_leads(channels, *request.leads()) for channels in (sound, (voice,)))
    note_early_start(voice, notes.append)
    network = load_motion_part(settings, device, speakers.get("motion"))
    motion = speech_motion(network, voice, first, settings, preset, seed, quality, stages)
    if out.suffix.lower() == ".safetensors":
        save_motion(out, motion)
    else:
        record = (marks or MarkSettings()).record(TRAINED)
        if record is None:
            notes.append(WITHOUT_MARKS)
        write_skeleton(out, motion, sound, stages(Stage.DRAWING), record)
    return VideoResult((out,), motion.frames, tuple(notes))


def video_motion(
    request: VideoRequest, settings: Settings, stages: Stages = no_stages, parts: Parts = LOADED
) -> Motion:
    """Stage I of `generate_video` alone, (frames, 134, 3): its `Parts.motion` for a request with a recording.

    Raises MMGTError for what cannot be used, and for a request that brings its motion.
    """
    request.check()
    _, voice = _sound_and_voice(request, unnoted)
    if voice is None or request.motion is not None:
        raise InputError("there is no motion to generate", fix="give a recording and no motion")
    speakers = adapted_stages(settings.speaker.chosen(), ("motion", "video"), unnoted)
    finder = PoseFinder(request.detector_dir, request.person, settings.device, stages)
    first = pose_of_video(request, load_image(request.image, unnoted), finder, unnoted).window([0])
    network = parts.motion_model(settings.motion, settings.device, speakers.get("motion"))
    return _motion(network, voice, first, settings, stages)


def generate_video(
    request: VideoRequest,
    settings: Settings | None = None,
    stages: Stages = no_stages,
    announce: Callable[[Plan], None] = unplanned,
    parts: Parts = LOADED,
) -> VideoResult:
    """Files to a video.

    With a work folder (`settings.work`) a run that was interrupted, for whatever reason, continues when it is
    called again with the same inputs and settings, and makes the same file.

    Args:
        stages: begins a stage and returns its progress callable; what that raises stops the run.
        announce: called with the stages before the first of them begins.
        parts: loads the models, and may hold what stages made before; with `hand_over` no file is made.

    Raises MMGTError for what cannot be used, before long work where possible; nothing half-written is left.
    """
    settings = settings or Settings()
    chosen, sampling = settings.video, settings.sampling
    request.check()
    settings.marks.check(Path(request.out))
    notes = list[str]()
    made = request.motion is None and parts.motion is None  # whether Stage I runs
    loaded: tuple[AdaptedStage, ...] = ("motion", "video") if request.motion is None else ("video",)
    speakers = adapted_stages(settings.speaker.chosen(), loaded, notes.append)
    image = load_image(request.image, notes.append)
    sound, voice = _sound_and_voice(request, notes.append)
    finder = PoseFinder(request.detector_dir, request.person, settings.device, stages)
    pose = pose_of_video(request, image, finder, notes.append)
    device, *more = map(choose_device, chosen.devices or (settings.device,))
    encoders = file_encoders(wav2vec2=chosen.wav2vec2, device=device, stages=stages)
    dtype = choose_dtype(chosen.dtype, device)
    file = chosen.model or assets.asset(assets.VIDEO_MODEL)
    adapted = speakers.get("video")
    model, *others = (parts.video_model(chosen, each, dtype, adapted) for each in (device, *more))
    if voice is not None:
        required_encoder(model.config.audio_features, encoders)
    config, size = sampling.applied_to(model.config), sampling.size(model.config)
    smga = parts.motion_model(settings.motion, settings.device, speakers.get("motion")) if made else None
    # CLIP sees the portrait as the reference UNet does, in its framing.
    fitted, _ = fit_image(image, size, sampling.fitted)
    embedding = None
    if parts.latents is None:
        embedding = portrait_embedding(model.config, chosen.clip_vision, fitted, device)
    locked_pose = pose
    if request.motion is not None:
        pose = held(pose, *request.leads())
        pose, sound, cut = same_length(pose, sound)
        notes += cut
        voice = same_length(pose, (voice,))[1][0] if voice is not None else None
        locked_pose = own_pose(request, image, finder, notes.append) if chosen.lock_background else None
    elif voice is not None:
        note_early_start(voice, notes.append)
    frames = sound[0].frames if sound else pose.frames
    masks = given_masks(request, frames, notes.append)
    record = record_of(request, settings, Path(file), notes.append)
    announce(Plan(frames, shares(with_motion=smga is not None)))

    def key() -> str:
        return video_key(settings, model.config, image=image, pose=pose, voice=voice, masks=masks)

    with work_of(settings, key, request, config, frames, size) as work:
        motion = pose if parts.motion is None else parts.motion
        if smga is not None and voice is not None:  # a request without a motion has a recording
            network, speech = smga, voice
            motion = kept_motion(work, lambda: _motion(network, speech, pose.window([0]), settings, stages))
        files = render(
            model,
            Scene(image, motion, sound, voice, embedding, locked_pose, masks),
            Output(request.out, request.fps, request.contact_sheet, record, settings.marks),
            sampling,
            lock_background=chosen.lock_background,
            encoders=encoders,
            work=None if work is None else StepStore(work),
            stages=stages,
            precise=(lambda half: precise_model(half, file, adapted))
            if retries(chosen.dtype, dtype)
            else None,
            note=notes.append,
            others=others,
            helpers=parts.helpers,
            latents=parts.latents,
            hand_over=parts.hand_over,
        )
        if files:
            sign(request, settings, record, notes.append)
    return VideoResult(files, motion.frames, tuple(notes))


def _motion(network: SMGA, voice: Waveform, first: Motion, settings: Settings, stages: Stages) -> Motion:
    """Stage I of a video."""
    chosen = settings.sampling
    return speech_motion(
        network, voice, first, settings.motion, chosen.preset, chosen.seed, chosen.quality, stages
    )


def _sound_and_voice(request: VideoRequest, note: Note) -> tuple[tuple[Waveform, ...], Waveform | None]:
    """The channels that the video keeps and the sound that the models use, both with their leads."""
    if request.audio is None:
        return (), None
    sound = load_channels(request.audio, request.start, request.duration, note)
    sound, voice = (with_leads(c, *request.leads()) for c in (sound, (_voice(request, sound, note),)))
    return sound, voice[0]


def _voice(request: MotionRequest | VideoRequest, sound: tuple[Waveform, ...], note: Note) -> Waveform:
    """The sound that the models use, without leads."""
    voice = voice_of(sound, note)
    if request.vocals is not None:
        voice = load_vocals(request.vocals, voice, request.start, request.duration, note)
    return leveled(voice, note)
