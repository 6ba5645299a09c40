"""Node: latents become a video with sound."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import torch
from comfy_api.latest import InputImpl, Types, io
from torch import Tensor

from ..mmgt_core.errors import InputError
from ..mmgt_core.timebase import FPS
from .conditioning import FRAMING
from .host import host_progress
from .sockets import CATEGORY

AT_ONCE = 8  # frames


class MMGTDecodeVideo(io.ComfyNode):
    """LATENT -> VIDEO."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTDecodeVideo",
            display_name="MMGT Decode Video",
            category=CATEGORY,
            description="Turns latents into a video with its sound, a few frames at a time, and cuts off "
            "what was padded.",
            inputs=[
                io.Latent.Input("latent", tooltip="From MMGT Sampler, or from a sampler behind MMGT Apply."),
                io.Vae.Input("vae", tooltip="The VAE that the portrait was encoded with."),
                io.Audio.Input(
                    "audio",
                    optional=True,
                    tooltip="The sound, as Load Audio Features gives it out; without it the video is silent.",
                ),
                io.Float.Input(
                    "fps",
                    default=float(FPS),
                    min=1.0,
                    max=120.0,
                    step=0.01,
                    tooltip="Frames a second; the models know 25.",
                ),
            ],
            outputs=[io.Video.Output("video", display_name="video")],
        )

    @classmethod
    def execute(cls, latent: dict, vae: Any, fps: float, audio: dict | None = None) -> io.NodeOutput:
        images = decoded_images(latent, vae)
        rate = Fraction(fps).limit_denominator(1001)
        video = Types.VideoComponents(images=images, audio=audio, frame_rate=rate)
        return io.NodeOutput(InputImpl.VideoFromComponents(video))


def decoded_images(latent: dict[str, Any], vae: Any) -> Tensor:
    """IMAGE (frames, height, width, 3), decoded in chunks, in the portrait's framing, both sides even."""
    samples, progress = latent["samples"], host_progress()
    images: Tensor | None = None
    for start in range(0, samples.shape[0], AT_ONCE):
        part = _cut(vae.decode(samples[start : start + AT_ONCE]), latent.get(FRAMING))
        if images is None:
            images = torch.empty(samples.shape[0], *part.shape[1:])
        images[start : start + len(part)] = part
        progress(min(start + AT_ONCE, samples.shape[0]), samples.shape[0])
    if images is None:
        raise InputError("the latent holds no frame", where="latent", fix="give one with at least one frame")
    return images


def _cut(images: Tensor, framing: Any) -> Tensor:
    """Without the padding around the portrait."""
    if framing is not None and (framing.offset[0] > 0 or framing.offset[1] > 0):
        from ..mmgt_core.media.images import to_uint8

        unpadded = replace(framing, source=framing.resized)
        images = torch.from_numpy(unpadded.restore(to_uint8(images))).float() / 255
    return images[:, : images.shape[1] // 2 * 2, : images.shape[2] // 2 * 2]
