"""The one configuration of an SMGA model; it travels in the header of its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..base.feature_kinds import PROSODY, PROSODY_CHANNELS, WAVLM_PROSODY
from ..base.timebase import WINDOW_FRAMES
from ..pose.gesture_track import CHANNELS
from ..pose.skeleton import FLAT

Chaining = Literal["overlap", "chained", "official"]
"""How windows become one motion: fused at every step (`overlap`), or one after the other (`windows`)."""
OVERLAP = 20  # frames, 0.8 s, that overlapping windows share
Visibility = Literal["portrait", "predicted", "unfiltered"]
"""Which keypoints of a motion are visible; see `visibility.visible_scores`."""


@dataclass(frozen=True)
class SMGAConfig:
    """Sizes of the network and the sampling defaults that suit its weights (defaults: the published release).

    Attributes:
        features: numbers per motion frame, keypoint-major (x, y, score).
        frames: length of the window that the network was trained on.
        width, ffn, layers, heads, encoder_layers, dropout: the transformer.
        audio_channels: 1059 = WavLM 1024 ++ prosody 35, or 35 = prosody alone.
        steps, guidance, eta: DDIM steps, classifier-free guidance weight and stochasticity used
            unless set otherwise.
        visibility: which keypoints are visible unless set otherwise.
        streams: "two" for face and body, as published; "one" for both together (an ablation of the paper).
        control_channels: of a gesture track (`pose.gesture_track`) behind the audio features; 0 in published
            models, which read none.
    """

    features: int = FLAT
    frames: int = WINDOW_FRAMES
    width: int = 512
    ffn: int = 1024
    layers: int = 8
    heads: int = 8
    encoder_layers: int = 2
    dropout: float = 0.1
    audio_channels: int = 1059
    steps: int = 50
    guidance: float = 2.0
    eta: float = 1.0
    visibility: Visibility = "predicted"
    streams: Literal["two", "one"] = "two"
    control_channels: int = 0

    @property
    def condition_channels(self) -> int:
        """Numbers per frame that the audio encoder reads: audio features, then the gesture track."""
        return self.audio_channels + self.control_channels

    @property
    def audio_features(self) -> str:
        """The kind of audio features that the model was trained with."""
        return PROSODY if self.audio_channels == PROSODY_CHANNELS else WAVLM_PROSODY

    @property
    def legs_at_origin(self) -> bool:
        """Whether the model was trained with legs and feet at (0, 0) where they are not visible.

        The presenter's motions, on which prosody models are trained, have them there; detectors give a place.
        """
        return self.audio_features == PROSODY

    def __post_init__(self) -> None:
        sizes = ("features", "frames", "width", "ffn", "layers", "heads", "audio_channels", "steps")
        for name in sizes:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.control_channels not in (0, CHANNELS):
            raise ValueError(f"control_channels must be 0 or {CHANNELS}, not {self.control_channels}")
        if self.width % (2 * self.heads) or self.width < 4:
            raise ValueError(f"width {self.width} must be an even multiple of the {self.heads} heads")
        if self.features != FLAT:
            raise ValueError(f"features must be {FLAT} (134 keypoints x 3), not {self.features}")
