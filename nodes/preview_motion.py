"""Node: shows a motion as a video with its sound, and as a plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import folder_paths
import torch
from comfy_api.latest import io, ui

from .comfy.audio import Audio, channels_of
from .comfy.services import fitting_size, host_progress
from .comfy.sockets import CATEGORY, MotionSocket

if TYPE_CHECKING:
    from ..mmgt_core.pose.motion import Motion


class MMGTPreviewMotion(io.ComfyNode):
    """MMGT_MOTION, AUDIO -> a video on the node, and a plot as IMAGE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTPreviewMotion",
            display_name="MMGT Preview Motion",
            category=CATEGORY,
            description="Plays the skeleton with its audio, and plots mouth and wrists below the waveform.",
            is_output_node=True,
            inputs=[
                MotionSocket.Input("motion", tooltip="Motion to show."),
                io.Audio.Input("audio", optional=True, tooltip="Optional audio of the motion."),
                io.Int.Input(
                    "size",
                    default=384,
                    min=64,
                    max=2048,
                    step=2,
                    tooltip="Shorter side of the video in pixels.",
                ),
            ],
            outputs=[
                MotionSocket.Output("shown", display_name="motion"),
                io.Image.Output("plot", display_name="plot"),
            ],
        )

    @classmethod
    def execute(cls, motion: Motion, size: int, audio: Audio | None = None) -> io.NodeOutput:
        from ..mmgt_core.media.motion_plot import motion_plot
        from ..mmgt_core.media.pose_clip import ClipSettings, pose_clip
        from ..mmgt_core.media.video_writer import VideoWriter

        width, height = fitting_size(motion.width, motion.height, size)
        settings = ClipSettings(
            width=width, height=height, multiple_of=2, fps=25, frame_rule="none", fit="stretch"
        )
        clip, sound = pose_clip(motion, settings), channels_of(audio, least=1)
        folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
            "mmgt_preview", folder_paths.get_temp_directory()
        )
        file, progress = f"{name}_{counter:05}_.mp4", host_progress()
        padded = [channel.padded(clip.length.samples(channel.rate)) for channel in sound]
        with VideoWriter(Path(folder) / file, *clip.size, clip.length.fps, audio=padded or None) as video:
            for start, part in clip.images():
                video.write(part)
                progress(start + len(part), clip.frames)
        plot = torch.from_numpy(motion_plot(motion, sound[0] if sound else None)).float()[None] / 255
        saved = ui.SavedResult(file, subfolder, io.FolderType.temp)
        return io.NodeOutput(motion, plot, ui=ui.PreviewVideo([saved]))
