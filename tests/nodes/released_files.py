"""The released files as they belong into ComfyUI's models: names, containers and key sets, random numbers.

Widths are free: with `SMALL` the host's loaders of VAE and CLIP, which know full sizes only, need
`small_host_networks`; `FULL` is as published.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

FOLDERS = ("mmgt", "audio_encoders", "vae", "clip_vision")
COUNTS = {"motion": 473, "video": 2232, "wavlm": 488, "wav2vec2": 213, "vae": 248, "clip-vision": 393}
"""Tensors in each file: those of the first two from docs/method.md 3."""

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Sizes:
    """What differs between a small and a published file; all else follows from the key sets.

    Attributes:
        motion, video: fields of SMGAConfig and VideoConfig.
        wavlm, wav2vec2, clip: configurations of transformers, beside the depths.
        vae_channels: of the first stage.
    """

    motion: Mapping[str, Any]
    video: Mapping[str, Any]
    wavlm: Mapping[str, Any]
    wav2vec2: Mapping[str, Any]
    clip: Mapping[str, Any]
    vae_channels: int


SPEECH = {"hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 48, "conv_dim": [16] * 7}
SMALL = Sizes(
    motion={"width": 32, "ffn": 32, "audio_channels": 128 + 35},
    video={
        "block_channels": (32, 64, 96, 96),  # every change of width that the published file has
        "cross_dim": 48,
        "audio_channels": 128,
        "audio_intermediate": 24,
        "audio_tokens": 4,
        "audio_dim": 32,
        "pose_channels": (4, 4, 8, 8),
    },
    wavlm=SPEECH,
    wav2vec2=SPEECH,
    clip={"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 2, "projection_dim": 48},
    vae_channels=32,
)
FULL = Sizes(
    motion={},
    video={},
    wavlm={"hidden_size": 1024, "num_attention_heads": 16, "intermediate_size": 4096},
    wav2vec2={"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072},
    clip={"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "projection_dim": 768},
    vae_channels=128,
)


def write_released_files(pack, models: Path, sizes: Sizes) -> None:
    """Every file of the released workflows below `models`, except the networks that detect poses."""
    from safetensors.torch import save_file

    draw = Drawing()
    for name, tensors in (
        ("motion", motion_tensors(pack, sizes, draw)),
        ("video", video_tensors(pack, sizes, draw)),
        ("wavlm", draw(wavlm_shapes(pack, sizes))),
        ("wav2vec2", draw(wav2vec2_shapes(sizes))),
        ("vae", draw(vae_shapes(sizes))),
        ("clip-vision", clip_tensors(sizes, draw)),
    ):
        assert len(tensors) == COUNTS[name], (name, len(tensors))
        known = pack("mmgt_core.checkpoints.registry").known_file(name)
        path = models / known.folder / known.file
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".safetensors":
            save_file(tensors, path, {"format": "pt"})
        else:
            torch.save(CONTAINERS.get(name, OrderedDict)(tensors), path)


def motion_container(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """What the Stage I trainer saves: averaged weights, and others that must not be taken."""
    return {
        "ema_state_dict": OrderedDict(tensors),
        "model_state_dict": OrderedDict((name, torch.full_like(t, math.nan)) for name, t in tensors.items()),
        "optimizer_state_dict": {"state": {0: {"step": 3}}, "param_groups": [{"lr": 2e-4}]},
        "epoch": 200,
    }


def wavlm_container(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"cfg": {"extractor_mode": "layer_norm", "max_distance": 800}, "model": OrderedDict(tensors)}


CONTAINERS = {"motion": motion_container, "wavlm": wavlm_container}


class Drawing:
    """Pieces of one pool of random numbers that keep the scale of what they map; norms near 1."""

    def __init__(self) -> None:
        self.pool = torch.randn(2**20, generator=torch.Generator().manual_seed(0))

    def __call__(self, shapes: Shapes, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
        return {name: self.tensor(name, shape, dtype) for name, shape in shapes.items()}

    def tensor(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        values = torch.empty(math.prod(shape), dtype=dtype)
        gain = 0.1 if len(shape) < 2 else math.prod(shape[1:]) ** -0.5
        for part in values.split(self.pool.numel()):
            torch.mul(self.pool[: part.numel()].to(dtype), gain, out=part)
        return (values + 1 if len(shape) < 2 and name.endswith("weight") else values).view(shape)


def motion_tensors(pack, sizes: Sizes, draw: Drawing) -> dict[str, Tensor]:
    config = pack("mmgt_core.smga.config").SMGAConfig(**sizes.motion)
    keys = pack("mmgt_core.checkpoints.smga").official_keys(config)
    frequencies = pack("mmgt_core.smga.layers").rotary_frequencies(config.width)
    tensors = draw({name: key.shape for name, key in keys.items()})
    return tensors | {name: frequencies.clone() for name, key in keys.items() if key.rotary}


def video_tensors(pack, sizes: Sizes, draw: Drawing) -> dict[str, Tensor]:
    """The positions of the motion modules are what they are; half precision as in a file of 4.6 GB."""
    config = pack("mmgt_core.video.config").VideoConfig(**sizes.video)
    shapes = pack("nodes.comfy.load_video_model").official_shapes(config, has_unet=True)
    positions = pack("mmgt_core.checkpoints.video_keys").position_shapes(config)
    sinusoids = pack("mmgt_core.video.motion_module").sinusoids
    drawn = draw({name: shape for name, shape in shapes.items() if name not in positions}, torch.float16)
    return drawn | {name: sinusoids(*shape[1:]) for name, shape in positions.items()}


def state_shapes(build: Any) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}


def wavlm_shapes(pack, sizes: Sizes) -> Shapes:
    """The names of the original release."""
    from transformers import WavLMConfig, WavLMModel

    kind = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "num_buckets": 320}
    config = WavLMConfig(num_hidden_layers=24, **kind, **sizes.wavlm)
    keys = pack("mmgt_core.checkpoints.wavlm_keys").wavlm_keys()
    shapes = state_shapes(lambda: WavLMModel(config))
    return {original: shapes[ours] for original, ours in keys.items()}


def wav2vec2_shapes(sizes: Sizes) -> Shapes:
    """The whole recognizer, its weight normalization in the old spelling."""
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    config = Wav2Vec2Config(num_hidden_layers=12, **sizes.wav2vec2)
    new = "parametrizations.weight.original"
    return {
        name.replace(f"{new}0", "weight_g").replace(f"{new}1", "weight_v"): shape
        for name, shape in state_shapes(lambda: Wav2Vec2ForCTC(config)).items()
    }


def vae_parameters(sizes: Sizes) -> dict[str, Any]:
    stages = {"ch": sizes.vae_channels, "ch_mult": [1, 2, 4, 4], "num_res_blocks": 2, "attn_resolutions": []}
    ends = {"double_z": True, "z_channels": 4, "in_channels": 3, "out_ch": 3, "resolution": 256}
    return {"ddconfig": {**stages, **ends, "dropout": 0.0}, "embed_dim": 4}


def vae_shapes(sizes: Sizes) -> Shapes:
    from comfy.ldm.models.autoencoder import AutoencoderKL

    return state_shapes(lambda: AutoencoderKL(**vae_parameters(sizes)))


def clip_config(sizes: Sizes) -> dict[str, Any]:
    """ViT-L/14 as the host has it, with these widths."""
    import comfy.clip_vision

    stored = Path(comfy.clip_vision.__file__).with_name("clip_vision_config_vitl.json")
    return {**json.loads(stored.read_text(encoding="utf-8")), **sizes.clip}


def clip_tensors(sizes: Sizes, draw: Drawing) -> dict[str, Tensor]:
    """With the numbers of the positions, which older versions of transformers saved too."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    given = {name: value for name, value in clip_config(sizes).items() if name != "torch_dtype"}
    shapes = state_shapes(lambda: CLIPVisionModelWithProjection(CLIPVisionConfig(**given)))
    embeddings = "vision_model.embeddings."
    positions = shapes[f"{embeddings}position_embedding.weight"][0]
    numbers = {f"{embeddings}position_ids": torch.arange(positions)[None]}
    return numbers | draw({name: shape for name, shape in shapes.items() if name not in numbers})


