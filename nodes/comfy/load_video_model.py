"""A Stage II model file on the host: its networks under memory management, and MODEL and VAE where it holds
them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import comfy.model_management as management
import torch
from torch import Tensor

from ...mmgt_core.checkpoints.io import check_names_and_shapes, config_from_json
from ...mmgt_core.checkpoints.video import WHAT, infer_config
from ...mmgt_core.checkpoints.video_keys import adapter_keys, is_audio_convolution, position_shapes
from ...mmgt_core.checkpoints.video_parts import read_video_file
from ...mmgt_core.video.adapter import Adapter, folded_state
from ...mmgt_core.video.config import VideoConfig
from .host_layers import host_layers
from .host_vae import PREFIX as AUTOENCODER
from .host_vae import check_autoencoder, host_vae, tiny_autoencoder_shapes
from .unet_model import OUTPUT_HEAD, build_unet, host_patcher, unet_dtype, unet_names

UNET, REFERENCE = "denoising_unet.", "reference_unet."
FIRST_OF_UNET = f"{UNET}conv_in.weight"  # there unless the file is an adapter for SD1.5 models
# official prefix -> prefix in `Adapter`, for the modules outside of the UNet.
ADAPTER_PREFIXES = {"pose_guider.": "pose_guider.", "audioproj.": "audio_projection."}


@dataclass(frozen=True, eq=False)
class HostVideoModel:
    """The networks of one model file; sockets of the type MMGT_VIDEO_MODEL carry it.

    Attributes:
        adapter: ModelPatcher of an `Adapter` with folded audio modules.
        reference: ModelPatcher of the reference UNet, a module of its own.
        model: MODEL of the denoising UNet; None where the file holds the adapter alone.
        vae: the file's own autoencoder, or None.
    """

    config: VideoConfig
    adapter: Any
    reference: Any
    model: Any | None
    vae: Any | None


def load_host_video_model(path: str | os.PathLike[str], dtype: torch.dtype | None = None) -> HostVideoModel:
    """Load a Stage II model file; `dtype` is that of the weights, None leaves it to the host.

    Raises CheckpointError, naming the tensors, when any is missing, unknown or misshapen.
    """
    config, tensors = _read(path)
    dtype = dtype or unet_dtype(config)
    model = _model(config, tensors, dtype)
    if model is not None:
        # The host builds a second copy through this where it needs one, for example for conditioning hooks.
        model.cached_patcher_init = (reload_model, (path, dtype))
    return HostVideoModel(
        config=config,
        adapter=build_adapter(config, tensors, dtype),
        reference=build_unet(config, _part(tensors, REFERENCE), dtype),
        model=model,
        vae=host_vae(config, _part(tensors, AUTOENCODER)) if config.autoencoder == "tiny" else None,
    )


def reload_model(path: str | os.PathLike[str], dtype: torch.dtype, disable_dynamic: bool = False) -> Any:
    """The MODEL of a file once more, alone."""
    return _model(*_read(path), dtype, not disable_dynamic)


def _read(path: str | os.PathLike[str]) -> tuple[VideoConfig, dict[str, Tensor]]:
    """The configuration and the tensors of a file, every name and shape checked."""
    file = read_video_file(path, with_unet=False)  # of a model in parts the host's own loader opens the UNet
    config = (
        config_from_json(VideoConfig, file.config, path) if file.config else infer_config(file.tensors, path)
    )
    expected = official_shapes(config, FIRST_OF_UNET in file.tensors, path)
    check_names_and_shapes(file.tensors, expected, path, WHAT)
    return config, file.tensors


def _model(
    config: VideoConfig, tensors: Mapping[str, Tensor], dtype: torch.dtype, dynamic: bool = True
) -> Any:
    """The MODEL of the tensors, or None where they are the adapter's alone."""
    if FIRST_OF_UNET not in tensors:
        return None
    return build_unet(config, _part(tensors, UNET), dtype, dynamic=dynamic)


def official_shapes(config: VideoConfig, has_unet: bool, where: object = None) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the official file, without those of the UNet unless `has_unet`."""
    unet = {name: shape for name, (_, shape) in unet_names(config).items()}
    shapes = {REFERENCE + name: shape for name, shape in unet.items() if not name.startswith(OUTPUT_HEAD)}
    if has_unet:
        shapes.update({UNET + name: shape for name, shape in unet.items()})
    if config.autoencoder == "tiny":
        check_autoencoder(config, where)
        shapes.update({AUTOENCODER + name: shape for name, shape in tiny_autoencoder_shapes(config).items()})
    with torch.device("meta"):
        state = Adapter(config).state_dict()
    for official, ours in adapter_names(config, state).items():
        shape = tuple(state[ours].shape)
        shapes[official] = (*shape, 1, 1) if is_audio_convolution(official) else shape
    return shapes | position_shapes(config)


def adapter_names(config: VideoConfig, state: Mapping[str, Tensor]) -> dict[str, str]:
    """Official name -> name in the (not folded) adapter."""
    names = {official: ours.removeprefix("adapter.") for official, ours in adapter_keys(config).items()}
    for official, ours in ADAPTER_PREFIXES.items():
        names.update({official + name.removeprefix(ours): name for name in state if name.startswith(ours)})
    return names


def build_adapter(config: VideoConfig, tensors: Mapping[str, Tensor], dtype: torch.dtype) -> Any:
    """The adapter of the host's layers, its audio modules folded in float32, then stored as `dtype`."""
    with torch.device("meta"):
        names = adapter_names(config, Adapter(config).state_dict())
    state = {
        ours: (tensors[official].flatten(1) if is_audio_convolution(official) else tensors[official]).float()
        for official, ours in names.items()
    }
    audio = folded_state(
        {name.removeprefix("audio."): state.pop(name) for name in list(state) if name.startswith("audio.")}
    )
    state.update({f"audio.{name}": tensor for name, tensor in audio.items()})
    adapter = Adapter(config, host_layers(management.unet_offload_device(), dtype), folded=True)
    adapter.load_state_dict({name: tensor.to(dtype) for name, tensor in state.items()}, strict=True)
    return host_patcher(adapter.eval().requires_grad_(False))


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
