"""Audio features: what the two networks use of one recording, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..base.errors import DependencyError, InputError
from ..base.feature_kinds import LOG_MEL, PROSODY, WAV2VEC2, WAVLM_PROSODY
from ..base.timebase import FPS
from ..media.waveform import Waveform
from .speech_level import frame_levels
from .windows import frame_windows

Encoder = Callable[[Waveform], Tensor]

WAVLM = "wavlm"
ENCODER_OF = {WAVLM_PROSODY: WAVLM, WAV2VEC2: WAV2VEC2}  # kind -> name of the speech encoder behind it


@dataclass(frozen=True)
class AudioFeatures:
    """Features of one recording; row k of each describes frame k.

    Attributes:
        stage1: float32 (frames, channels), input of Stage I.
        stage2: float32 (frames, 5, blocks, channels), each frame's neighborhood for the audio projection.
        loudness: float32 (frames,), RMS in decibels below full scale, at least -120.
        stage1_kind, stage2_kind: which features these are, to be held against what a model was trained on.
        rate: frames a second.
    """

    stage1: Tensor
    stage2: Tensor
    loudness: Tensor
    stage1_kind: str = PROSODY
    stage2_kind: str = LOG_MEL
    rate: float = float(FPS)

    @property
    def frames(self) -> int:
        return self.stage1.shape[0]

    def __len__(self) -> int:
        return self.frames

    def window(self, indices: Tensor | list[int] | slice) -> AudioFeatures:
        """The features of the chosen frames, in their order."""
        return replace(
            self, stage1=self.stage1[indices], stage2=self.stage2[indices], loudness=self.loudness[indices]
        )

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> AudioFeatures:
        """The features on a device and, except the loudness, in a floating type."""
        return replace(
            self,
            stage1=self.stage1.to(device=device, dtype=dtype),
            stage2=self.stage2.to(device=device, dtype=dtype),
            loudness=self.loudness.to(device=device),
        )


def extract_features(
    waveform: Waveform,
    *,
    stage1: str = PROSODY,
    stage2: str = LOG_MEL,
    encoders: Mapping[str, Encoder] | None = None,
) -> AudioFeatures:
    """Features of a whole recording, `waveform.frames` rows of each kind.

    Args:
        waveform: any rate.
        stage1: "prosody" (35 channels) or "wavlm+prosody" (1059).
        stage2: "log-mel" (1 block of 40) or "wav2vec2-base-960h" (12 of 768).
        encoders: by name, "wavlm" -> (frames, 1024), "wav2vec2-base-960h" -> (frames, 12, 768).

    Raises:
        InputError: an unknown kind.
        DependencyError: a kind whose encoder was not given.
    """
    return AudioFeatures(
        stage1=stage1_features(waveform, stage1, encoders),
        stage2=frame_windows(stage2_features(waveform, stage2, encoders)),
        loudness=torch.from_numpy(frame_levels(waveform)),
        stage1_kind=stage1,
        stage2_kind=stage2,
    )


def stage1_features(waveform: Waveform, kind: str, encoders: Mapping[str, Encoder] | None = None) -> Tensor:
    """float32 (frames, channels) of one kind; see `extract_features`."""
    if kind not in (PROSODY, WAVLM_PROSODY):
        raise InputError(f'Stage I features are "{PROSODY}" or "{WAVLM_PROSODY}", not "{kind}"')
    from .prosody import prosody

    channels = torch.from_numpy(prosody(waveform))
    if kind == PROSODY:
        return channels
    return torch.cat([_encoded(waveform, WAVLM_PROSODY, encoders), channels], dim=-1)


def stage2_features(waveform: Waveform, kind: str, encoders: Mapping[str, Encoder] | None = None) -> Tensor:
    """float32 (frames, blocks, channels) of one kind; see `extract_features`."""
    if kind == LOG_MEL:
        from .log_mel import log_mel

        return torch.from_numpy(log_mel(waveform))[:, None]
    if kind == WAV2VEC2:
        return _encoded(waveform, WAV2VEC2, encoders)
    raise InputError(f'Stage II audio features are "{LOG_MEL}" or "{WAV2VEC2}", not "{kind}"')


def required_encoder(kind: str, encoders: Mapping[str, Encoder] | None) -> Encoder | None:
    """The encoder that a kind of features needs, None for a kind that needs none.

    Raises:
        DependencyError: it needs one that was not given.
    """
    name = ENCODER_OF.get(kind)
    if name is None:
        return None
    if encoders is None or name not in encoders:
        raise DependencyError(
            f"this model needs the speech encoder {name}, which is not loaded",
            fix=f"give its file (mmgt: --{name.partition('-')[0]} FILE), or use a model that needs none, "
            "such as the demo model",
        )
    return encoders[name]


def _encoded(waveform: Waveform, kind: str, encoders: Mapping[str, Encoder] | None) -> Tensor:
    encoder, name = required_encoder(kind, encoders), ENCODER_OF[kind]
    assert encoder is not None, "the kind is one of ENCODER_OF"
    features = encoder(waveform).float().cpu()
    if features.shape[0] != waveform.frames:
        raise ValueError(f"{name} gave {features.shape[0]} rows for {waveform.frames} frames")
    return features
