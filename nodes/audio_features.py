"""Node: audio features of a recording for both models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from ..mmgt_core.audio.features import WAV2VEC2, WAVLM
from .comfy.audio import Audio, cut_audio, to_waveform
from .comfy.node_text import sentence, with_text
from .comfy.services import FRAME_RATE, choices_fault, host_progress
from .comfy.sockets import CATEGORY, AudioFeaturesSocket, Speech
from .comfy.speech_encoders import NO_ENCODER, encoder_files, encoder_path, host_encoders

if TYPE_CHECKING:
    from comfy.audio_encoders.audio_encoders import AudioEncoderModel


class LoadAudioFeatures(io.ComfyNode):
    """AUDIO -> MMGT_AUDIO_FEATURES."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadAudioFeatures",
            display_name="MMGT Audio Features",
            category=CATEGORY,
            description=(
                "Extracts the audio features that the motion model and the video model read, 25 per second."
            ),
            inputs=[
                io.Audio.Input(
                    "audio", tooltip="Speech recording of any length, sample rate and number of channels."
                ),
                io.Float.Input(
                    "start",
                    default=0.0,
                    min=0.0,
                    max=1e5,
                    step=0.04,
                    tooltip="Start time in seconds; audio before it is skipped. 0 = from the beginning.",
                ),
                io.Float.Input(
                    "duration",
                    default=0.0,
                    min=0.0,
                    max=1e5,
                    step=0.04,
                    tooltip="Duration in seconds. 0 = until the end. Set a few seconds for a quick test.",
                ),
                io.Boolean.Input(
                    "silence_gate",
                    default=True,
                    tooltip=(
                        "Keeps the mouth still during pauses. Turn it off if quiet speech is treated "
                        "as silence."
                    ),
                ),
                io.Custom("AUDIO_ENCODER").Input(
                    "audio_encoder",
                    optional=True,
                    tooltip=(
                        "Optional wav2vec2-base-960h from AudioEncoderLoader, for the published video "
                        "model. Overrides video_encoder. Not needed for the demo model."
                    ),
                ),
                io.Combo.Input(
                    "motion_encoder",
                    options=encoder_files(),
                    default=NO_ENCODER,
                    optional=True,
                    tooltip=(
                        "WavLM-Large in models/audio_encoders, required by the published motion "
                        "model. Not needed for the demo model."
                    ),
                ),
                io.Combo.Input(
                    "video_encoder",
                    options=encoder_files(),
                    default=NO_ENCODER,
                    optional=True,
                    tooltip=(
                        "wav2vec2-base-960h in models/audio_encoders, required by the published video "
                        "model unless audio_encoder is connected. Not needed for the demo model."
                    ),
                ),
                io.Audio.Input(
                    "vocals",
                    optional=True,
                    tooltip=(
                        "Optional isolated vocals if the recording contains music. The models use the "
                        "vocals; the video keeps the full mix."
                    ),
                ),
                io.Float.Input(
                    "lead_in",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.04,
                    optional=True,
                    tooltip=(
                        "Seconds of silence before the recording, so that audio and motion start later. "
                        "0.3 helps if speech starts at once."
                    ),
                ),
                io.Float.Input(
                    "lead_out",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.04,
                    optional=True,
                    tooltip="Seconds of silence after the recording, so that the motion can come to rest.",
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
    def validate_inputs(
        cls, motion_encoder: str | None = NO_ENCODER, video_encoder: str | None = NO_ENCODER
    ) -> bool | str:
        chosen = (motion_encoder, WAVLM), (video_encoder, WAV2VEC2)
        return choices_fault(encoder_path, NO_ENCODER, *chosen)

    @classmethod
    def execute(
        cls,
        audio: Audio,
        start: float,
        duration: float,
        silence_gate: bool,
        audio_encoder: AudioEncoderModel | None = None,
        motion_encoder: str = NO_ENCODER,
        video_encoder: str = NO_ENCODER,
        vocals: Audio | None = None,
        lead_in: float = 0.0,
        lead_out: float = 0.0,
    ) -> io.NodeOutput:
        from ..mmgt_core.audio.features import LOG_MEL, PROSODY, WAVLM_PROSODY, extract_features
        from ..mmgt_core.audio.silence_gate import note_early_start
        from ..mmgt_core.audio.silence_gate import silence_gate as gate_of
        from ..mmgt_core.audio.speech_level import leveled
        from ..mmgt_core.media.lead import lead_frames, with_leads
        from ..mmgt_core.media.vocals import fitted_vocals

        notes: list[str] = []
        before, after = lead_frames(lead_in, "lead_in"), lead_frames(lead_out, "lead_out")
        part = {"start": start, "duration": duration or None}
        voice = to_waveform(audio, notes.append, **part)
        if vocals is not None:
            sung = to_waveform(vocals, notes.append, "vocals", **part)
            voice = fitted_vocals(sung, voice, "vocals")
        (voice,) = with_leads([leveled(voice, notes.append)], before, after)
        note_early_start(voice, notes.append)
        encoders = host_encoders(motion_encoder, video_encoder, audio_encoder, host_progress())
        features = extract_features(
            voice,
            stage1=WAVLM_PROSODY if WAVLM in encoders else PROSODY,
            stage2=WAV2VEC2 if WAV2VEC2 in encoders else LOG_MEL,
            encoders=encoders,
        )
        speech = Speech(features, gate_of(voice) if silence_gate else None)
        return io.NodeOutput(
            speech,
            speech.frames,
            FRAME_RATE,
            cut_audio(audio, start, speech.frames, before),
            ui=with_text(None, [sentence(note) for note in notes]),
        )
