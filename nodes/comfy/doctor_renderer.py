"""Stage II as the nodes run it, for MMGT Doctor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import comfy.clip_vision
import comfy.model_management as management
import comfy.sd
import folder_paths
import torch
from torch import Tensor

from ...mmgt_core import assets
from ...mmgt_core.audio.features import PROSODY, WAV2VEC2, extract_features
from ...mmgt_core.base.timebase import FPS
from ...mmgt_core.checkpoints.io import read_model_file
from ...mmgt_core.checkpoints.registry import REGISTRY
from ...mmgt_core.checkpoints.speech_file import read_speech_file
from ...mmgt_core.doctor.renderer import Host, VideoRenderer, published_video
from ...mmgt_core.media.contact_sheet import SheetCollector
from ...mmgt_core.media.frame_rate import output_rate, write_at_rate
from ...mmgt_core.media.images import load_image, save_image
from ...mmgt_core.media.video_writer import VideoWriter
from ...mmgt_core.media.waveform import Waveform
from ...mmgt_core.pipeline.render import Output
from ...mmgt_core.pipeline.stages import Stage, Stages
from ...mmgt_core.pose.motion import Motion
from ...mmgt_core.video.sampling import Sampling
from . import speech_encoders
from .clip import make_clip
from .decoding import decoded_frames, framing_of
from .load_video_model import load_host_video_model, read_config
from .sampling import OFFICIAL, prepare, sample
from .sockets import Speech


class HostRenderer:
    """See `mmgt_core.doctor.renderer.VideoRenderer`."""

    def __init__(self, usable: Mapping[str, Path], portrait: Path, stages: Stages):
        published = published_video(usable)
        self._video = load_host_video_model(
            usable["video"] if published else assets.asset(assets.VIDEO_MODEL)
        )
        self._vae = self._video.vae or comfy.sd.VAE(sd=_tensors(usable["vae"]))
        self._clip_vision = _clip_vision(usable["clip-vision"]) if published else None
        self._wav2vec2 = usable.get("wav2vec2") if published else None
        self.config, self._stages = self._video.config, stages
        self._portrait = torch.from_numpy(load_image(portrait)).float()[None] / 255

    def few(self, motion: Motion, sampling: Sampling) -> Tensor:
        """Frames of a few poses."""
        latent = self._sampled(motion, None, sampling)
        frames = torch.cat([torch.from_numpy(part) for part in decoded_frames(latent, self._vae, None)])
        return frames.float() / 255

    def video(self, motion: Motion, voice: Waveform, sampling: Sampling, output: Output) -> tuple[Path, ...]:
        """Sample and write the video with its sound."""
        latent = self._sampled(motion, self._speech(voice), sampling)
        chunks, rate = decoded_frames(latent, self._vae, framing_of(latent)), output_rate(FPS)
        first, sheet = next(chunks), SheetCollector(motion.frames)
        size = (first.shape[2], first.shape[1])
        with VideoWriter(output.path, *size, rate, audio=[voice], record=output.record) as video:
            frames = sheet.passing(part for some in ([first], chunks) for part in some)
            write_at_rate(video, frames, motion.frames, rate, self._stages(Stage.WRITING))
        assert output.contact_sheet is not None
        save_image(output.contact_sheet, sheet.picture(), output.record)
        return Path(output.path), Path(output.contact_sheet)

    def _speech(self, voice: Waveform) -> Speech:
        encoders = {}
        if self._wav2vec2 is not None:
            file, progress = read_speech_file(self._wav2vec2), self._stages(Stage.ENCODING)
            encoders[WAV2VEC2] = lambda wave: speech_encoders.wav2vec2_features(file, wave, progress)
        features = extract_features(
            voice, stage1=PROSODY, stage2=self.config.audio_features, encoders=encoders
        )
        return Speech(features)

    def _sampled(self, motion: Motion, speech: Speech | None, sampling: Sampling) -> dict:
        assert self._video.model is not None
        self._stages(Stage.SAMPLING)
        clip, framing = make_clip(
            self._video, self._vae, self._portrait, motion, None, speech, self._clip_vision, sampling
        )
        prepared = prepare(self._video.model, self._video, clip, framing, sampling)
        return sample(prepared, OFFICIAL, sampling.seed)


def _tensors(path: Path) -> dict[str, Tensor]:
    return dict(read_model_file(path).tensors)


def _clip_vision(path: Path) -> comfy.clip_vision.ClipVisionModel:
    """The encoder of the published file, which has transformers' names."""
    return comfy.clip_vision.load_clipvision_from_sd(_tensors(path))


def comfyui() -> Host:
    """This ComfyUI as the doctor's host."""

    def open_video(
        usable: Mapping[str, Path], portrait: Path, device: torch.device, stages: Stages
    ) -> VideoRenderer:
        return HostRenderer(usable, portrait, stages)

    try:
        from comfyui_version import __version__ as version
    except ImportError:
        version = "of unknown version"
    return Host(f"ComfyUI {version}", open_video, read_config)


def host_model_folders() -> tuple[Path, ...]:
    """Folders laid out like ComfyUI's models: its own, and those of extra_model_paths.yaml."""
    found = [Path(folder_paths.models_dir)]
    for kind in dict.fromkeys(file.folder for file in REGISTRY):
        if kind in folder_paths.folder_names_and_paths:
            found += [Path(p).parent for p in folder_paths.get_folder_paths(kind) if Path(p).name == kind]
    return tuple(dict.fromkeys(found))


def free_memory() -> None:
    """Unload all models, so that the doctor measures its own memory."""
    management.unload_all_models()
    management.soft_empty_cache()
