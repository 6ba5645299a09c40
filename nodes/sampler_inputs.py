"""The inputs that MMGT Apply and MMGT Sampler have in common, and what they are made into."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..mmgt_core.video.config import FULL_MASKS, FullMask, Fusion
from ..mmgt_core.video.sampling import FramingMode, Sampling, WindowEnds
from .comfy.clip import make_clip
from .comfy.load_video_model import HostVideoModel
from .comfy.sampling import Prepared, prepare
from .comfy.sockets import (
    AudioFeaturesSocket,
    Masks,
    MasksSocket,
    MotionSocket,
    PoseKeypointSocket,
    Speech,
    VideoModelSocket,
)

MODEL_DEFAULT = "model's own"  # as saved workflows have it
MODEL_WEIGHT = -1.0
MODEL_CFG = 0.0
WINDOW_ENDS: dict[str, WindowEnds | None] = {
    MODEL_DEFAULT: None,
    "open": "open",
    "closed loop": "closed loop",
}
FUSIONS: dict[str, Fusion | None] = {MODEL_DEFAULT: None, "flat": "flat", "pyramid": "pyramid"}
FULL_MASK_CHOICES: dict[str, FullMask | None] = {MODEL_DEFAULT: None, **{name: name for name in FULL_MASKS}}
LINKS = ("model", "video_model", "vae", "portrait", "motion", "audio_features", "masks", "clip_vision")
"""Inputs that are linked; the others are widgets."""


def clip_sockets() -> list[Any]:
    """The inputs that both nodes link."""
    return [
        io.Model.Input(
            "model",
            tooltip="The SD1.5 UNet: from MMGT Load Video Model, or your own with its LoRAs, or the one "
            "from MMGT Apply.",
        ),
        VideoModelSocket.Input("video_model", tooltip="From MMGT Load Video Model."),
        io.Vae.Input("vae", tooltip="From MMGT Load Video Model, or a VAE of SD1.5."),
        io.Image.Input("portrait", tooltip="One picture of the person, of any size."),
        io.MultiType.Input(
            "motion",
            types=[MotionSocket, PoseKeypointSocket, io.Image],
            tooltip="The motion, or frames of a skeleton drawn as DWPose does.",
        ),
        AudioFeaturesSocket.Input(
            "audio_features",
            optional=True,
            tooltip="From Load Audio Features; without it nothing is heard and the pose alone moves the "
            "picture.",
        ),
        MasksSocket.Input(
            "masks",
            optional=True,
            tooltip="From Motion Mask From Keypoints; without it the regions are those of the motion.",
        ),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="The image encoder, for models that want one; the demo model does not.",
        ),
    ]


def clip_widgets() -> list[Any]:
    """The choices that both nodes offer."""
    return [
        io.Int.Input("steps", default=0, min=0, max=1000, tooltip="Sampling steps; 0 takes the model's own."),
        io.Int.Input(
            "width",
            default=0,
            min=0,
            max=4096,
            step=64,
            tooltip="Width of the video in pixels, a multiple of 64; 0 takes the model's own.",
        ),
        io.Int.Input(
            "height",
            default=0,
            min=0,
            max=4096,
            step=64,
            tooltip="Height of the video in pixels, a multiple of 64; 0 takes the model's own.",
        ),
        io.Combo.Input(
            "framing",
            options=["pad", "crop", "stretch"],
            default="pad",
            tooltip="How the portrait is brought to that size. MMGT Decode Video undoes it: padding is cut "
            "off, a crop is pasted back into the portrait.",
        ),
        *map(advanced, _weights_and_windows()),
    ]


def _weights_and_windows() -> list[Any]:
    weight = {"default": MODEL_WEIGHT, "min": MODEL_WEIGHT, "max": 10.0, "step": 0.05}
    return [
        io.Float.Input(
            "pose_weight",
            **weight,
            tooltip="How strongly the sound acts on the whole picture; -1 takes the model's own.",
        ),
        io.Float.Input(
            "face_weight",
            **weight,
            tooltip="How strongly the sound acts on face and hands; -1 takes the model's own.",
        ),
        io.Float.Input(
            "lip_weight",
            **weight,
            tooltip="How strongly the sound acts on the lips; -1 takes the model's own.",
        ),
        io.Combo.Input(
            "full_mask",
            options=list(FULL_MASK_CHOICES),
            default=MODEL_DEFAULT,
            tooltip="What the whole-picture branch of the audio attention sees.",
        ),
        io.Int.Input(
            "window",
            default=0,
            min=0,
            max=32,
            tooltip="Frames that are denoised together; 0 takes the model's own.",
        ),
        io.Int.Input(
            "overlap",
            default=-1,
            min=-1,
            max=31,
            tooltip="Frames that neighbouring windows share; -1 takes the model's own.",
        ),
        io.Combo.Input(
            "window_ends",
            options=list(WINDOW_ENDS),
            default=MODEL_DEFAULT,
            tooltip="Closed loop lets the last window reach over to the first frames, as published; open "
            "ends with the clip.",
        ),
        io.Int.Input(
            "windows_at_once",
            default=1,
            min=0,
            max=16,
            tooltip="Windows that are computed side by side: the same result up to rounding, faster on large "
            "GPUs, more memory; 0 takes as many as free memory holds. Halved when memory runs out.",
        ),
    ]


def late_widgets() -> list[Any]:
    """Choices that came later: they stand last and may be left out, so that older workflows stay as they
    are.
    """
    return [
        advanced(
            io.Combo.Input(
                "window_fusion",
                options=list(FUSIONS),
                default=MODEL_DEFAULT,
                optional=True,
                tooltip="How overlapping windows are joined: flat counts all alike, as published; pyramid "
                "fades one into the next; model's own is what the model was measured with.",
            )
        ),
    ]


def advanced(widget: Any) -> Any:
    """The widget, kept behind "Show advanced inputs" until somebody wants it."""
    widget.extra_dict = {**widget.extra_dict, "advanced": True}  # older hosts have no argument for it
    return widget


def chosen_sampling(
    *,
    seed: int = 0,
    cfg: float = MODEL_CFG,
    steps: int,
    width: int,
    height: int,
    framing: FramingMode,
    pose_weight: float,
    face_weight: float,
    lip_weight: float,
    full_mask: str,
    window: int,
    overlap: int,
    window_ends: str,
    windows_at_once: int,
    window_fusion: str = MODEL_DEFAULT,
) -> Sampling:
    """The widgets' values; here, and nowhere else, 0, -1 and "model's own" become None."""
    pose, face, lips = (None if weight < 0 else weight for weight in (pose_weight, face_weight, lip_weight))
    return Sampling(
        seed=seed,
        cfg=None if cfg == MODEL_CFG else cfg,
        steps=steps or None,
        width=width or None,
        height=height or None,
        framing=framing,
        pose_weight=pose,
        face_weight=face,
        lip_weight=lips,
        full_mask=FULL_MASK_CHOICES[full_mask],
        window=window or None,
        overlap=None if overlap < 0 else overlap,
        window_ends=WINDOW_ENDS[window_ends],
        window_fusion=FUSIONS[window_fusion],
        windows_at_once=windows_at_once or None,
    )


def prepared_clip(
    model: Any,
    video_model: HostVideoModel,
    vae: Any,
    portrait: Tensor,
    motion: Any,
    sampling: Sampling,
    audio_features: Speech | None = None,
    masks: Masks | None = None,
    clip_vision: Any = None,
) -> Prepared:
    """Everything from the links of a node; the cheap checks come first."""
    clip, fitted = make_clip(video_model, vae, portrait, motion, masks, audio_features, clip_vision, sampling)
    return prepare(model, video_model, clip, fitted, sampling)