def show_to_host(patch: pytest.MonkeyPatch, models: Path) -> None:
    """The host lists the files below `models`, and none of its own, in the folders of the released files."""
    import folder_paths

    for name in FOLDERS:
        folder = models / name
        folder.mkdir(exist_ok=True)
        endings = {*folder_paths.supported_pt_extensions, ".onnx"}
        patch.setitem(folder_paths.folder_names_and_paths, name, ([str(folder)], endings))
    forget_lists()


def forget_lists() -> None:
    import folder_paths

    for name in FOLDERS:
        folder_paths.filename_list_cache.pop(name, None)


def small_host_networks(patch: pytest.MonkeyPatch, pack, folder: Path, sizes: Sizes = SMALL) -> None:
    """Small files load where the host builds VAE and CLIP at full size and where our encoders ask for it."""
    import comfy.clip_vision
    import comfy.sd

    class SmallVAE(comfy.sd.VAE):
        def __init__(self, sd=None, **options):
            super().__init__(sd, config={"params": vae_parameters(sizes)}, **options)

    (folder / "clip.json").write_text(json.dumps(clip_config(sizes)), encoding="utf-8")
    whole = comfy.clip_vision.ClipVisionModel
    patch.setattr(comfy.sd, "VAE", SmallVAE)
    patch.setattr(comfy.clip_vision, "ClipVisionModel", lambda _: whole(str(folder / "clip.json")))
    depth, module = pack("mmgt_core.checkpoints.speech_file").Depth, pack("nodes.comfy.speech_encoders")
    for name, layers in (("wavlm_features", 24), ("wav2vec2_features", 12)):
        small = partial(getattr(module, name), depth=depth(layers, sizes.wavlm["hidden_size"]))
        patch.setattr(module, name, small)
