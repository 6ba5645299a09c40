"""The inputs shared by MMGT Apply and MMGT Sampler, and their conversion to `Sampling`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from comfy_api.latest import io
from torch import Tensor

from ..mmgt_core.base.presets import Preset, Quality
from ..mmgt_core.video.config import FULL_MASKS, FullMask, Fusion, PoseStyle
from ..mmgt_core.video.sampling import FramingMode, Sampling, WindowEnds
from .comfy.clip import make_clip
from .comfy.load_video_model import HostVideoModel
from .comfy.sampling import Prepared, prepare
from .comfy.sockets import (
    AudioFeaturesSocket,
    Masks,
    MasksSocket,
    MotionSocket,
    Pose,
    PoseKeypointSocket,
    Speech,
    VideoModelSocket,
)

if TYPE_CHECKING:
    from comfy.clip_vision import ClipVisionModel
    from comfy.model_patcher import ModelPatcher
    from comfy.sd import VAE

MODEL_DEFAULT = "model's own"  # the value in saved workflows
FROM_PRESET = "preset"
MODEL_WEIGHT = -1.0
MODEL_CFG = 0.0
WINDOW_ENDS: dict[str, WindowEnds | None] = {
    MODEL_DEFAULT: None,
    "open": "open",
    "closed loop": "closed loop",
}
POSE_STYLES: dict[str, PoseStyle | None] = {MODEL_DEFAULT: None, "example": "example", "paper": "paper"}
FUSIONS: dict[str, Fusion | None] = {MODEL_DEFAULT: None, "flat": "flat", "pyramid": "pyramid"}
FULL_MASK_CHOICES: dict[str, FullMask | None] = {MODEL_DEFAULT: None, **{name: name for name in FULL_MASKS}}
LINKS = ("model", "video_model", "vae", "portrait", "motion", "audio_features", "masks", "clip_vision")
"""Inputs that are connected; all others are widgets."""


def clip_sockets() -> list[io.Input]:
    """The connected inputs of both nodes."""
    return [
        io.Model.Input(
            "model",
            tooltip=(
                "SD1.5 model from MMGT Load Video Model, from MMGT Apply, or from a "
                "checkpoint loader, with or without LoRAs."
            ),
        ),
        VideoModelSocket.Input("video_model", tooltip="Video model from MMGT Load Video Model."),
        io.Vae.Input("vae", tooltip="VAE from MMGT Load Video Model, or an SD1.5 VAE."),
        io.Image.Input("portrait", tooltip="A single image of the person, of any size."),
        io.MultiType.Input(
            "motion",
            types=[MotionSocket, PoseKeypointSocket, io.Image],
            tooltip="Motion or POSE_KEYPOINT, or skeleton images drawn in DWPose style.",
        ),
        AudioFeaturesSocket.Input(
            "audio_features",
            optional=True,
            tooltip=(
                "Optional features from MMGT Audio Features. Without them, the video follows the motion only."
            ),
        ),
        MasksSocket.Input(
            "masks",
            optional=True,
            tooltip=(
                "Optional masks from MMGT Motion Masks. Without them, the masks are computed from the "
                "motion, or located in the skeleton images."
            ),
        ),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip=(
                "CLIP vision encoder, for video models that require one. Not needed for the demo model."
            ),
        ),
    ]


def clip_widgets() -> list[io.Input]:
    """The widgets of both nodes."""
    return [
        io.Int.Input(
            "steps", default=0, min=0, max=1000, tooltip="Number of sampling steps. 0 = model default."
        ),
        io.Int.Input(
            "width",
            default=0,
            min=0,
            max=4096,
            step=64,
            tooltip=(
                "Video width in pixels, a multiple of 64. 0 = model default. Smaller sizes need less memory."
            ),
        ),
        io.Int.Input(
            "height",
            default=0,
            min=0,
            max=4096,
            step=64,
            tooltip=(
                "Video height in pixels, a multiple of 64. 0 = model default. Smaller sizes need less memory."
            ),
        ),
        io.Combo.Input(
            "framing",
            options=[FROM_PRESET, *get_args(FramingMode)],
            default=FROM_PRESET,
            tooltip=(
                "How the portrait is fitted to width and height: pad extends the borders, "
                "crop cuts the center, stretch changes the aspect ratio; preset = pad, or stretch "
                "with the official preset. MMGT Decode Video removes the padding or pastes the crop "
                "back into the portrait."
            ),
        ),
        *map(advanced, _weights_and_windows()),
    ]


def _weights_and_windows() -> list[io.Input]:
    weight = {"default": MODEL_WEIGHT, "min": MODEL_WEIGHT, "max": 10.0, "step": 0.05}
    return [
        io.Float.Input(
            "pose_weight",
            **weight,
            tooltip="How strongly the audio affects the full frame. -1 = model default; 0 = no effect.",
        ),
        io.Float.Input(
            "face_weight",
            **weight,
            tooltip="How strongly the audio affects the face and hands. -1 = model default; 0 = no effect.",
        ),
        io.Float.Input(
            "lip_weight",
            **weight,
            tooltip=(
                "How strongly the audio affects the lips. -1 = model default; 0 = no effect. "
                "Increase it if the lips move too little."
            ),
        ),
        io.Combo.Input(
            "full_mask",
            options=list(FULL_MASK_CHOICES),
            default=MODEL_DEFAULT,
            tooltip=(
                "Mask of the full-frame audio branch. Keep model's own (model default) unless "
                "you compare settings."
            ),
        ),
        io.Int.Input(
            "window",
            display_name="context_length",
            default=0,
            min=0,
            max=32,
            tooltip=(
                "Context length: number of frames denoised together in one window. 0 = model "
                "default. Shorter windows need less memory."
            ),
        ),
        io.Int.Input(
            "overlap",
            display_name="context_overlap",
            default=-1,
            min=-1,
            max=31,
            tooltip=(
                "Context overlap: number of frames shared by neighboring windows. -1 = model "
                "default. More overlap gives smoother transitions and takes longer."
            ),
        ),
        io.Combo.Input(
            "window_ends",
            options=list(WINDOW_ENDS),
            default=MODEL_DEFAULT,
            tooltip=(
                "open = the last window ends with the clip; closed loop = it wraps around to "
                "the first frames, as in the published code; model's own = model default. "
                "Choose open unless the video should loop."
            ),
        ),
        io.Int.Input(
            "windows_at_once",
            default=1,
            min=0,
            max=16,
            tooltip=(
                "Number of windows per batch. Larger batches are faster on large GPUs and use "
                "more memory; results are the same up to rounding. 0 = as many as fit into "
                "free memory. Halved automatically if memory runs out."
            ),
        ),
    ]


def preset_input() -> io.Input:
    """The preset, last and optional, so that older workflows stay valid."""
    return io.Combo.Input(
        "preset",
        options=list(get_args(Preset)),
        default="recommended",
        optional=True,
        tooltip=(
            "Defaults of everything that is not chosen: recommended suits most clips; official "
            "makes every choice as the authors' script does. Use the same preset in all MMGT nodes."
        ),
    )


def quality_input() -> io.Input:
    """The quality, after all others."""
    return io.Combo.Input(
        "quality",
        options=list(get_args(Quality)),
        default="exact",
        optional=True,
        tooltip=(
            "exact = all steps of the preset or the model; fast = fewer steps, at most 8, with guidance in "
            "half of the video's; draft = 4 and 5 steps without guidance, to check a motion. steps and cfg "
            "take precedence."
        ),
    )


def late_widgets() -> list[io.Input]:
    """Widgets added later: last and optional, so that older workflows stay valid."""
    return [
        advanced(
            io.Combo.Input(
                "window_fusion",
                display_name="fuse_method",
                options=list(FUSIONS),
                default=MODEL_DEFAULT,
                optional=True,
                tooltip=(
                    "How overlapping windows are combined: flat = equal weights, as published; "
                    "pyramid = weights that decrease toward the ends of each window, for smoother "
                    "transitions; model's own = model default."
                ),
            )
        ),
    ]


def preset_widgets() -> list[io.Input]:
    """Added after `late_widgets` and keep_work: the last of all."""
    return [
        preset_input(),
        advanced(
            io.Combo.Input(
                "pose_style",
                options=list(POSE_STYLES),
                default=MODEL_DEFAULT,
                optional=True,
                tooltip=(
                    "How the skeleton is drawn: example = as in the sample video of the release; "
                    "paper = as in the published script; model's own = the preset's or the model's. "
                    "Try the other style if hands or arms do not follow the motion."
                ),
            )
        ),
    ]


def advanced(widget: io.Input) -> io.Input:
    """The widget, hidden until "Show advanced inputs" is chosen."""
    widget.extra_dict = {**widget.extra_dict, "advanced": True}  # older hosts have no such argument
    return widget


def chosen_sampling(
    *,
    seed: int = 0,
    cfg: float = MODEL_CFG,
    steps: int,
    width: int,
    height: int,
    framing: FramingMode | Literal["preset"],
    pose_weight: float,
    face_weight: float,
    lip_weight: float,
    full_mask: str,
    window: int,
    overlap: int,
    window_ends: str,
    windows_at_once: int,
    window_fusion: str = MODEL_DEFAULT,
    preset: Preset = "recommended",
    pose_style: str = MODEL_DEFAULT,
    quality: Quality = "exact",
) -> Sampling:
    """The widgets' values as `Sampling`; 0, -1 and "model's own" become None here and nowhere else."""
    pose, face, lips = (None if weight < 0 else weight for weight in (pose_weight, face_weight, lip_weight))
    return Sampling(
        preset=preset,
        seed=seed,
        cfg=None if cfg == MODEL_CFG else cfg,
        steps=steps or None,
        width=width or None,
        height=height or None,
        framing=None if framing == FROM_PRESET else framing,
        pose_style=POSE_STYLES[pose_style],
        pose_weight=pose,
        face_weight=face,
        lip_weight=lips,
        full_mask=FULL_MASK_CHOICES[full_mask],
        window=window or None,
        overlap=None if overlap < 0 else overlap,
        window_ends=WINDOW_ENDS[window_ends],
        window_fusion=FUSIONS[window_fusion],
        windows_at_once=windows_at_once or None,
        quality=quality,
    )


def prepared_clip(
    model: ModelPatcher,
    video_model: HostVideoModel,
    vae: VAE,
    portrait: Tensor,
    motion: Pose | Tensor,
    sampling: Sampling,
    audio_features: Speech | None = None,
    masks: Masks | None = None,
    clip_vision: ClipVisionModel | None = None,
) -> Prepared:
    """The clip of a node's inputs, ready to be sampled; inexpensive checks come first."""
    clip, fitted = make_clip(video_model, vae, portrait, motion, masks, audio_features, clip_vision, sampling)
    return prepare(model, video_model, clip, fitted, sampling)
