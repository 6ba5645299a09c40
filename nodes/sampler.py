"""Nodes: the clip as a patched MODEL and conditioning for any sampler, or sampled directly."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.samplers
from comfy_api.latest import io

from .comfy.decoding import decoded_images
from .comfy.sampling import OFFICIAL, sample
from .comfy.services import blocked_output
from .comfy.sockets import CATEGORY
from .comfy.terms import show_terms
from .comfy.work_folder import sampling_work
from .sampler_inputs import (
    LINKS,
    chosen_sampling,
    clip_sockets,
    clip_widgets,
    late_widgets,
    prepared_clip,
    preset_widgets,
    quality_input,
)

if TYPE_CHECKING:
    from comfy.sd import VAE

NO_IMAGES = blocked_output("MMGT Sampler has no images to pass on: turn decode on, or use MMGT Decode Video.")


class MMGTApply(io.ComfyNode):
    """The clip as a patched MODEL and two CONDITIONINGs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTApply",
            display_name="MMGT Apply",
            category=CATEGORY,
            description="Applies MMGT to an SD1.5 model, for KSampler and all other ComfyUI samplers.",
            inputs=[*clip_sockets(), *clip_widgets(), *late_widgets(), *preset_widgets()],
            outputs=[
                io.Model.Output("patched", display_name="model"),
                io.Conditioning.Output("positive", display_name="positive"),
                io.Conditioning.Output("negative", display_name="negative"),
                io.Latent.Output(
                    "latent", display_name="latent", tooltip="Empty latent of the clip's length and size."
                ),
                io.Sigmas.Output(
                    "sigmas",
                    display_name="sigmas",
                    tooltip="Published sampling schedule, for SamplerCustomAdvanced.",
                ),
            ],
        )

    @classmethod
    def execute(cls, **inputs: Any) -> io.NodeOutput:
        links, widgets = split_inputs(inputs)
        prepared = prepared_clip(**links, sampling=chosen_sampling(**widgets))
        device = comfy.model_management.intermediate_device()
        empty = prepared.latent["samples"].to(device).contiguous()  # other nodes may write to it
        latent = {**prepared.latent, "samples": empty}
        return io.NodeOutput(prepared.model, prepared.positive, prepared.negative, latent, prepared.sigmas)


class MMGTSampler(io.ComfyNode):
    """Samples the clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        sampling = [
            io.Int.Input(
                "seed",
                default=0,
                min=0,
                max=2**63 - 1,
                control_after_generate=True,
                tooltip="Random seed for the initial noise.",
            ),
            io.Float.Input(
                "cfg",
                default=0.0,
                min=0.0,
                max=30.0,
                step=0.1,
                tooltip=(
                    "Classifier-free guidance scale. 0 = model default; 1 = no guidance (twice as fast)."
                ),
            ),
            io.Combo.Input(
                "sampler",
                options=[OFFICIAL, *comfy.samplers.SAMPLER_NAMES],
                default=OFFICIAL,
                tooltip=(
                    "official = the published sampler (DDIM), reproduced exactly; all others are ComfyUI's."
                ),
            ),
        ]
        decode = io.Boolean.Input(
            "decode",
            default=False,
            tooltip=(
                "Also decodes the latents to the images output. All frames are kept in "
                "memory; for long clips, use MMGT Decode Video."
            ),
        )
        keep_work = io.Boolean.Input(
            "keep_work",
            default=False,
            optional=True,
            tooltip=(
                "Saves finished steps and windows to output/mmgt_work. If a run is "
                "interrupted, queue the same prompt again to continue. Works with the "
                "samplers official, euler and ddim."
            ),
        )
        return io.Schema(
            node_id="MMGTSampler",
            display_name="MMGT Sampler",
            category=CATEGORY,
            description=(
                "Generates the video latents from a portrait, a motion and audio features (Stage II)."
            ),
            inputs=[
                *clip_sockets(),
                *sampling,
                *clip_widgets(),
                decode,
                *late_widgets(),
                keep_work,
                *preset_widgets(),
                quality_input(),
            ],
            outputs=[
                io.Latent.Output("latent", display_name="latent"),
                io.Image.Output("images", display_name="images"),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.unique_id],  # identify the models of the kept work
        )

    @classmethod
    def execute(
        cls, vae: VAE, sampler: str, decode: bool, keep_work: bool = False, **inputs: Any
    ) -> io.NodeOutput:
        show_terms()
        links, widgets = split_inputs(inputs)
        sampling = chosen_sampling(**widgets)
        prepared = prepared_clip(vae=vae, **links, sampling=sampling)
        choices = {"sampler": sampler, **widgets, **links}
        with sampling_work(cls, prepared, choices) if keep_work else nullcontext() as work:
            latent = sample(prepared, sampler, sampling.seed, work=work)
        return io.NodeOutput(latent, decoded_images(latent, vae) if decode else NO_IMAGES)


def split_inputs(inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(connected inputs, widgets) of a node."""
    links = {name: value for name, value in inputs.items() if name in LINKS}
    return links, {name: value for name, value in inputs.items() if name not in LINKS}
