"""The one configuration of a Stage II model; it travels as JSON in the model file's header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..base.errors import InputError

Fusion = Literal["flat", "pyramid"]
TRAIN_STEPS = 1000
PoseStyle = Literal["paper", "example"]
"""How the skeleton is drawn: limbs at 0.9 and fingers in reversed hue order, or at 0.6 and in hue order."""
MotionMask = Literal["moving", "still", "none"]
"""Motion masks that follow the person, as published; those of the first frame throughout; or 1 everywhere."""
AudioContext = Literal["audio", "self"]
"""What MM-HAA's three masked attentions attend to: the audio tokens, as published, or the frame itself."""
MaskPlace = Literal["output", "input"]
"""What the masks multiply: each branch's output, as published, or the hidden state before it (Eq. 20-22)."""
FullMask = Literal["1+lips", "hands", "1-face"]
FULL_MASKS: tuple[FullMask, ...] = ("1+lips", "hands", "1-face")


@dataclass(frozen=True)
class VideoConfig:
    """Sizes and defaults of a Stage II model; the defaults are the published model's (docs/method.md 2).

    Attributes:
        block_channels, layers_per_block, heads, groups, cross_dim: the SD1.5 layout of both UNets.
        latent_channels, latent_scale: the autoencoder's latents are multiplied by `latent_scale`
            before the UNet.
        image_context: "clip" gives the UNets one CLIP token of `cross_dim`; "zeros" gives them a zero token.
        audio_features: the encoder that the audio windows come from.
        audio_window, audio_blocks, audio_channels: features of one frame: (window, blocks, channels).
        audio_intermediate, audio_tokens, audio_dim: the audio projection's hidden width and its
            tokens (tokens, dim).
        pose_channels: widths of the pose guider; one stride of 2 between each neighboring two.
        pose_style: which drawing of the skeleton the pose guider was trained with.
        motion_mask, audio_context, mask_place: ablations of the paper; see their types.
        motion_max_frames: the longest window that the motion modules have positions for.
        size, steps, cfg, region_weights, full_mask, window, overlap, closed_loop, beta_schedule: sampling
            defaults; `region_weights` are those of the (full, face, lips) branches.
        guidance_below: guidance is applied to timesteps below this one only; 1000 = to all.
        fusion: how overlapping windows are averaged; see `window_weights`.
        shared_noise: all frames start from the same noise. A model of few steps hands much of its noise on to
            the image: with noise of their own, frames flicker.
        autoencoder: "kl" = Stable Diffusion's, a file of its own; "tiny" = AutoencoderTiny inside the model
            file with `autoencoder_channels` in every stage and the given numbers of residual blocks.
    """

    block_channels: tuple[int, ...] = (320, 640, 1280, 1280)
    layers_per_block: int = 2
    heads: int = 8
    groups: int = 32
    cross_dim: int = 768
    latent_channels: int = 4
    latent_scale: float = 0.18215
    image_context: Literal["clip", "zeros"] = "clip"
    audio_features: str = "wav2vec2-base-960h"
    audio_window: int = 5
    audio_blocks: int = 12
    audio_channels: int = 768
    audio_intermediate: int = 512
    audio_tokens: int = 32
    audio_dim: int = 768
    motion_mask: MotionMask = "moving"
    audio_context: AudioContext = "audio"
    mask_place: MaskPlace = "output"
    pose_channels: tuple[int, ...] = (16, 32, 96, 256)
    pose_style: PoseStyle = "paper"
    motion_max_frames: int = 32
    size: int = 512
    steps: int = 30
    cfg: float = 3.5
    guidance_below: int = TRAIN_STEPS
    region_weights: tuple[float, float, float] = (1.0, 1.0, 2.0)
    full_mask: FullMask = "1+lips"
    window: int = 12
    overlap: int = 4
    closed_loop: bool = True
    fusion: Fusion = "flat"
    shared_noise: bool = False
    beta_schedule: Literal["linear", "scaled_linear"] = "linear"
    autoencoder: Literal["kl", "tiny"] = "kl"
    autoencoder_channels: int = 64
    autoencoder_encoder_blocks: tuple[int, ...] = (1, 3, 3, 3)
    autoencoder_decoder_blocks: tuple[int, ...] = (3, 3, 3, 1)

    @property
    def foldable(self) -> bool:
        """Whether the audio modules have their exact rewrite for inference; ComfyUI runs no other."""
        return self.audio_context == "audio" and self.mask_place == "output"

    def guidance_at(self, timestep: float) -> float:
        """The guidance scale at a timestep; 1 = none."""
        return self.cfg if timestep < self.guidance_below else 1.0

    def __post_init__(self) -> None:
        if len(self.block_channels) != 4:
            raise InputError(f"block_channels needs four widths, not {self.block_channels}")
        bad = [width for width in self.block_channels if width % self.groups or width % self.heads]
        if bad:
            raise InputError(
                f"the widths {bad} do not divide into {self.groups} groups and {self.heads} heads"
            )
        if not 0 <= self.overlap < self.window <= self.motion_max_frames:
            raise InputError(
                f"window {self.window} with overlap {self.overlap} does not work",
                fix=f"choose 0 <= overlap < window <= {self.motion_max_frames}",
            )
        if self.full_mask not in FULL_MASKS:
            raise InputError(
                f"there is no full mask {self.full_mask!r}", fix=f"choose one of {', '.join(FULL_MASKS)}"
            )


def demo_config() -> VideoConfig:
    """The bundled demo model: every UNet width 64, log-mel audio, no CLIP, its own tiny autoencoder."""
    return VideoConfig(
        block_channels=(64, 64, 64, 64),
        heads=2,
        cross_dim=32,
        latent_scale=1.0,
        image_context="zeros",
        audio_features="log-mel",
        audio_blocks=1,
        audio_channels=40,
        audio_intermediate=128,
        audio_tokens=8,
        audio_dim=64,
        pose_channels=(16, 32, 96, 128),
        size=256,
        # A network this small gives its best image in one step, and was trained on windows of six frames.
        steps=1,
        cfg=1.0,
        window=6,
        overlap=2,
        region_weights=(1.0, 1.0, 1.0),
        closed_loop=False,
        fusion="pyramid",
        shared_noise=True,
        autoencoder="tiny",
        autoencoder_channels=48,
    )
