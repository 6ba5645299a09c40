"""Loads a Stage II model file on the host: its networks, and its MODEL and VAE if it contains them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import comfy.model_management as management
import torch
from torch import Tensor

from ...mmgt_core.base.errors import CheckpointError
from ...mmgt_core.checkpoints.io import check_names_and_shapes, config_from_json, without_extras
from ...mmgt_core.checkpoints.speaker_adapter import Speaker, fitting_changes, with_changes
from ...mmgt_core.checkpoints.video import WHAT, infer_config
from ...mmgt_core.checkpoints.video_keys import adapter_keys, is_audio_convolution, position_shapes
from ...mmgt_core.checkpoints.video_parts import read_video_file
from ...mmgt_core.video.adapter import Adapter, folded_state
from ...mmgt_core.video.config import VideoConfig
from .host_layers import host_layers
from .host_vae import PREFIX as AUTOENCODER
from .host_vae import check_autoencoder, host_vae, tiny_autoencoder_shapes
from .speaker_patches import UnetChanges
from .unet_model import OUTPUT_HEAD, build_unet, host_patcher, unet_dtype, unet_names

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher
    from comfy.sd import VAE

Part = Literal["model", "adapter", "reference"]
PARTS: tuple[Part, ...] = ("model", "adapter", "reference")
UNET, REFERENCE = "denoising_unet.", "reference_unet."
FIRST_OF_UNET = f"{UNET}conv_in.weight"  # missing if the file contains only the adapter
# published prefix -> prefix in `Adapter`, for the modules outside the UNet.
ADAPTER_PREFIXES = {"pose_guider.": "pose_guider.", "audioproj.": "audio_projection."}


@dataclass(frozen=True, eq=False)
class HostVideoModel:
    """The networks of one model file: the value of MMGT_VIDEO_MODEL.

    Attributes:
        adapter: an `Adapter` with folded audio modules.
        reference: the reference UNet.
        model: MODEL of the denoising UNet; None if the file contains only the adapter.
        vae: the file's autoencoder; None if it contains none.
        speaker: what a speaker adapter changes in a UNet that the file does not contain.
    """

    config: VideoConfig
    adapter: ModelPatcher
    reference: ModelPatcher
    model: ModelPatcher | None
    vae: VAE | None
    speaker: UnetChanges | None = None


def load_host_video_model(
    path: str | os.PathLike[str], dtype: torch.dtype | None = None, speaker: Speaker | None = None
) -> HostVideoModel:
    """Load a Stage II model file; `dtype` is that of the weights, None lets the host choose.

    Raises CheckpointError, which names the tensors, if any is missing, unknown or has a wrong shape, or if
    the speaker's file does not fit.
    """
    config, tensors, unet_changes = _read(path, speaker)
    dtype = dtype or unet_dtype(config)
    parts = {part: _build(part, config, tensors, dtype) for part in PARTS}
    for part, patcher in parts.items():
        if patcher is not None:
            # The host calls this for a second copy, for example on another GPU or for conditioning hooks.
            patcher.cached_patcher_init = (load_part, (part, path, dtype, speaker))
    return HostVideoModel(
        config=config,
        **parts,
        vae=host_vae(config, _part(tensors, AUTOENCODER)) if config.autoencoder == "tiny" else None,
        speaker=unet_changes,
    )


def load_part(
    part: Part,
    path: str | os.PathLike[str],
    dtype: torch.dtype,
    speaker: Speaker | None = None,
    disable_dynamic: bool = False,
) -> ModelPatcher | None:
    """Load one network of a file; None for the MODEL of a file that contains only the adapter."""
    config, tensors, _ = _read(path, speaker)
    return _build(part, config, tensors, dtype, not disable_dynamic)


def _build(
    part: Part, config: VideoConfig, tensors: Mapping[str, Tensor], dtype: torch.dtype, dynamic: bool = True
) -> ModelPatcher | None:
    if part == "adapter":
        return build_adapter(config, tensors, dtype)
    if part == "model" and FIRST_OF_UNET not in tensors:
        return None
    weights = _part(tensors, UNET if part == "model" else REFERENCE)
    return build_unet(config, weights, dtype, dynamic=dynamic)


def read_config(path: str | os.PathLike[str]) -> VideoConfig:
    """The configuration of a file, every name and shape checked."""
    return _read(path)[0]


def _read(
    path: str | os.PathLike[str], speaker: Speaker | None = None
) -> tuple[VideoConfig, dict[str, Tensor], UnetChanges | None]:
    """The configuration and the tensors of a file, every name and shape checked, with the speaker's changes,
    and those that are for a UNet that is not in it.
    """
    # For a model in several files, the host's loader reads the UNet.
    file = read_video_file(path, with_unet=False)
    config = (
        config_from_json(VideoConfig, file.config, path) if file.config else infer_config(file.tensors, path)
    )
    if not config.foldable:
        raise CheckpointError(
            "this model is an ablation of the audio attention, which only the command line runs",
            where=path,
            fix="choose another video model",
        )
    expected = official_shapes(config, FIRST_OF_UNET in file.tensors, path)
    tensors = without_extras(file.tensors, expected, path)
    check_names_and_shapes(tensors, expected, path, WHAT)
    if speaker is None:
        return config, dict(tensors), None
    changes = fitting_changes(speaker, "video", official_shapes(config, True, path))
    elsewhere = None
    if FIRST_OF_UNET not in tensors:
        names = {UNET + theirs: ours for theirs, (ours, _) in unet_names(config).items()}
        rest = {names[name]: change for name, change in changes.items() if name not in tensors}
        elsewhere = UnetChanges(rest, speaker.strength)
    return config, with_changes(tensors, changes, speaker.strength), elsewhere


def official_shapes(config: VideoConfig, has_unet: bool, where: object = None) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the published file, without the UNet's unless `has_unet`."""
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
    """Published name -> name in the adapter (not folded)."""
    names = {official: ours.removeprefix("adapter.") for official, ours in adapter_keys(config).items()}
    for official, ours in ADAPTER_PREFIXES.items():
        names.update({official + name.removeprefix(ours): name for name in state if name.startswith(ours)})
    return names


def build_adapter(config: VideoConfig, tensors: Mapping[str, Tensor], dtype: torch.dtype) -> ModelPatcher:
    """The adapter with the host's layers; its audio modules are folded in float32 and stored as `dtype`.

    No tensor is widened except the factors of one product: what the file has in `dtype` stays as it is.
    """
    with torch.device("meta"):
        names = adapter_names(config, Adapter(config).state_dict())
    state = {
        ours: tensors[official].flatten(1) if is_audio_convolution(official) else tensors[official]
        for official, ours in names.items()
    }
    audio = {
        name.removeprefix("audio."): state.pop(name) for name in list(state) if name.startswith("audio.")
    }
    state = {name: tensor.to(dtype) for name, tensor in state.items()}
    state.update({f"audio.{name}": tensor for name, tensor in folded_state(audio, dtype).items()})
    adapter = Adapter(config, host_layers(management.unet_offload_device(), dtype), folded=True)
    adapter.load_state_dict(state, strict=True)
    return host_patcher(adapter.eval().requires_grad_(False))


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
