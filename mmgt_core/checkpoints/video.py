"""Loading and saving Stage II models, strictly, under the official key names (docs/method.md 3)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..base.errors import CheckpointError, InputError
from ..video.config import VideoConfig
from ..video.model import VideoModel
from ..video.motion_module import sinusoids
from .io import (
    ModelFile,
    check_names_and_shapes,
    config_from_json,
    config_to_json,
    without_extras,
    write_model_file,
)
from .recognise import VIDEO as KIND
from .speaker_adapter import Speaker, with_speaker
from .video_keys import is_audio_convolution, official_keys, official_shapes, position_shapes
from .video_parts import WHAT, read_video_file


def load_video_model(
    path: str | os.PathLike[str],
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    speaker: Speaker | None = None,
) -> VideoModel:
    """Load a Stage II model -> VideoModel in evaluation mode, with the speaker's changes if one is given.

    The file is ours, one file or the adapter of a model in parts, or a published one, safetensors or torch
    checkpoint. Raises CheckpointError, naming the tensors, when any is missing, unknown or misshapen.
    """
    file = read_video_file(path)
    model = _empty_model(file, path)
    tensors = file.tensors if speaker is None else with_speaker(file.tensors, speaker, "video")
    state = state_from_official(tensors, model, where=path)
    cast = {name: tensor.to(device, dtype) for name, tensor in state.items()}
    model.load_state_dict(cast, strict=True, assign=True)
    # What is not in the file, the positions, was made on the CPU.
    return model.to(device).eval().requires_grad_(False)


def checked_official(path: str | os.PathLike[str]) -> ModelFile:
    """A model file for `load_video_model`: official names, all checked, the configuration filled in."""
    file = read_video_file(path)
    model = _empty_model(file, path)
    state_from_official(file.tensors, model, where=path)
    tensors = {name: file.tensors[name] for name in official_shapes(model)}
    return ModelFile(KIND, config_to_json(model.config), tensors, file.provenance)


def save_video_model(
    path: str | os.PathLike[str],
    model: VideoModel,
    provenance: Mapping[str, Any] | None = None,
    dtype: torch.dtype | None = torch.float16,
) -> None:
    """Write the model under the official names with its configuration; `dtype` None keeps the numbers
    as they are.
    """
    tensors = state_to_official(model)
    if dtype is not None:
        tensors = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    write_model_file(path, ModelFile(KIND, config_to_json(model.config), tensors, dict(provenance or {})))


def state_from_official(
    tensors: Mapping[str, Tensor], model: VideoModel, where: object = None
) -> dict[str, Tensor]:
    """The state dict of `model` from official tensors.

    Raises CheckpointError unless names and shapes agree exactly and the positions are the sinusoids that the
    model makes itself.
    """
    shapes = official_shapes(model)
    tensors = without_extras(tensors, shapes, where)
    check_names_and_shapes(tensors, shapes, where, WHAT)
    for name, shape in position_shapes(model.config).items():
        # The tolerance lets files in half precision pass; positions that were trained are far beyond it.
        if not torch.allclose(tensors[name].cpu().float(), sinusoids(*shape[1:]), atol=0.05):
            raise CheckpointError(
                f"{name} holds other positions than this network's", where=where, fix="choose another file"
            )
    return {
        ours: tensors[official].flatten(1) if is_audio_convolution(official) else tensors[official]
        for official, ours in official_keys(model).items()
    }


def state_to_official(model: VideoModel) -> dict[str, Tensor]:
    """The inverse: all tensors under their official names, the motion modules' positions made again."""
    state = model.state_dict()
    tensors = {
        official: state[ours][..., None, None] if is_audio_convolution(official) else state[ours]
        for official, ours in official_keys(model).items()
    }
    positions = {name: sinusoids(*shape[1:]) for name, shape in position_shapes(model.config).items()}
    return tensors | positions


def _empty_model(file: ModelFile, where: object) -> VideoModel:
    """The model of a file's configuration, or of the sizes of its tensors, on the meta device."""
    config = (
        config_from_json(VideoConfig, file.config, where)
        if file.config
        else infer_config(file.tensors, where)
    )
    with torch.device("meta"):
        return VideoModel(config)


def infer_config(tensors: Mapping[str, Tensor], where: object = None) -> VideoConfig:
    """The configuration of an official file, which has no header: widths from the shapes, the
    rest as published.
    """
    try:
        widths = tuple(
            tensors[f"denoising_unet.down_blocks.{i}.resnets.0.conv1.weight"].shape[0] for i in range(4)
        )
        pose = [tensors["pose_guider.conv_in.weight"].shape[0]]
        pose += [tensors[f"pose_guider.blocks.{i}.weight"].shape[0] for i in (1, 3, 5)]
        audio = "denoising_unet.down_blocks.0.audio_modules.0.transformer_blocks.0.attn2_0.to_k.weight"
        context = "denoising_unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
        audio_dim = tensors[audio].shape[1]
        features = tensors["audioproj.proj1.weight"]
        published = VideoConfig()
        return VideoConfig(
            block_channels=widths,
            cross_dim=tensors[context].shape[1],
            audio_channels=features.shape[1] // (published.audio_window * published.audio_blocks),
            audio_intermediate=features.shape[0],
            audio_tokens=tensors["audioproj.proj3.weight"].shape[0] // audio_dim,
            audio_dim=audio_dim,
            pose_channels=tuple(pose),
            # The released sample video is drawn so, although the published script draws "paper".
            pose_style="example",
        )
    except (KeyError, IndexError) as error:
        raise CheckpointError(
            f"as {WHAT} it has no configuration and lacks the tensor {error}",
            where=where,
            fix="choose a file with denoising_unet., reference_unet., pose_guider. and audioproj. tensors",
        ) from error
    except InputError as error:
        raise CheckpointError(
            f"it has no configuration and its sizes are not those of a published model ({error.what})",
            where=where,
            fix="choose a file that was saved with its configuration",
        ) from error
