"""Nodes: the clip as patches and conditioning for any sampler, or sampled right away."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, get_args

import comfy.samplers
from comfy_api.latest import io

from ..mmgt_core.video.config import FULL_MASKS
from ..mmgt_core.video.windows import Fusion
from .clip_inputs import ClipSettings, make_clip
from .comfy_windows import clip_windows
from .conditioning import OFFICIAL, Prepared, prepare, sample
from .decoding import decoded_images
from .host import not_there
from .resumable import Work
from .sockets import (
    CATEGORY,
    AudioFeaturesSocket,
    MasksSocket,
    MotionSocket,
    PoseKeypointSocket,
    VideoModelSocket,
)

OWN = "model's own"
WINDOW_ENDS = {OWN: None, "open": False, "closed loop": True}
OWN_WEIGHT = -1.0
NO_IMAGES = not_there("MMGT Sampler gives no images: switch decode on, or use MMGT Decode Video.")


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
    weight = {"default": OWN_WEIGHT, "min": OWN_WEIGHT, "max": 10.0, "step": 0.05}
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
            min=1,
            max=16,
            tooltip="Windows that are computed side by side: the same result, faster on large GPUs, more "
            "memory.",
        ),
    ]


def late_widgets() -> list[Any]:
    """Choices that came later: they stand last and may be left out, so that older workflows stay as they
    are.
    """
    return [
        io.Combo.Input(
            "window_fusion",
            options=list(get_args(Fusion)),
            default="flat",
            optional=True,
            tooltip="How overlapping windows are joined: flat counts all alike, as published; pyramid fades "
            "one into the next.",
        ),
    ]


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
    window_fusion: Fusion = "flat",
) -> Prepared:
    """Everything from the links and choices of a node; the cheap checks come first."""
    pose, face, lips = (None if weight < 0 else weight for weight in (pose_weight, face_weight, lip_weight))
    mask = None if full_mask == OWN else full_mask
    settings = ClipSettings(width, height, framing, (pose, face, lips), mask)
    windows = clip_windows(
        video_model.config, window, overlap, WINDOW_ENDS[window_ends], windows_at_once, window_fusion
    )
    clip, fitted = make_clip(video_model, vae, portrait, motion, masks, audio_features, clip_vision, settings)
    return prepare(model, video_model, clip, fitted, windows, steps)


class MMGTApply(io.ComfyNode):
    """The clip as a patched MODEL and two CONDITIONINGs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTApply",
            display_name="MMGT Apply",
            category=CATEGORY,
            description="Patches an SD1.5 MODEL with MMGT, for KSampler and every other sampler of ComfyUI.",
            inputs=[*clip_sockets(), *clip_widgets(), *late_widgets()],
            outputs=[
                io.Model.Output("patched", display_name="model"),
                io.Conditioning.Output("positive", display_name="positive"),
                io.Conditioning.Output("negative", display_name="negative"),
                io.Latent.Output(
                    "latent", display_name="latent", tooltip="Empty, of the right length and size."
                ),
                io.Sigmas.Output(
                    "sigmas", display_name="sigmas", tooltip="The published steps, for SamplerCustomAdvanced."
                ),
            ],
        )

    @classmethod
    def execute(cls, **inputs: Any) -> io.NodeOutput:
        prepared = prepared_clip(**inputs)
        return io.NodeOutput(
            prepared.model, prepared.positive, prepared.negative, prepared.latent, prepared.sigmas
        )


class MMGTSampler(io.ComfyNode):
    """The clip, sampled."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        own = [
            io.Int.Input(
                "seed",
                default=0,
                min=0,
                max=2**63 - 1,
                control_after_generate=True,
                tooltip="Decides the noise that the video grows from.",
            ),
            io.Float.Input(
                "cfg",
                default=0.0,
                min=0.0,
                max=30.0,
                step=0.1,
                tooltip="How strictly portrait and sound are followed; 0 takes the model's own, 1 is "
                "twice as fast as more.",
            ),
            io.Combo.Input(
                "sampler",
                options=[OFFICIAL, *comfy.samplers.SAMPLER_NAMES],
                default=OFFICIAL,
                tooltip="official is the published sampler exactly; all others are ComfyUI's.",
            ),
        ]
        decode = io.Boolean.Input(
            "decode",
            default=False,
            tooltip="Decode here too and give IMAGE; for long clips use MMGT Decode Video.",
        )
        keep_work = io.Boolean.Input(
            "keep_work",
            default=False,
            optional=True,
            tooltip="Keep the finished steps on disk: when a run was stopped, the same prompt goes on where "
            "it was. For the samplers official, euler and ddim.",
        )
        return io.Schema(
            node_id="MMGTSampler",
            display_name="MMGT Sampler",
            category=CATEGORY,
            description="Makes the video: the portrait moves as the motion says and speaks as the sound "
            "says.",
            inputs=[*clip_sockets(), *own, *clip_widgets(), decode, *late_widgets(), keep_work],
            outputs=[
                io.Latent.Output("latent", display_name="latent"),
                io.Image.Output("images", display_name="images"),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.unique_id],  # they tell which models the kept work is of
        )

    @classmethod
    def execute(
        cls,
        vae: Any,
        video_model: Any,
        seed: int,
        cfg: float,
        sampler: str,
        steps: int,
        decode: bool,
        keep_work: bool = False,
        **inputs: Any,
    ) -> io.NodeOutput:
        prepared = prepared_clip(vae=vae, video_model=video_model, steps=steps, **inputs)
        choices = {"sampler": sampler, "seed": seed, "steps": steps, "cfg": cfg, **inputs}
        with _work(cls, prepared, choices) if keep_work else nullcontext(Work()) as work:
            latent = sample(
                prepared,
                video_model,
                sampler,
                seed,
                steps,
                cfg,
                after_step=work.after_step,
                resume=work.resume,
            )
        return io.NodeOutput(latent, decoded_images(latent, vae) if decode else NO_IMAGES)


def _work(node: type[io.ComfyNode], prepared: Prepared, choices: dict[str, Any]) -> Any:
    """The work folder of these choices; the models among them are told apart by the prompt."""
    from .work_folder import sampling_work

    models = ("model", "clip_vision")
    return sampling_work(node, prepared, {name: v for name, v in choices.items() if name not in models})
