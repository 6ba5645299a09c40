"""Node: the portrait, its pose and the recording included in the pack."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..mmgt_core import assets
from .comfy.sockets import CATEGORY, MotionSocket


class MMGTDemoInputs(io.ComfyNode):
    """IMAGE, MMGT_MOTION and AUDIO of the demo."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTDemoInputs",
            display_name="MMGT Demo Inputs",
            category=CATEGORY,
            description=(
                "Provides a drawn portrait, its pose and a synthetic voice, to try MMGT without downloads."
            ),
            inputs=[],
            outputs=[
                io.Image.Output("portrait", display_name="portrait"),
                MotionSocket.Output("pose", display_name="pose"),
                io.Audio.Output("audio", display_name="audio"),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        from ..mmgt_core.media.images import load_image
        from ..mmgt_core.media.sound_file import load_waveform
        from ..mmgt_core.pose.openpose import read_pose_file

        image = load_image(assets.asset(assets.PORTRAIT))
        pose = read_pose_file(assets.asset(assets.POSE), size=image.shape[1::-1])
        speech = load_waveform(assets.asset(assets.SPEECH))
        audio = {"waveform": torch.from_numpy(speech.samples)[None, None], "sample_rate": speech.rate}
        return io.NodeOutput(torch.from_numpy(image).float()[None] / 255, pose, audio)
