"""ComfyUI's SD1.5 UNet, of any width, with the tensors of a video model."""

from __future__ import annotations

from collections.abc import Mapping

import comfy.model_base
import comfy.model_management as management
import comfy.model_patcher
import comfy.ops
import comfy.supported_models
import comfy.utils
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import Tensor

from ...mmgt_core.video.config import VideoConfig
from .sites import unet_settings

OUTPUT_HEAD = ("conv_norm_out.", "conv_out.")
"""Not in the reference UNet, whose output is not used."""


class _ShapeOps(comfy.ops.disable_weight_init):
    """Layers that create their weights immediately; the host's may delay that until loading."""

    Linear = torch.nn.Linear


def unet_names(config: VideoConfig) -> dict[str, tuple[str, tuple[int, ...]]]:
    """diffusers name -> (ComfyUI's name, shape) of every tensor of the UNet."""
    settings = unet_settings(config)
    with torch.device("meta"):
        shapes = {
            k: tuple(v.shape)
            for k, v in UNetModel(**settings, device="meta", operations=_ShapeOps).state_dict().items()
        }
    names = comfy.utils.unet_to_diffusers(settings)
    return {theirs: (ours, shapes[ours]) for theirs, ours in names.items() if ours in shapes}


def unet_dtype(config: VideoConfig) -> torch.dtype:
    """The dtype in which the host would store the weights of such a UNet."""
    parameters = 860_000_000 * config.block_channels[0] ** 2 // 320**2
    return management.unet_dtype(device=management.get_torch_device(), model_params=parameters)


def build_unet(
    config: VideoConfig, tensors: Mapping[str, Tensor], dtype: torch.dtype, *, dynamic: bool = True
) -> comfy.model_patcher.ModelPatcher:
    """A MODEL of the UNet with these tensors (diffusers names, shapes already checked).

    A missing output head is filled with zeros. `dynamic`: see `host_patcher`.
    """
    description = comfy.supported_models.SD15(unet_settings(config))
    description.unet_config["num_heads"] = config.heads  # the class sets another value
    load, offload = management.get_torch_device(), management.unet_offload_device()
    description.set_inference_dtype(dtype, management.unet_manual_cast(dtype, load))
    kind = comfy.model_base.ModelType.V_PREDICTION
    model = comfy.model_base.BaseModel(description, model_type=kind, device=offload)
    state = {
        ours: tensors[theirs].to(dtype) if theirs in tensors else torch.zeros(shape, dtype=dtype)
        for theirs, (ours, shape) in unet_names(config).items()
    }
    model.load_model_weights(state)
    return host_patcher(model, dynamic)


def host_patcher(module: torch.nn.Module, dynamic: bool = True) -> comfy.model_patcher.ModelPatcher:
    """The module under the host's memory management, with the patcher class that its loaders use.

    Args:
        dynamic: False selects the plain class, which cannot stream weights on the newest hosts.
    """
    plain = comfy.model_patcher.ModelPatcher
    kind = getattr(comfy.model_patcher, "CoreModelPatcher", plain) if dynamic else plain
    load, offload = management.get_torch_device(), management.unet_offload_device()
    return kind(module, load_device=load, offload_device=offload)
