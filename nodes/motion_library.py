"""Nodes: save motions to the library and load them from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from .comfy.audio import Audio, channels_of
from .comfy.library_folder import clip_fault, clip_fingerprint, clips, library_folder
from .comfy.sockets import CATEGORY, MotionSocket
from .generate_motion import preview

if TYPE_CHECKING:
    from ..mmgt_core.pose.motion import Motion


class MMGTSaveToLibrary(io.ComfyNode):
    """MMGT_MOTION, AUDIO -> a clip of the library."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTSaveToLibrary",
            display_name="MMGT Save To Library",
            category=CATEGORY,
            description="Saves a motion with tags, preview and audio to the motion library.",
            is_output_node=True,
            inputs=[
                MotionSocket.Input("motion", tooltip="Motion to save."),
                io.String.Input(
                    "name",
                    default="gesture",
                    tooltip="Name of the clip; talks/hello puts it into a folder.",
                ),
                io.String.Input(
                    "tags",
                    default="",
                    tooltip="Tags to find it by, with commas between them, such as greeting, both hands.",
                ),
                io.Boolean.Input(
                    "overwrite",
                    default=False,
                    tooltip="Replaces a clip of that name. Off = adds a number to the new one.",
                ),
                io.String.Input(
                    "license",
                    default="",
                    tooltip="License of the motion, such as CC0-1.0. Empty = not stated.",
                ),
                io.Audio.Input("audio", optional=True, tooltip="Optional audio of the motion."),
            ],
            outputs=[MotionSocket.Output("saved", display_name="motion")],
        )

    @classmethod
    def execute(
        cls, motion: Motion, name: str, tags: str, overwrite: bool, license: str, audio: Audio | None = None
    ) -> io.NodeOutput:
        from ..mmgt_core.library.saving import save_clip
        from ..mmgt_core.media.voice import voice_of

        sound = channels_of(audio)
        save_clip(
            library_folder(),
            name,
            motion,
            tags=tags,
            license=license,
            sound=voice_of(sound, lambda text: None) if sound else None,
            overwrite=overwrite,
        )
        return io.NodeOutput(motion, ui=preview(motion))


class MMGTLoadFromLibrary(io.ComfyNode):
    """A clip of the library -> MMGT_MOTION, AUDIO."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTLoadFromLibrary",
            display_name="MMGT Load From Library",
            category=CATEGORY,
            description=(
                "Loads a motion and its audio from the motion library: own clips and shipped gestures."
            ),
            inputs=[
                io.Combo.Input(
                    "clip",
                    options=[clip.name for clip in clips()],
                    tooltip="Clip of the library. Choose it in the list, or in the browser below.",
                )
            ],
            outputs=[
                MotionSocket.Output("motion", display_name="motion"),
                io.Audio.Output("audio", display_name="audio"),
            ],
        )

    @classmethod
    def validate_inputs(cls, clip: str | None) -> bool | str:
        return clip_fault(clip)

    @classmethod
    def fingerprint_inputs(cls, clip: str | None) -> str:
        return clip_fingerprint(clip)

    @classmethod
    def execute(cls, clip: str) -> io.NodeOutput:
        import torch

        from ..mmgt_core.library.clips import found_clip
        from ..mmgt_core.media.sound_file import load_waveform
        from ..mmgt_core.pose.motion_file import load_motion
        from .comfy.audio import SILENT_RATE

        found = found_clip(clips(), clip)
        motion = load_motion(found.path)
        if found.sound is None:
            samples, rate = torch.zeros(round(motion.frames / 25 * SILENT_RATE)), SILENT_RATE
        else:
            wave = load_waveform(found.sound)
            samples, rate = torch.from_numpy(wave.samples), wave.rate
        audio = {"waveform": samples[None, None], "sample_rate": rate}
        return io.NodeOutput(motion, audio, ui=preview(motion))
