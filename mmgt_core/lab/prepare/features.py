"""The audio rows of a clip: prosody always, WavLM and wav2vec2 where their files are given, else log-mel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...audio.prosody import prosody
from ...base.feature_kinds import LOG_MEL
from ...base.timebase import SAMPLE_RATE
from ...media.samples import as_float
from ...media.waveform import Waveform
from ..dataset.layout import PROSODY, SPEECH, WAVLM
from .settings import ClipSettings


class FeatureExtractor:
    """The features of clips; encoders are loaded when the first clip comes, and kept with this object.

    Rows are those that the same sound alone would give: a clip does not know what comes before and after it.
    """

    def __init__(self, settings: ClipSettings):
        self._settings = settings
        self._models: dict[str, Any] = {}

    def rows(self, samples: NDArray[np.int16]) -> dict[str, NDArray[np.float32]]:
        """Entry -> float32 (n, ...) of n * 640 samples at 16 kHz."""
        voice = Waveform(as_float(samples), SAMPLE_RATE)
        rows: dict[str, Any] = {PROSODY: prosody(voice)}
        if self._settings.wavlm is not None:
            from ...audio.wavlm import wavlm_features

            rows[WAVLM] = wavlm_features(self._model("wavlm"), voice).numpy()
        if self._settings.speech == LOG_MEL:
            from ...audio.log_mel import log_mel

            rows[SPEECH] = log_mel(voice)[:, None]
        else:
            from ...audio.wav2vec2 import wav2vec2_features

            rows[SPEECH] = wav2vec2_features(self._model("wav2vec2"), voice).numpy()
        return rows

    def _model(self, name: str) -> Any:
        if name not in self._models:
            from ...base.device import choose_device
            from ...checkpoints import speech_encoders

            load = {"wavlm": speech_encoders.load_wavlm, "wav2vec2": speech_encoders.load_wav2vec2}[name]
            device = choose_device(self._settings.device)
            self._models[name] = load(getattr(self._settings, name), device)
        return self._models[name]
