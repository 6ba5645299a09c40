"""Node: what both networks hear of a recording."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .host import FRAME_RATE, cut_audio, to_waveform
from .sockets import CATEGORY, AudioFeaturesSocket, Speech


class LoadAudioFeatures(io.ComfyNode):
    """AUDIO -> MMGT_AUDIO_FEATURES."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadAudioFeatures",
            display_name="Load Audio Features",
            category=CATEGORY,
            description="Listens to a recording: melody and loudness for the motion, sounds for the "
            "picture, 25 times a second.",
            inputs=[
                io.Audio.Input("audio", tooltip="The speech, of any length, rate and number of channels."),
                io.Float.Input(
                    "start",
                    default=0.0,
                    min=0.0,
                    max=1e5,
                    step=0.04,
                    tooltip="Seconds to leave out at the beginning.",
                ),
                io.Float.Input(
                    "duration",
                    default=0.0,
                    min=0.0,
                    max=1e5,
                    step=0.04,
                    tooltip="Seconds to take; 0 takes everything.",
                ),
                io.Boolean.Input(
                    "silence_gate", default=True, tooltip="Keep the mouth still where nobody speaks."
                ),
                io.Custom("AUDIO_ENCODER").Input(
                    "audio_encoder",
                    optional=True,
                    tooltip="wav2vec2-base-960h from AudioEncoderLoader, for the published video model; "
                    "the demo model does not want one.",
                ),
            ],
            outputs=[
                AudioFeaturesSocket.Output("audio_features", display_name="audio_features"),
                io.Int.Output("frames", display_name="frames"),
                io.Float.Output("fps", display_name="fps"),
                io.Audio.Output("trimmed_audio", display_name="audio"),
            ],
        )

    @classmethod
    def execute(
        cls, audio: dict, start: float, duration: float, silence_gate: bool, audio_encoder: Any = None
    ) -> io.NodeOutput:
        from ..mmgt_core.audio.features import LOG_MEL, WAV2VEC2, extract_features
        from ..mmgt_core.audio.silence_gate import silence_gate as gate_of
        from .speech_encoder import wav2vec2_features

        waveform = to_waveform(audio).cut(start, duration or None)
        features = extract_features(
            waveform,
            stage2=LOG_MEL if audio_encoder is None else WAV2VEC2,
            encoders={WAV2VEC2: lambda sound: wav2vec2_features(audio_encoder, sound)},
        )
        speech = Speech(features, gate_of(waveform) if silence_gate else None)
        return io.NodeOutput(speech, speech.frames, FRAME_RATE, cut_audio(audio, start, speech.frames))
