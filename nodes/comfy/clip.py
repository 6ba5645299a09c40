"""What a person links and chooses, as one `Clip` for the video model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.media.portrait_framing import PortraitFraming
from ...mmgt_core.pipeline.inputs import length_note
from ...mmgt_core.pose.motion import same_shape
from ...mmgt_core.video.clip_masks import clip_masks
from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.sampling import Sampling
from .conditions import Clip
from .load_video_model import HostVideoModel
from .node_text import sentence, tell
from .services import one_image
from .sockets import Masks, Speech, as_motion

if TYPE_CHECKING:
    from ...mmgt_core.media.framing import Framing
    from ...mmgt_core.pose.motion import Motion
    from ...mmgt_core.video.conditions import FrameMasks


def make_clip(
    video: HostVideoModel,
    vae: Any,
    portrait: Tensor,
    pose: Any,
    masks: Masks | None,
    speech: Speech | None,
    clip_vision: Any,
    sampling: Sampling,
) -> tuple[Clip, PortraitFraming]:
    """The clip, and how the portrait was fitted to the video's size.

    Args:
        pose: MMGT_MOTION, POSE_KEYPOINT, or IMAGE frames of a skeleton drawn in the model's style.
        masks: None: those of the motion; none at all for IMAGE frames.
        speech: None: no audio.

    Raises InputError for what does not fit together.
    """
    from ...mmgt_core.media.framing import fit_image

    config = sampling.applied_to(video.config)
    image = one_image(portrait, "portrait")
    fitted, framing = fit_image(image, sampling.size(config), sampling.framing)
    target = torch.from_numpy(fitted).float()[None] / 255
    motion = None
    if not isinstance(pose, Tensor):
        motion = as_motion(pose, framing.source).on_portrait(framing.source, "motion")
    frames = _frames(pose if motion is None else motion.keypoints, speech, masks)
    latent = _latent(vae, target, config)
    return Clip(
        frames=frames,
        portrait=latent,
        image_embeds=_image_embeds(clip_vision, target, config),
        pose_images=_skeleton(framing.motion_to_target(motion), framing.target, config)
        if motion
        else _drawn(pose, framing, sampling.framing),
        audio=None if speech is None else _audio(speech, config)[:frames],
        masks=_masks(masks or (Masks(motion) if motion else None), framing, latent, config),
        region_weights=config.region_weights,
    ), PortraitFraming(framing, image)


def _latent(vae: Any, target: Tensor, config: VideoConfig) -> Tensor:
    """The portrait's latent (1, 4, h, w); raises InputError when the VAE is of another family."""
    latent = vae.encode(target)
    height, width = target.shape[1:3]
    wanted = (1, config.latent_channels, height // 8, width // 8)
    if tuple(latent.shape) != wanted:
        raise InputError(
            f"this VAE gives latents of the shape {tuple(latent.shape)} instead of {wanted}",
            where="vae",
            fix="link the VAE that MMGT Load Video Model gives, or that of SD1.5 (vae-ft-mse)",
        )
    return latent


def _frames(pose: Tensor, speech: Speech | None, masks: Masks | None) -> int:
    """The shorter one of pose and sound; raises InputError for masks of another length."""
    if masks is not None and masks.frames != pose.shape[0]:
        raise InputError(
            f"the masks have {masks.frames} frames, the motion {pose.shape[0]}",
            where="masks",
            fix="make them from this motion",
        )
    frames = pose.shape[0] if speech is None else min(pose.shape[0], speech.frames)
    if speech is not None and speech.frames != pose.shape[0]:
        tell(sentence(length_note(pose.shape[0], speech.frames)))
    return frames


def _skeleton(motion: Motion, size: tuple[int, int], config: VideoConfig) -> Any:
    """Draws the frames of a window when it needs them."""
    from ...mmgt_core.pose.drawing import draw_pose

    return lambda indices: torch.from_numpy(draw_pose(motion.window(list(indices)), size, config.pose_style))


def _drawn(images: Tensor, framing: Framing, mode: Any) -> Any:
    """Skeleton pictures that somebody else drew, in the portrait's framing."""
    from ...mmgt_core.media.framing import fit
    from ...mmgt_core.media.images import to_uint8

    height, width = images.shape[1:3]
    if not same_shape((width, height), framing.source):
        raise InputError(
            f"the pose frames are {width} x {height} pixels, the portrait {framing.source[0]} x "
            f"{framing.source[1]}",
            where="pose",
            fix="give both the same shape, for example by cropping one of them",
        )
    fitted = fit((width, height), framing.target, mode)

    def draw(indices: Sequence[int]) -> Tensor:
        return torch.stack([torch.from_numpy(fitted.apply(to_uint8(images[i, ..., :3]))) for i in indices])

    return draw


def _audio(speech: Speech, config: VideoConfig) -> Tensor:
    """(frames, window, blocks, channels); raises InputError for features of another kind than the model's."""
    features = speech.features
    wanted = (config.audio_window, config.audio_blocks, config.audio_channels)
    if features.stage2_kind != config.audio_features or tuple(features.stage2.shape[1:]) != wanted:
        raise InputError(
            f"this video model hears {config.audio_features}, the audio features are {features.stage2_kind}",
            where="audio_features",
            fix="link the audio encoder that belongs to the model to LoadAudioFeatures",
        )
    return features.stage2


def _image_embeds(clip_vision: Any, portrait: Tensor, config: VideoConfig) -> Tensor | None:
    if config.image_context != "clip":
        return None
    if clip_vision is None:
        raise InputError(
            "this video model wants to see the portrait through CLIP",
            where="clip_vision",
            fix="link a CLIPVisionLoader",
        )
    embeds = clip_vision.encode_image(portrait, crop="none")["image_embeds"].cpu().float()
    if tuple(embeds.shape) != (1, config.cross_dim):
        raise InputError(
            f"this CLIP_VISION gives {' x '.join(map(str, embeds.shape[1:]))} numbers, the video model reads "
            f"{config.cross_dim}",
            where="clip_vision",
            fix="load the image encoder of sd-image-variations-diffusers (ViT-L/14)",
        )
    return embeds


def _masks(masks: Masks | None, framing: Framing, latent: Tensor, config: VideoConfig) -> FrameMasks | None:
    """The masks as they lie in the video's framing; None without a motion."""
    if masks is None:
        return None
    motion = masks.motion.on_portrait(framing.source, "masks")
    boxes = masks.boxes(framing.motion_to_target(motion))
    return clip_masks(boxes, (latent.shape[-2], latent.shape[-1]), config.full_mask)
