"""Nodes: the model files of Stage I and Stage II."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import comfy.model_management as management
import comfy.model_patcher
import torch
from comfy_api.latest import io

from ..mmgt_core import assets
from .comfy.load_video_model import load_host_video_model
from .comfy.services import model_fault, model_files, model_path, not_there
from .comfy.sockets import CATEGORY, MotionModelSocket, VideoModelSocket

MORE = "diffusion_models"  # where else model files lie
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

    patcher: Any

    @classmethod
    def of(cls, network: torch.nn.Module) -> HostMotionModel:
        devices = {
            "load_device": management.get_torch_device(),
            "offload_device": management.unet_offload_device(),
        }
        # The host writes an attribute `device` on what it manages; the network has one of its own.
        return cls(comfy.model_patcher.ModelPatcher(torch.nn.ModuleDict({"network": network}), **devices))

    def loaded(self) -> Any:
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
                )
            ],
            outputs=[MotionModelSocket.Output("motion_model", display_name="motion_model")],
        )

    @classmethod
    def validate_inputs(cls, file: str | None) -> bool | str:
        return model_fault(file, assets.MOTION_MODEL, MORE)

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        from ..mmgt_core.checkpoints.smga import load_smga

        network = load_smga(model_path(file, assets.MOTION_MODEL, MORE)).requires_grad_(False)
        return io.NodeOutput(HostMotionModel.of(network))


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
            ],
            outputs=[
                VideoModelSocket.Output("video_model", display_name="video_model"),
                io.Model.Output(
                    "model",
                    display_name="model",
                    tooltip="The file's own SD1.5 UNet; nothing where the file holds the adapter alone.",
                ),
                io.Vae.Output(
                    "vae",
                    display_name="vae",
                    tooltip="The file's own autoencoder; nothing where it needs the one of SD1.5.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None) -> bool | str:
        return model_fault(file, assets.VIDEO_MODEL, MORE)

    @classmethod
    def execute(cls, file: str, weight_dtype: str) -> io.NodeOutput:
        path = model_path(file, assets.VIDEO_MODEL, MORE)
        video = load_host_video_model(path, DTYPES[weight_dtype])
        model = video.model or not_there(
            "This video model is an adapter: load an SD1.5 checkpoint and use its MODEL."
        )
        vae = video.vae or not_there(
            "This video model brings no VAE: load the VAE of SD1.5 (vae-ft-mse) and use that."
        )
        return io.NodeOutput(video, model, vae)
