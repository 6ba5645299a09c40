"""The adapter's sites in ComfyUI's UNetModel (docs/method.md 2.6), and the check that a MODEL has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy.ldm.modules.attention import BasicTransformerBlock, SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.sites import Site, sites

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

Block = tuple[str, int]
"""ComfyUI's name for a block of its UNet, such as ("input", 4), in `transformer_options["block"]`."""

STEM: Block = ("input", 0)
MIDDLE: Block = ("middle", 0)


def block_of(site: Site, layers_per_block: int) -> Block:
    """The block whose ResBlock or SpatialTransformer is followed by the site."""
    if site.name == "stem":
        return STEM
    if site.name == "mid":
        return MIDDLE
    way, block, layer = site.name.split(".")
    start = (layers_per_block + 1) * int(block) + int(layer)
    return ("input", 1 + start) if way == "down" else ("output", start)


def sites_by_block(config: VideoConfig) -> dict[Block, Site]:
    """All sites by block; a block has at most one."""
    return {block_of(site, config.layers_per_block): site for site in sites(config)}


def transformer_block(unet: UNetModel, block: Block) -> BasicTransformerBlock:
    """The transformer block of a block that has one."""
    way, number = block
    layers = unet.middle_block if way == "middle" else getattr(unet, f"{way}_blocks")[number]
    return next(layer for layer in layers if isinstance(layer, SpatialTransformer)).transformer_blocks[0]


def unet_settings(config: VideoConfig) -> dict[str, Any]:
    """ComfyUI's settings for an SD1.5 UNet of the configured sizes (without the weights' dtype)."""
    widths, layers = config.block_channels, config.layers_per_block
    return {
        "image_size": 32,
        "in_channels": config.latent_channels,
        "out_channels": config.latent_channels,
        "model_channels": widths[0],
        "num_res_blocks": [layers] * len(widths),
        "channel_mult": [width // widths[0] for width in widths],
        "transformer_depth": [1] * layers * (len(widths) - 1) + [0] * layers,
        "transformer_depth_middle": 1,
        "transformer_depth_output": [1] * (layers + 1) * (len(widths) - 1) + [0] * (layers + 1),
        "num_heads": config.heads,
        "num_head_channels": -1,
        "context_dim": config.cross_dim,
        "use_spatial_transformer": True,
        "use_linear_in_transformer": False,
        "adm_in_channels": None,
        "use_temporal_attention": False,
        "use_temporal_resblock": False,
        "use_checkpoint": False,
        "legacy": False,
    }


# Settings in which a MODEL and a video model must agree, with the text for a mismatch.
_MUST_MATCH = (
    ("in_channels", "has {found} input channels instead of {wanted}"),
    ("context_dim", "has text embeddings of size {found} instead of {wanted}"),
    ("model_channels", "has {found} base channels instead of {wanted}"),
    ("channel_mult", "has the channel multipliers {found} instead of {wanted}"),
    ("transformer_depth", "has the transformer depths {found} instead of {wanted}"),
)
_KINDS = {
    "in_channels": {8: "an InstructPix2Pix model", 9: "an inpainting model"},
    "context_dim": {768: "SD1.5", 1024: "SD2", 1280: "SDXL's refiner", 2048: "SDXL"},
}
SD15_CONTEXT = 768


def check_model(model: ModelPatcher, config: VideoConfig) -> None:
    """Raise InputError unless `model` has a UNet of the configured sizes."""
    fix = "connect the MODEL of MMGT Load Video Model"
    if config.cross_dim == SD15_CONTEXT:
        fix = f"connect an SD1.5 MODEL, or {fix.removeprefix('connect ')}"
    if not isinstance(getattr(model.model, "diffusion_model", None), UNetModel):
        raise InputError("this MODEL is not a Stable Diffusion UNet", where="model", fix=fix)
    found, wanted = model.model.model_config.unet_config, unet_settings(config)
    for name, mismatch in _MUST_MATCH:
        theirs, ours = found.get(name), wanted[name]
        theirs, ours = (list(v) if isinstance(v, (list, tuple)) else v for v in (theirs, ours))
        if theirs != ours:
            difference = mismatch.format(found=theirs, wanted=ours)
            kind = _KINDS.get(name, {}).get(theirs) if isinstance(theirs, int) else None
            subject = f"this MODEL is {kind}: it" if kind else "this MODEL"
            raise InputError(
                f"{subject} {difference}, so the video model does not fit it", where="model", fix=fix
            )
