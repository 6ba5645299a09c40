"""The adapter: everything that MMGT adds to a plain SD1.5 UNet, in one module that knows no host."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .audio_projection import AudioProjection
from .config import VideoConfig
from .layers import Layers
from .mm_haa import AudioModule, MMHAABlock
from .mm_haa_folded import FoldedMMHAABlock, fold_block
from .motion_module import MotionModule
from .pose_guider import PoseGuider
from .sites import Site, sites
from .state import RunState


class Adapter(nn.Module):
    """Pose guider, audio projection, and the audio and motion modules of the sites.

    A host runs its own UNet on (rows * frames, C, h, w), calls `stem` behind the first convolution, `after`
    behind the last module of each other site, and `mutual_attention` in place of each self-attention.

    Args:
        config: sizes.
        layers: where the layers come from; by default plain torch.nn.
        folded: build the audio modules in their exact rewrite for inference (see `folded_state`).

    Attributes:
        audio, motion: modules by `Site.key`.
    """

    def __init__(self, config: VideoConfig, layers: Layers | None = None, folded: bool = False):
        super().__init__()
        layers = layers or Layers()
        self.config, self.folded = config, folded
        self.sites = {site.name: site for site in sites(config)}
        self.pose_guider = PoseGuider(layers, config.pose_channels, config.block_channels[0])
        self.audio_projection = AudioProjection(
            layers,
            config.audio_window * config.audio_blocks * config.audio_channels,
            config.audio_intermediate,
            config.audio_tokens,
            config.audio_dim,
        )
        self.audio = nn.ModuleDict(
            {
                site.key: _audio_module(site, config, layers, folded)
                for site in self.sites.values()
                if site.audio_width
            }
        )
        self.motion = nn.ModuleDict(
            {
                site.key: MotionModule(
                    layers, site.channels, config.groups, config.heads, config.motion_max_frames
                )
                for site in self.sites.values()
                if site.motion
            }
        )

    def stem(self, x: Tensor, state: RunState) -> Tensor:
        """The output of the UNet's first convolution plus the pose features."""
        return x if state.pose_features is None else x + state.pose_features.to(x)

    def after(self, name: str, x: Tensor, state: RunState) -> Tensor:
        """What follows at the site `name`: first the audio module, then the motion module, where
        there are any.
        """
        site = self.sites[name]
        if site.audio_width and state.audio_modules:
            x = self.audio[site.key](x, state)
        if site.motion and state.motion_modules:
            x = self.motion[site.key](x, state)
        return x

    def pose_features(self, images: Tensor) -> Tensor:
        """Pose images, (n, height, width, 3) or (n, 3, height, width) in [0, 1] or uint8 -> (n,
        C, height/8, width/8).
        """
        if images.shape[-1] == 3:
            images = images.permute(0, 3, 1, 2)
        like = next(self.pose_guider.parameters())
        scaled = images.to(like) / 255 if images.dtype == torch.uint8 else images.to(like)
        return self.pose_guider(scaled)

    def audio_tokens(self, windows: Tensor) -> Tensor:
        """Audio features around each frame, (n, window, blocks, channels) -> (n, tokens, dim)."""
        return self.audio_projection(windows.to(next(self.audio_projection.parameters())))

    def fold(self) -> Adapter:
        """The same function with folded audio modules, for inference; all other modules are
        shared, not copied. An ablation that has no such rewrite stays as it is.
        """
        if self.folded or not self.config.foldable:
            return self
        like = next(self.audio.parameters())
        with torch.device("meta"):
            folded = Adapter(self.config, folded=True)
        folded.audio.load_state_dict(folded_state(self.audio.state_dict()), assign=True)
        folded.audio.to(like.device).requires_grad_(False)
        folded.pose_guider, folded.audio_projection = self.pose_guider, self.audio_projection
        folded.motion = self.motion
        return folded.train(self.training)


def folded_state(audio: Mapping[str, Tensor], dtype: torch.dtype | None = None) -> dict[str, Tensor]:
    """The state of folded audio modules from that of trained ones; names start with a
    site key ("down_0_1.block..."). `dtype`: of the result; None keeps each module's.
    """
    result = {
        name: tensor if dtype is None else tensor.to(dtype)
        for name, tensor in audio.items()
        if ".block." not in name
    }
    for site in {name.split(".")[0] for name in audio}:
        prefix = f"{site}.block."
        block = {
            name.removeprefix(prefix): tensor for name, tensor in audio.items() if name.startswith(prefix)
        }
        result.update({prefix + name: tensor for name, tensor in fold_block(block, dtype).items()})
    return result


def _audio_module(site: Site, config: VideoConfig, layers: Layers, folded: bool) -> AudioModule:
    width = site.audio_width
    assert width is not None
    if folded and not config.foldable:
        raise ValueError("an ablation of MM-HAA has no rewrite for inference")
    if folded:
        block: nn.Module = FoldedMMHAABlock(layers, width, config.heads, config.audio_dim)
    else:
        choices = config.audio_context, config.mask_place
        block = MMHAABlock(layers, width, config.heads, config.audio_dim, *choices)
    return AudioModule(layers, site, config.groups, block, width)
