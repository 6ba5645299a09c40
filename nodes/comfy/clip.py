"""Converts a node's inputs to one `Clip` for the video model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.media.portrait_framing import PortraitFraming
from ...mmgt_core.pipeline.inputs import length_note
from ...mmgt_core.pose.motion import same_shape
from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.sampling import FramingMode, Sampling
from .conditions import Clip
from .load_video_model import HostVideoModel
from .node_text import sentence, show_message
from .region_masks import framed_masks, masks_of_skeletons
from .services import one_image
from .sockets import Masks, Pose, Speech, as_motion

if TYPE_CHECKING:
    from comfy.clip_vision import ClipVisionModel
    from comfy.sd import VAE

    from ...mmgt_core.media.framing import Framing
    from ...mmgt_core.pose.motion import Motion


def make_clip(
    video: HostVideoModel,
    vae: VAE,
    portrait: Tensor,
    pose: Pose | Tensor,
    masks: Masks | None,
    speech: Speech | None,
    clip_vision: ClipVisionModel | None,
    sampling: Sampling,
) -> tuple[Clip, PortraitFraming]:
    """The clip, and how the portrait was fitted to the video size.

    Args:
        pose: MMGT_MOTION, POSE_KEYPOINT, or IMAGE frames of a skeleton drawn in the model's style.
        masks: None computes them from the motion, or finds them in the IMAGE frames.
        speech: None for a video without audio.

    Raises InputError if the inputs do not match.
    """
    from ...mmgt_core.media.framing import fit_image

    config = sampling.applied_to(video.config)
    image = one_image(portrait, "portrait")
    fitted, framing = fit_image(image, sampling.size(config), sampling.fitted)
    target = torch.from_numpy(fitted).float()[None] / 255
    if isinstance(pose, Tensor):
        motion, frames = None, _frames(pose.shape[0], speech, masks)
        pose_images = _drawn(pose, framing, sampling.fitted)
        if masks is None and speech is not None:
            masks = masks_of_skeletons(pose)
    else:
        motion = as_motion(pose, framing.source).on_portrait(framing.source, "motion")
        frames = _frames(motion.frames, speech, masks)
        pose_images = _skeleton(framing.motion_to_target(motion), framing.target, config)
    latent = _latent(vae, target, config)
    return Clip(
        frames=frames,
        portrait=latent,
        image_embeds=_image_embeds(clip_vision, target, config),
        pose_images=pose_images,
        audio=None if speech is None else _audio(speech, config)[:frames],
        masks=framed_masks(
            masks or (Masks(motion) if motion else None), framing, sampling.fitted, latent, config
        ),
        region_weights=config.region_weights,
    ), PortraitFraming(framing, image)


def _latent(vae: VAE, target: Tensor, config: VideoConfig) -> Tensor:
    """The portrait's latent (1, 4, h, w); raises InputError for a VAE of another model family."""
    latent = vae.encode(target)
    height, width = target.shape[1:3]
    expected = (1, config.latent_channels, height // 8, width // 8)
    if tuple(latent.shape) != expected:
        raise InputError(
            f"this VAE encodes to latents of shape {tuple(latent.shape)} instead of {expected}",
            where="vae",
            fix="connect the VAE of MMGT Load Video Model, or the SD1.5 VAE (vae-ft-mse)",
        )
    return latent


def _frames(poses: int, speech: Speech | None, masks: Masks | None) -> int:
    """The length of the shorter of pose and audio; raises InputError for masks of another length."""
    if masks is not None and masks.frames != poses:
        raise InputError(
            f"the masks have {masks.frames} frames, but the motion has {poses}",
            where="masks",
            fix="compute the masks from this motion",
        )
    frames = poses if speech is None else min(poses, speech.frames)
    if speech is not None and speech.frames != poses:
        show_message(sentence(length_note(poses, speech.frames)))
    return frames


def _skeleton(
    motion: Motion, size: tuple[int, int], config: VideoConfig
) -> Callable[[Sequence[int]], Tensor]:
    """Function: frame indices -> their skeleton images, drawn window by window."""
    from ...mmgt_core.pose.drawing import draw_pose

    return lambda indices: torch.from_numpy(draw_pose(motion.window(list(indices)), size, config.pose_style))


def _drawn(images: Tensor, framing: Framing, mode: FramingMode) -> Callable[[Sequence[int]], Tensor]:
    """Function: frame indices -> given skeleton images, in the portrait's framing."""
    from ...mmgt_core.media.framing import fit
    from ...mmgt_core.media.images import to_uint8

    height, width = images.shape[1:3]
    if not same_shape((width, height), framing.source):
        raise InputError(
            f"the pose frames have {width} x {height} pixels, but the portrait has {framing.source[0]} x "
            f"{framing.source[1]}",
            where="pose",
            fix="use the same aspect ratio for both, for example by cropping one of them",
        )
    fitted = fit((width, height), framing.target, mode)

    def draw(indices: Sequence[int]) -> Tensor:
        return torch.stack([torch.from_numpy(fitted.apply(to_uint8(images[i, ..., :3]))) for i in indices])

    return draw


def _audio(speech: Speech, config: VideoConfig) -> Tensor:
    """(frames, window, blocks, channels); raises InputError if the model needs other features."""
    features = speech.features
    expected = (config.audio_window, config.audio_blocks, config.audio_channels)
    if features.stage2_kind != config.audio_features or tuple(features.stage2.shape[1:]) != expected:
        raise InputError(
            f"this video model needs {config.audio_features} features, but these are {features.stage2_kind}",
            where="audio_features",
            fix="choose the video_encoder of this model in MMGT Audio Features, or choose the demo model",
        )
    return features.stage2


def _image_embeds(
    clip_vision: ClipVisionModel | None, portrait: Tensor, config: VideoConfig
) -> Tensor | None:
    if config.image_context != "clip":
        return None
    if clip_vision is None:
        raise InputError(
            "this video model needs a CLIP vision encoder",
            where="clip_vision",
            fix="connect CLIPVisionLoader",
        )
    embeds = clip_vision.encode_image(portrait, crop="none")["image_embeds"].cpu().float()
    if tuple(embeds.shape) != (1, config.cross_dim):
        raise InputError(
            f"this CLIP_VISION has embeddings of size {' x '.join(map(str, embeds.shape[1:]))}, "
            f"but the video model needs {config.cross_dim}",
            where="clip_vision",
            fix="load the image encoder of sd-image-variations-diffusers (ViT-L/14)",
        )
    return embeds
