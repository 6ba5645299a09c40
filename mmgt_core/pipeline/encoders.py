"""The speech encoders as files: loaded when they are needed, and released afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from ..audio.features import WAV2VEC2, WAVLM, Encoder
from ..base.errors import InputError
from ..media.waveform import Waveform
from .stages import Stage, Stages, no_stages

StrPath = str | PathLike[str]


def file_encoders(
    *,
    wavlm: StrPath | None = None,
    wav2vec2: StrPath | None = None,
    device: torch.device | str = "cpu",
    stages: Stages = no_stages,
) -> dict[str, Encoder]:
    """The `encoders` of `extract_features` for the files that were given, in fp32.

    Nothing is loaded before a recording comes, and nothing is kept after it: a model takes 0.2 to 1.3 GB.

    Args:
        wavlm: WavLM-Large, file or folder; wav2vec2: wav2vec2-base-960h, likewise. None: the published file,
            where it lies in the models' folders (see `mmgt models`).
        device: where they run.
        stages: begins a named stage of the work; see `stages.Stages`.

    Raises:
        InputError: there is no such file or folder.
    """
    from ..checkpoints.folders import given_or_found

    encoders: dict[str, Encoder] = {}
    wavlm, wav2vec2 = given_or_found(wavlm, "wavlm"), given_or_found(wav2vec2, "wav2vec2")
    if wavlm is not None:
        wavlm_path = _there(wavlm, "--wavlm")

        def hear_wavlm(waveform: Waveform) -> Tensor:
            from ..audio.wavlm import wavlm_features
            from ..checkpoints.speech_encoders import load_wavlm

            return wavlm_features(load_wavlm(wavlm_path, device), waveform, progress=stages(Stage.ENCODING))

        encoders[WAVLM] = hear_wavlm
    if wav2vec2 is not None:
        wav2vec2_path = _there(wav2vec2, "--wav2vec2")

        def hear_wav2vec2(waveform: Waveform) -> Tensor:
            from ..audio.wav2vec2 import wav2vec2_features
            from ..checkpoints.speech_encoders import load_wav2vec2

            return wav2vec2_features(
                load_wav2vec2(wav2vec2_path, device), waveform, progress=stages(Stage.ENCODING)
            )

        encoders[WAV2VEC2] = hear_wav2vec2
    return encoders


def _there(path: StrPath, option: str) -> Path:
    if not Path(path).exists():
        raise InputError("there is no such file or folder", where=path, fix=f"check the path of {option}")
    return Path(path)


def remembered(encoders: Mapping[str, Encoder] | None) -> dict[str, Encoder] | None:
    """The same encoders; what one gave for a recording is given again without computing."""
    if encoders is None:
        return None

    def remember(encoder: Encoder) -> Encoder:
        given: list[tuple[Waveform, Tensor]] = []

        def hear(waveform: Waveform) -> Tensor:
            if not given or given[0][0] is not waveform:
                given[:] = [(waveform, encoder(waveform))]
            return given[0][1]

        return hear

    return {name: remember(encoder) for name, encoder in encoders.items()}
