"""The inputs that MMGT Apply and MMGT Sampler have in common, and what they are made into."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..mmgt_core.video.config import FULL_MASKS
from ..mmgt_core.video.windows import Fusion
from .comfy.clip import ClipSettings, make_clip
from .comfy.sampling import Prepared, prepare
from .comfy.windows import clip_windows
from .comfy.sockets import AudioFeaturesSocket, MasksSocket, MotionSocket, PoseKeypointSocket, VideoModelSocket

OWN = "model's own"
WINDOW_ENDS = {OWN: None, "open": False, "closed loop": True}
FUSIONS: dict[str, Fusion | None] = {OWN: None, "flat": "flat", "pyramid": "pyramid"}
OWN_WEIGHT = -1.0


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
    weight = {"default": OWN_WEIGHT, "min": OWN_WEIGHT, "max": 10.0, "step": 0.05}
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
            options=[OWN, *FULL_MASKS],
            default=OWN,
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
            default=OWN,
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
                default=OWN,
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


def prepared_clip(
    model: Any,
    video_model: Any,
    vae: Any,
    portrait: Any,
    motion: Any,
    *,
    audio_features: Any = None,
    masks: Any = None,
    clip_vision: Any = None,
    steps: int,
    width: int,
    height: int,
    framing: str,
    pose_weight: float,
    face_weight: float,
    lip_weight: float,
    full_mask: str,
    window: int,
    overlap: int,
    window_ends: str,
    windows_at_once: int,
    window_fusion: str = OWN,
) -> Prepared:
    """Everything from the links and choices of a node; the cheap checks come first."""
    pose, face, lips = (None if weight < 0 else weight for weight in (pose_weight, face_weight, lip_weight))
    mask = None if full_mask == OWN else full_mask
    settings = ClipSettings(width, height, framing, (pose, face, lips), mask)
    ends, fusion = WINDOW_ENDS[window_ends], FUSIONS[window_fusion]
    windows = clip_windows(video_model.config, window, overlap, ends, windows_at_once, fusion)
    clip, fitted = make_clip(video_model, vae, portrait, motion, masks, audio_features, clip_vision, settings)
    return prepare(model, video_model, clip, fitted, windows, steps)
