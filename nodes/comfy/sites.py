"""Where the adapter's sites lie in ComfyUI's UNetModel (docs/method.md 2.6), and which MODELs have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.sites import Site, sites

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

Block = tuple[str, int]
"""What ComfyUI calls a block of its UNet, such as ("input", 4); it stands in
`transformer_options["block"]`.
"""

STEM: Block = ("input", 0)
MIDDLE: Block = ("middle", 0)


def block_of(site: Site, layers_per_block: int) -> Block:
    """The block behind whose ResBlock or SpatialTransformer the site lies."""
    if site.name == "stem":
        return STEM
    if site.name == "mid":
        return MIDDLE
    way, block, layer = site.name.split(".")
    start = (layers_per_block + 1) * int(block) + int(layer)
    return ("input", 1 + start) if way == "down" else ("output", start)


def sites_by_block(config: VideoConfig) -> dict[Block, Site]:
    """All sites by their block; each block holds one at most."""
    return {block_of(site, config.layers_per_block): site for site in sites(config)}


def unet_settings(config: VideoConfig) -> dict[str, Any]:
    """ComfyUI's description of an SD1.5 UNet of the configured sizes (without the weights' dtype)."""
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


# What must agree between a MODEL and a video model, and how to say that it does not.
_AGREE = (
    ("in_channels", "takes {found} input channels instead of {wanted}"),
    ("context_dim", "reads text of width {found} instead of {wanted}"),
    ("model_channels", "is {found} channels wide instead of {wanted}"),
    ("channel_mult", "widens its levels by {found} instead of {wanted}"),
    ("transformer_depth", "has the transformers {found} instead of {wanted}"),
)
_KINDS = {
    "in_channels": {8: "an InstructPix2Pix model", 9: "an inpainting model"},
    "context_dim": {768: "SD1.5", 1024: "SD2", 1280: "SDXL's refiner", 2048: "SDXL"},
}
SD15_CONTEXT = 768


def check_model(model: ModelPatcher, config: VideoConfig) -> None:
    """Raise InputError unless `model` has a UNet of the configured sizes."""
    fix = "link the MODEL that MMGT Load Video Model gives"
    if config.cross_dim == SD15_CONTEXT:
        fix = f"link an SD1.5 MODEL, or {fix.removeprefix('link ')}"
    if not isinstance(getattr(model.model, "diffusion_model", None), UNetModel):
        raise InputError("this MODEL is not a Stable Diffusion UNet", where="model", fix=fix)
    found, wanted = model.model.model_config.unet_config, unet_settings(config)
    for name, complaint in _AGREE:
        theirs, ours = found.get(name), wanted[name]
        theirs, ours = (list(v) if isinstance(v, (list, tuple)) else v for v in (theirs, ours))
        if theirs != ours:
            said = complaint.format(found=theirs, wanted=ours)
            kind = _KINDS.get(name, {}).get(theirs) if isinstance(theirs, int) else None
            who = f"this MODEL is {kind}: it" if kind else "this MODEL"
            raise InputError(
                f"{who} {said}, so it is not the kind that this video model fits", where="model", fix=fix
            )
