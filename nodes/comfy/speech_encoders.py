"""Speech encoders on the host: WavLM for motion, wav2vec2 for video (docs/method.md 1.2 and 2.5).

The host's own AudioEncoderEncode would do neither: it knows no WavLM, does not normalise the sound for
wav2vec2-base-960h, and gives features at 50 Hz, while the networks want them interpolated between extractor
and transformer. So the weights are taken, from a file or from an AUDIO_ENCODER, and run by `mmgt_core`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

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

FOLDER = "audio_encoders"
NO_ENCODER = "none"
KNOWN = {WAVLM: "wavlm", WAV2VEC2: "wav2vec2"}  # encoder -> its name in the registry


def encoder_files() -> list[str]:
    """What a choice of encoder offers: none, then the files of models/audio_encoders."""
    there = FOLDER in folder_paths.folder_names_and_paths
    return [NO_ENCODER, *(folder_paths.get_filename_list(FOLDER) if there else [])]


def encoder_path(name: str, encoder: str) -> Path:
    """The file behind an entry of `encoder_files`.

    Args:
        encoder: "wavlm" or "wav2vec2-base-960h", what is wanted of it.

    Raises CheckpointError, the sentence that says which file goes where and comes from where.
    """
    path = folder_paths.get_full_path(FOLDER, name)
    if path is None:
        raise missing(wanted_file(KNOWN[encoder]))
    return Path(path)


def host_encoders(
    motion_encoder: str, video_encoder: str, audio_encoder: Any, progress: Progress
) -> dict[str, Encoder]:
    """The `encoders` of `extract_features`; nothing is loaded before a recording comes, nothing kept after.

    Args:
        motion_encoder, video_encoder: entries of `encoder_files`.
        audio_encoder: AUDIO_ENCODER or None; it goes before `video_encoder`.
    """
    encoders: dict[str, Encoder] = {}
    if motion_encoder != NO_ENCODER:
        wavlm = encoder_path(motion_encoder, WAVLM)
        encoders[WAVLM] = lambda sound: wavlm_features(_read(wavlm), sound, progress)
    if audio_encoder is not None:
        encoders[WAV2VEC2] = lambda sound: wav2vec2_features(held_weights(audio_encoder), sound, progress)
    elif video_encoder != NO_ENCODER:
        wav2vec2 = encoder_path(video_encoder, WAV2VEC2)
        encoders[WAV2VEC2] = lambda sound: wav2vec2_features(_read(wav2vec2), sound, progress)
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
    build: Callable[[torch.dtype], Any],
    features: Callable[..., Tensor],
    waveform: Waveform,
    progress: Progress,
) -> Tensor:
    """The features, the network on the host's device for as long as it takes: fp16 on CUDA, else fp32."""
    device = management.get_torch_device()
    network = build(torch.float16 if device.type == "cuda" else torch.float32)
    # The host writes an attribute `device` on what it manages; the network has a property of that name.
    held = torch.nn.ModuleDict({"network": network})
    patcher = comfy.model_patcher.ModelPatcher(held, device, management.unet_offload_device())
    management.load_models_gpu([patcher], force_full_load=True)
    return features(network, waveform, progress=progress)


def _read(path: Path) -> SpeechFile:
    from ...mmgt_core.checkpoints.speech_file import read_speech_file

    return read_speech_file(path)


def held_weights(encoder: Any) -> SpeechFile:
    """The weights of an AUDIO_ENCODER, which the host keeps under the names of transformers."""
    from ...mmgt_core.checkpoints.speech_file import speech_file

    model = getattr(encoder, "model", None)
    if not isinstance(model, torch.nn.Module):
        raise InputError(
            "this is no audio encoder of ComfyUI", where="audio_encoder", fix="link AudioEncoderLoader"
        )
    return speech_file({}, model.state_dict(), "audio_encoder")
