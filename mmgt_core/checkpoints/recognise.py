"""Which model a file holds, stated from the names and shapes of its tensors: one table, read from above.

Loaders use it to say what a wrong file is; the converter uses it to know what it has before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ..base.errors import CheckpointError

# Kinds of our own files and of the published files that we convert.
SMGA, VIDEO, ADAPTER = "smga", "video", "adapter"
UNET, REFERENCE, MOTION, POSE_GUIDER = "unet", "reference", "motion", "pose_guider"
WAVLM, WAVLM_ORIGINAL = "wavlm", "wavlm_original"
SPEAKER = "speaker"  # low-rank changes of ours
# Stock files that are used as they are.
VAE, CLIP_VISION = "vae", "clip_vision"

_DOWN = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
_TIME_MODULE = "down_blocks.0.motion_modules.0.temporal_transformer.proj_in.weight"
_TIME_POSITIONS = _TIME_MODULE.replace(
    "proj_in.weight", "transformer_blocks.0.attention_blocks.0.pos_encoder.pe"
)
_PROJECTION = "post_extract_proj.weight"
_LATENTS = "decoder.conv_in.weight"
_PATCH = "vision_model.embeddings.patch_embedding.weight"
_PLACES = "vision_model.embeddings.position_embedding.weight"


@dataclass(frozen=True)
class Look:
    """How a kind of file looks.

    Attributes:
        title: what a person calls it, with its article.
        kind: one of the kinds above; "" for a model that is not ours.
        has: names that it holds; one that ends in "*" stands for every name that begins so, one that begins
            with "*" for every name that contains the rest.
        lacks: names that it does not hold, written likewise.
        sizes: name -> (axis, size) that distinguishes it from related models.
    """

    title: str
    kind: str
    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int, int], ...] = ()


LOOKS = (
    Look("a speaker adapter", SPEAKER, ("motion.*", "*.lora_A.")),
    Look("a speaker adapter", SPEAKER, ("video.*", "*.lora_A.")),
    Look("a LoRA", "", ("*lora_down.",)),
    Look("a LoRA", "", ("*lora_A.",)),
    Look("a LoRA", "", ("*.lora.",)),
    Look("a whole Stage II video model", VIDEO, ("denoising_unet.conv_in.weight", "reference_unet.*")),
    Look(
        "the adapter of a Stage II video model without its UNets",
        ADAPTER,
        ("pose_guider.*", "denoising_unet.*"),
        lacks=("reference_unet.*",),
    ),
    Look("a Stage II video model without its denoising UNet", ADAPTER, ("pose_guider.*", "reference_unet.*")),
    Look("a Stage I (SMGA) motion model", SMGA, ("seqTransDecoder.*",)),
    Look("a Stage I (SMGA) motion model", SMGA, ("null_cond_embed", "input_projection.weight")),
    Look("a pose guider", POSE_GUIDER, ("conv_in.weight", "blocks.0.weight", "conv_out.weight")),
    Look("a UNet with motion modules inside", "", (_TIME_MODULE, "conv_in.weight")),
    Look("AnimateDiff's motion modules for SDXL", "", (_TIME_MODULE,), lacks=("down_blocks.3.*",)),
    Look("AnimateDiff's motion modules, version 1", "", (_TIME_MODULE,), sizes=((_TIME_POSITIONS, 1, 24),)),
    Look("AnimateDiff's motion modules, version 3", "", (_TIME_MODULE,), lacks=("mid_block.*",)),
    Look("AnimateDiff's motion modules, version 2", MOTION, (_TIME_MODULE, "mid_block.*")),
    Look("a ControlNet", "", ("controlnet_*",)),
    Look("a ControlNet", "", ("control_model.*",)),
    Look("a UNet of SDXL", "", ("conv_in.weight", "add_embedding.*")),
    Look("a UNet of SD2", "", ("conv_in.weight", _DOWN), sizes=((_DOWN, 1, 1024),)),
    Look("an inpainting UNet of SD1.5", "", ("conv_in.weight", _DOWN), sizes=(("conv_in.weight", 1, 9),)),
    Look("a UNet of SD1.5", UNET, ("conv_in.weight", _DOWN, "conv_out.weight")),
    Look("a reference UNet", REFERENCE, ("conv_in.weight", _DOWN), lacks=("conv_out.*",)),
    Look("a whole Stable Diffusion checkpoint", "", ("model.diffusion_model.*", "first_stage_model.*")),
    Look("a UNet in Stable Diffusion's original names", "", ("model.diffusion_model.*",)),
    Look("a UNet in Stable Diffusion's original names", "", ("input_blocks.0.0.weight",)),
    Look("a VAE with 16 latent channels", "", (_LATENTS,), sizes=((_LATENTS, 1, 16),)),
    Look("a VAE", VAE, (_LATENTS, "encoder.conv_in.weight")),
    Look("a VAE", VAE, ("first_stage_model.*",)),
    Look("a VAE", VAE, ("vae.decoder.*", "vae.encoder.*")),
    Look("a tiny autoencoder", "", ("taesd_decoder.*",)),
    Look("a tiny autoencoder", "", ("decoder.layers.0.weight", "encoder.layers.0.weight")),
    Look("the CLIP vision encoder ViT-L/14 for 336 pixels", "", (_PATCH,), sizes=((_PLACES, 0, 577),)),
    Look(
        "the CLIP vision encoder ViT-L/14", CLIP_VISION, (_PATCH,), sizes=((_PATCH, 0, 1024), (_PATCH, 2, 14))
    ),
    Look("the CLIP vision encoder ViT-H/14", "", (_PATCH,), sizes=((_PATCH, 0, 1280),)),
    Look("the CLIP vision encoder ViT-G/14", "", (_PATCH,), sizes=((_PATCH, 0, 1664),)),
    Look("a CLIP vision encoder", CLIP_VISION, (_PATCH,)),
    Look("a CLIP in OpenAI's original names", "", ("visual.conv1.weight",)),
    Look("a CLIP text encoder", "", ("*text_model.embeddings.",)),
    Look("WavLM in its original names", WAVLM_ORIGINAL, (_PROJECTION, "*.self_attn.grep_linear.")),
    Look("a HuBERT or wav2vec2 in its original names", "", (_PROJECTION,)),
    Look("WavLM as transformers names it", WAVLM, ("*.gru_rel_pos_const",)),
    Look("wav2vec2 as transformers names it", "", ("*feature_projection.projection.weight",)),
)  # fmt: skip


def recognise(tensors: Mapping[str, Tensor]) -> Look | None:
    """The first row of the table that fits, or None for a file unlike all of them."""
    return next((look for look in LOOKS if _fits(look, tensors)), None)


def refuse_other_models(
    tensors: Mapping[str, Tensor], kinds: tuple[str, ...], what: str, where: object
) -> None:
    """Raise CheckpointError when the file is plainly another model than one of `kinds`.

    Args:
        what: what the caller loads, with its article ("a Stage II video model").
    """
    look = recognise(tensors)
    if look is not None and look.kind not in kinds:
        raise CheckpointError(f"this is {look.title}, not {what}", where=where, fix="choose another file")


def _fits(look: Look, tensors: Mapping[str, Tensor]) -> bool:
    return (
        all(_holds(pattern, tensors) for pattern in look.has)
        and not any(_holds(pattern, tensors) for pattern in look.lacks)
        and all(
            name in tensors and tensors[name].ndim > axis and tensors[name].shape[axis] == size
            for name, axis, size in look.sizes
        )
    )


def _holds(pattern: str, tensors: Mapping[str, Tensor]) -> bool:
    if pattern.startswith("*"):
        return any(pattern[1:] in name for name in tensors)
    if pattern.endswith("*"):
        return any(name.startswith(pattern[:-1]) for name in tensors)
    return pattern in tensors
