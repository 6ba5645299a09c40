"""Node: generates a motion from speech and a first pose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui

from ..mmgt_core.base.errors import InputError
from .comfy.services import FRAME_RATE, blocked_output, fitting_size, host_progress, pose_images
from .comfy.sockets import (
    CATEGORY,
    AudioFeaturesSocket,
    MotionModelSocket,
    MotionSocket,
    Pose,
    PoseKeypointSocket,
    Speech,
    as_motion,
)
from .motion_inputs import body_limits_input, chosen_motion, gesture_inputs, preset_choices
from .sampler_inputs import advanced, preset_input, quality_input

if TYPE_CHECKING:
    from comfy_execution.graph_utils import ExecutionBlocker
    from torch import Tensor

    from ..mmgt_core.pose.motion import Motion
    from ..mmgt_core.smga.network import SMGA
    from ..mmgt_core.smga.sampling import MotionSampling
    from .loaders import HostMotionModel

NO_FRAMES = "none"
PREVIEW_SIZE, PREVIEW_FRAMES = 256, 60


class SMGAPoseGenerate(io.ComfyNode):
    """MMGT_AUDIO_FEATURES and the portrait's pose -> MMGT_MOTION."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SMGAPoseGenerate",
            display_name="MMGT Generate Motion",
            category=CATEGORY,
            description=(
                "Generates face, hand and body motion from speech, starting at the pose of "
                "the portrait (Stage I, SMGA)."
            ),
            inputs=[
                MotionModelSocket.Input("motion_model", tooltip="Motion model from MMGT Load Motion Model."),
                AudioFeaturesSocket.Input(
                    "audio_features", tooltip="Audio features from MMGT Audio Features."
                ),
                io.MultiType.Input(
                    "pose",
                    types=[MotionSocket, PoseKeypointSocket],
                    tooltip="Pose of the portrait. Only the first frame is used.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**63 - 1,
                    control_after_generate=True,
                    tooltip="Random seed. Different seeds give different gestures for the same speech.",
                ),
                io.Int.Input(
                    "steps",
                    default=0,
                    min=0,
                    max=1000,
                    tooltip="Number of denoising steps. 0 = model default.",
                ),
                io.Float.Input(
                    "guidance",
                    default=0.0,
                    min=0.0,
                    max=20.0,
                    step=0.1,
                    tooltip=(
                        "Classifier-free guidance scale: how closely the motion follows the speech. 0 "
                        "= model default; 1 = no guidance."
                    ),
                ),
                io.Int.Input(
                    "candidates",
                    default=1,
                    min=1,
                    max=16,
                    tooltip=(
                        "Number of continuations generated for every 3 seconds; the smoothest is "
                        "kept. Values above 1 suit recordings of one or two minutes, not longer ones."
                    ),
                ),
                io.Float.Input(
                    "smoothing",
                    default=0.0,
                    min=0.0,
                    max=10.0,
                    step=0.5,
                    tooltip=(
                        "Reduces jitter: temporal smoothing width in frames. 0 = off. Lips are not smoothed."
                    ),
                ),
                io.Combo.Input(
                    "pose_frames",
                    options=[NO_FRAMES, "256", "512"],
                    default=NO_FRAMES,
                    tooltip=(
                        "Shorter side of the pose_frames images in pixels; none = no images. They "
                        "take 0.8 MB (256) or 3 MB (512) per frame."
                    ),
                ),
                preset_input(),
                *map(advanced, preset_choices()),
                quality_input(),
                *gesture_inputs(),
                advanced(body_limits_input()),
            ],
            outputs=[
                MotionSocket.Output("motion", display_name="motion"),
                io.Image.Output("frames", display_name="pose_frames"),
                PoseKeypointSocket.Output("pose_keypoint", display_name="pose_keypoint"),
            ],
        )

    @classmethod
    def execute(
        cls,
        motion_model: HostMotionModel,
        audio_features: Speech,
        pose: Pose,
        pose_frames: str,
        smoothing: float,
        seed: int,
        steps: int,
        guidance: float,
        candidates: int,
        **choices: Any,
    ) -> io.NodeOutput:
        from ..mmgt_core.pose.edit import smoothed
        from ..mmgt_core.pose.openpose import to_pose_keypoint

        network, first_pose = motion_model.loaded(), as_motion(pose).window([0])
        sampling = chosen_motion(seed=seed, steps=steps, guidance=guidance, candidates=candidates, **choices)
        motion = _generate(network, audio_features, first_pose, sampling)
        motion = smoothed(motion, smoothing)
        images: Tensor | ExecutionBlocker = blocked_output(
            "MMGT Generate Motion has no pose frames to pass on: choose a size for pose_frames."
        )
        if pose_frames != NO_FRAMES:
            images = pose_images(motion, fitting_size(motion.width, motion.height, int(pose_frames)))
        return io.NodeOutput(motion, images, to_pose_keypoint(motion), ui=preview(motion))


def _generate(network: SMGA, speech: Speech, first_pose: Motion, sampling: MotionSampling) -> Motion:
    from ..mmgt_core.audio.silence_gate import apply_to_motion
    from ..mmgt_core.smga.generate import generate_motion

    if network.config.audio_channels != speech.features.stage1.shape[1]:
        raise InputError(
            f"this motion model reads {network.config.audio_channels} channels, but the audio features have "
            f"{speech.features.stage1.shape[1]}",
            where="audio_features",
            fix="choose the motion_encoder of this model in MMGT Audio Features, or choose the demo model",
        )
    chosen = sampling.applied_to(network.config)
    motion = generate_motion(network, speech.features.stage1, first_pose, chosen, host_progress())
    if speech.gate is None or not chosen.silence_gate:
        return motion
    return apply_to_motion(motion, speech.gate, first_pose)


def preview(motion: Motion) -> ui.PreviewVideo:
    """An animation of the first few seconds, shown on the node."""
    stride = 2
    shown = motion.window(slice(0, PREVIEW_FRAMES * stride, stride))
    images = pose_images(shown, fitting_size(motion.width, motion.height, PREVIEW_SIZE))
    saved = ui.ImageSaveHelper.save_animated_webp(
        images, "mmgt_motion", io.FolderType.temp, None, FRAME_RATE / stride, False, 70, 0
    )
    return ui.PreviewVideo([saved])
