"""The models under test, as what the measurements ask for: motion from sound, images from motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...base.errors import InputError
from ...base.feature_kinds import PROSODY
from ...pose.motion import Motion
from ...pose.skeleton import CHANNELS, KEYPOINTS
from ...smga.diffusion import ddim_sample
from ...smga.network import SMGA

if TYPE_CHECKING:
    from ...video.model import VideoModel


class SMGASource:
    """Stage I with its own sampling defaults, many windows at once; one window equals `generate_motion`."""

    def __init__(self, model: SMGA):
        if model.config.audio_features != PROSODY:
            raise InputError(
                f"this Stage I model needs {model.config.audio_features} features, not {PROSODY}",
                fix="give a model that was trained on prosody alone, as the demo model is",
            )
        self.model = model.eval()

    @torch.inference_mode()
    def __call__(
        self, features: Tensor, first_pose: Tensor, *, seed: int, first_pose_ramp: bool = True
    ) -> Tensor:
        """features (B, frames, channels), first_pose (B, 134, 3) -> keypoints (B, frames, 134, 3), CPU."""
        config, device = self.model.config, self.model.device
        flat = ddim_sample(
            self.model,
            Motion(first_pose).to_network().to(device),
            features.to(device),
            steps=config.steps,
            guidance=config.guidance,
            eta=config.eta,
            generator=torch.Generator().manual_seed(seed),
            first_pose_ramp=first_pose_ramp,
        )
        rows, frames, _ = flat.shape
        keypoints = Motion.from_network(flat.flatten(0, 1).cpu()).keypoints.view(
            rows, frames, KEYPOINTS, CHANNELS
        )
        # The network's scores are noise (docs/method.md 1.3): a motion inherits those of its first pose.
        keypoints[..., 2] = first_pose[:, None, :, 2].cpu()
        return keypoints


class VideoModelSource:
    """Stage II with its own sampling defaults: steps, guidance, window and region weights of its file."""

    def __init__(self, model: VideoModel):
        if model.config.audio_features != "log-mel" or model.autoencoder is None:
            raise InputError(
                "the evaluation needs a video model that uses log-mel bands and holds its autoencoder",
                fix="give one that was trained on the presenter, as the demo model is",
            )
        self.model = model.eval()
        self.size, self.radius = model.config.size, model.config.audio_window // 2

    @torch.inference_mode()
    def render(
        self,
        portrait: Tensor,
        motion: Motion,
        audio: Tensor,
        *,
        seed: int,
        masked: Motion | None = None,
        steps: int | None = None,
        cfg: float | None = None,
    ) -> Tensor:
        """Frames (F, size, size, 3) in [0, 1] on the CPU; see `VideoSource`."""
        from ...pose.drawing import draw_pose
        from ...pose.motion_masks import motion_masks
        from ...video.autoencoder import decode_latents, encode_frames
        from ...video.clip_masks import clip_masks
        from ...video.conditions import ClipConditions
        from ...video.denoise import denoise
        from ...video.sampling import Sampling

        model, config = self.model, self.model.config
        latent_size = (self.size // 8, self.size // 8)
        poses = torch.from_numpy(draw_pose(motion, self.size, config.pose_style))
        boxes = motion_masks(motion if masked is None else masked)
        conditions = ClipConditions.build(
            model,
            encode_frames(model.autoencoder, portrait[None], config.latent_scale),
            poses,
            motion.frames,
            latent_size=latent_size,
            audio=audio,
            masks=clip_masks(boxes, latent_size, config.full_mask, config.motion_mask),
        )
        latents = denoise(model, conditions, Sampling(seed=seed, steps=steps, cfg=cfg))
        return decode_latents(model.autoencoder, latents, config.latent_scale)

    @torch.inference_mode()
    def through_autoencoder(self, frames: Tensor) -> Tensor:
        """The frames, encoded and decoded."""
        from ...video.autoencoder import decode_latents, encode_frames

        model, scale = self.model, self.model.config.latent_scale
        return decode_latents(model.autoencoder, encode_frames(model.autoencoder, frames, scale), scale)
