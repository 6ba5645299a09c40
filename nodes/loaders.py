"""Nodes: load the model files of Stage I and Stage II."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import comfy.model_management as management
import comfy.model_patcher
import torch
from comfy_api.latest import io

from ..mmgt_core import assets
from .comfy.load_video_model import load_host_video_model
from .comfy.services import blocked_output, model_fault, model_files, model_path
from .comfy.sockets import CATEGORY, MotionModelSocket, VideoModelSocket
from .comfy.speakers import (
    NO_SPEAKER,
    chosen_speaker,
    speaker_fault,
    speaker_fingerprint,
    speaker_inputs,
)

if TYPE_CHECKING:
    from ..mmgt_core.smga.network import SMGA

MORE = "diffusion_models"  # a second folder with model files
DTYPES = {
    "default": None,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
    "fp8_e4m3fn": torch.float8_e4m3fn,
}


@dataclass(frozen=True, eq=False)
class HostMotionModel:
    """What MMGT_MOTION_MODEL carries: SMGA under the host's memory management."""

    patcher: comfy.model_patcher.ModelPatcher

    @classmethod
    def of(cls, network: SMGA) -> HostMotionModel:
        devices = {
            "load_device": management.get_torch_device(),
            "offload_device": management.unet_offload_device(),
        }
        # The host sets an attribute `device` on the module it manages; the network already has one.
        return cls(comfy.model_patcher.ModelPatcher(torch.nn.ModuleDict({"network": network}), **devices))

    def loaded(self) -> SMGA:
        """The network on the device that the host computes on."""
        management.load_models_gpu([self.patcher], force_full_load=True)
        return self.patcher.model["network"]


class MMGTLoadMotionModel(io.ComfyNode):
    """File -> MMGT_MOTION_MODEL."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTLoadMotionModel",
            display_name="MMGT Load Motion Model",
            category=CATEGORY,
            description="Loads the motion model (Stage I, SMGA), which generates motion from speech.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=model_files(MORE),
                    tooltip=(
                        "Motion model in models/mmgt or models/diffusion_models: published (.pt) or "
                        "converted (.safetensors), or the small demo model included in this pack."
                    ),
                ),
                *speaker_inputs(),
            ],
            outputs=[MotionModelSocket.Output("motion_model", display_name="motion_model")],
        )

    @classmethod
    def validate_inputs(cls, file: str | None, speaker: str | None = NO_SPEAKER) -> bool | str:
        return loader_fault(model_fault(file, assets.MOTION_MODEL, MORE), speaker_fault(speaker))

    @classmethod
    def fingerprint_inputs(cls, speaker: str | None = NO_SPEAKER, **others: object) -> str:
        return speaker_fingerprint(speaker)

    @classmethod
    def execute(cls, file: str, speaker: str = NO_SPEAKER, speaker_strength: float = 1.0) -> io.NodeOutput:
        from ..mmgt_core.checkpoints.smga import load_smga

        path = model_path(file, assets.MOTION_MODEL, MORE)
        network = load_smga(path, speaker=chosen_speaker(speaker, speaker_strength, "motion"))
        return io.NodeOutput(HostMotionModel.of(network.requires_grad_(False)))


class MMGTLoadVideoModel(io.ComfyNode):
    """File -> MMGT_VIDEO_MODEL, MODEL, VAE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTLoadVideoModel",
            display_name="MMGT Load Video Model",
            category=CATEGORY,
            description=(
                "Loads the video model (Stage II), which generates video from a portrait, a "
                "motion and speech."
            ),
            inputs=[
                io.Combo.Input(
                    "file",
                    options=model_files(MORE),
                    tooltip=(
                        "Video model in models/mmgt or models/diffusion_models: published (.pth) or "
                        "converted (.safetensors), or the small demo model included in this pack."
                    ),
                ),
                io.Combo.Input(
                    "weight_dtype",
                    options=list(DTYPES),
                    default="default",
                    tooltip=(
                        "Data type of the weights. default = chosen by ComfyUI. fp16, bf16 and "
                        "fp8_e4m3fn need less memory than fp32."
                    ),
                ),
                *speaker_inputs(),
            ],
            outputs=[
                VideoModelSocket.Output("video_model", display_name="video_model"),
                io.Model.Output(
                    "model",
                    display_name="model",
                    tooltip="SD1.5 UNet of the file. Blocked if the file contains only the adapter.",
                ),
                io.Vae.Output(
                    "vae",
                    display_name="vae",
                    tooltip="VAE of the file. Blocked if the file contains no VAE.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None, speaker: str | None = NO_SPEAKER) -> bool | str:
        return loader_fault(model_fault(file, assets.VIDEO_MODEL, MORE), speaker_fault(speaker))

    @classmethod
    def fingerprint_inputs(cls, speaker: str | None = NO_SPEAKER, **others: object) -> str:
        return speaker_fingerprint(speaker)

    @classmethod
    def execute(
        cls, file: str, weight_dtype: str, speaker: str = NO_SPEAKER, speaker_strength: float = 1.0
    ) -> io.NodeOutput:
        path = model_path(file, assets.VIDEO_MODEL, MORE)
        person = chosen_speaker(speaker, speaker_strength, "video")
        video = load_host_video_model(path, DTYPES[weight_dtype], person)
        model = video.model or blocked_output(
            "This video model contains only the adapter: load an SD1.5 checkpoint and connect its MODEL."
        )
        vae = video.vae or blocked_output(
            "This video model contains no VAE: load the SD1.5 VAE (vae-ft-mse) and connect it."
        )
        return io.NodeOutput(video, model, vae)


def loader_fault(*faults: bool | str) -> bool | str:
    """True, or all error texts, as `validate_inputs` returns it."""
    return " ".join(fault for fault in faults if isinstance(fault, str)) or True
