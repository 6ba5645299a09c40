"""Speech encoders on the host: WavLM for motion, wav2vec2 for video (docs/method.md 1.2 and 2.5).

The host's AudioEncoderEncode cannot be used: it does not support WavLM, does not normalize the audio for
wav2vec2-base-960h, and returns features at 50 Hz, while the networks need them interpolated between extractor
and transformer. So only the weights are read, from a file or an AUDIO_ENCODER, and `mmgt_core` runs them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import comfy.model_management as management
import comfy.model_patcher
import folder_paths
import torch
from torch import Tensor

from ...mmgt_core.audio.features import WAV2VEC2, WAVLM, Encoder
from ...mmgt_core.base.errors import InputError
from ...mmgt_core.base.progress import Progress
from ...mmgt_core.checkpoints.folders import missing, wanted_file
from ...mmgt_core.checkpoints.speech_file import WAV2VEC2_BASE, WAVLM_LARGE, Depth, SpeechFile
from ...mmgt_core.media.waveform import Waveform

if TYPE_CHECKING:
    from comfy.audio_encoders.audio_encoders import AudioEncoderModel

FOLDER = "audio_encoders"
NO_ENCODER = "none"
KNOWN = {WAVLM: "wavlm", WAV2VEC2: "wav2vec2"}  # encoder -> its name in the registry


def encoder_files() -> list[str]:
    """The options of an encoder widget: none, then the files in models/audio_encoders."""
    registered = FOLDER in folder_paths.folder_names_and_paths
    return [NO_ENCODER, *(folder_paths.get_filename_list(FOLDER) if registered else [])]


def encoder_path(name: str, encoder: str) -> Path:
    """The file of an entry of `encoder_files`.

    Args:
        encoder: the encoder in it, "wavlm" or "wav2vec2-base-960h".

    Raises CheckpointError, which names the file, its folder and its download.
    """
    path = folder_paths.get_full_path(FOLDER, name)
    if path is None:
        raise missing(wanted_file(KNOWN[encoder]))
    return Path(path)


def host_encoders(
    motion_encoder: str, video_encoder: str, audio_encoder: AudioEncoderModel | None, progress: Progress
) -> dict[str, Encoder]:
    """The `encoders` of `extract_features`; each is loaded only while it processes a recording.

    Args:
        motion_encoder, video_encoder: entries of `encoder_files`.
        audio_encoder: AUDIO_ENCODER or None; it overrides `video_encoder`.
    """
    encoders: dict[str, Encoder] = {}
    if motion_encoder != NO_ENCODER:
        wavlm = encoder_path(motion_encoder, WAVLM)
        encoders[WAVLM] = lambda wave: wavlm_features(_read(wavlm), wave, progress)
    if audio_encoder is not None:
        encoders[WAV2VEC2] = lambda wave: wav2vec2_features(encoder_weights(audio_encoder), wave, progress)
    elif video_encoder != NO_ENCODER:
        wav2vec2 = encoder_path(video_encoder, WAV2VEC2)
        encoders[WAV2VEC2] = lambda wave: wav2vec2_features(_read(wav2vec2), wave, progress)
    return encoders


def wavlm_features(
    file: SpeechFile, waveform: Waveform, progress: Progress, depth: Depth | None = WAVLM_LARGE
) -> Tensor:
    """float32 (frames, width) of WavLM, on the CPU."""
    from ...mmgt_core.audio.wavlm import wavlm_features as features
    from ...mmgt_core.checkpoints.speech_encoders import wavlm_from

    return _run(lambda dtype: wavlm_from(file, "cpu", dtype, depth=depth), features, waveform, progress)


def wav2vec2_features(
    file: SpeechFile, waveform: Waveform, progress: Progress, depth: Depth | None = WAV2VEC2_BASE
) -> Tensor:
    """float32 (frames, layers, width) of wav2vec2, on the CPU."""
    from ...mmgt_core.audio.wav2vec2 import wav2vec2_features as features
    from ...mmgt_core.checkpoints.speech_encoders import wav2vec2_from

    return _run(lambda dtype: wav2vec2_from(file, "cpu", dtype, depth=depth), features, waveform, progress)


def _run(
    build: Callable[[torch.dtype], torch.nn.Module],
    features: Callable[..., Tensor],
    waveform: Waveform,
    progress: Progress,
) -> Tensor:
    """The features; the network is loaded on the host's device meanwhile, in fp32 as published."""
    device = management.get_torch_device()
    network = build(torch.float32)
    # The host sets an attribute `device` on the module it manages; the network has a property of that name.
    module = torch.nn.ModuleDict({"network": network})
    patcher = comfy.model_patcher.ModelPatcher(module, device, management.unet_offload_device())
    management.load_models_gpu([patcher], force_full_load=True)
    return features(network, waveform, progress=progress)


def _read(path: Path) -> SpeechFile:
    from ...mmgt_core.checkpoints.speech_file import read_speech_file

    return read_speech_file(path)


def encoder_weights(encoder: AudioEncoderModel) -> SpeechFile:
    """The weights of an AUDIO_ENCODER; the host uses the tensor names of transformers."""
    from ...mmgt_core.checkpoints.speech_file import speech_file

    model = getattr(encoder, "model", None)
    if not isinstance(model, torch.nn.Module):
        raise InputError(
            "this is not an audio encoder of ComfyUI", where="audio_encoder", fix="connect AudioEncoderLoader"
        )
    return speech_file({}, model.state_dict(), "audio_encoder")
