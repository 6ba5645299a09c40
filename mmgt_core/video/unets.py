"""The two SD1.5 UNets of Stage II as diffusers builds them."""

from __future__ import annotations

from typing import Any

from torch import nn

from .config import VideoConfig


def build_unet(config: VideoConfig) -> Any:
    """The denoising UNet: a diffusers UNet2DConditionModel of the configured sizes, freshly initialized."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    down = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
    up = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3
    return UNet2DConditionModel(
        sample_size=config.size // 8,
        in_channels=config.latent_channels,
        out_channels=config.latent_channels,
        down_block_types=down,
        up_block_types=up,
        block_out_channels=config.block_channels,
        layers_per_block=config.layers_per_block,
        cross_attention_dim=config.cross_dim,
        attention_head_dim=config.heads,  # diffusers' old name: for this class it is the number of heads
        norm_num_groups=config.groups,
    )


def build_reference(config: VideoConfig) -> Any:
    """The reference UNet: the same without the output head, which the published file does not hold either."""
    unet = build_unet(config)
    unet.conv_norm_out = None
    unet.conv_out = nn.Identity()
    return unet
