"""Speech encoder files: what a file holds, by the names of transformers, whatever names it uses.

Read are safetensors as ComfyUI's users have them in `models/audio_encoders`, torch checkpoints (the original
WavLM release among them), and folders of transformers. Nothing is ever fetched.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..base.errors import CheckpointError, InputError
from ..base.files import read_json
from ..base.limits import CONFIG_BYTES
from .io import read_model_file
from .official import is_torch_checkpoint, read_official
from .recognise import recognise
from .wavlm_keys import wavlm_depths, wavlm_keys


class Depth(NamedTuple):
    """What distinguishes the sizes of an encoder."""

    layers: int
    width: int


WAVLM, WAV2VEC2 = "WavLM", "wav2vec2"
WAVLM_LARGE, WAV2VEC2_BASE = Depth(24, 1024), Depth(12, 768)
NAMES = {
    (WAVLM, WAVLM_LARGE): "WavLM-Large",
    (WAVLM, Depth(12, 768)): "WavLM-Base",
    (WAV2VEC2, WAV2VEC2_BASE): "wav2vec2-base",
    (WAV2VEC2, Depth(24, 1024)): "wav2vec2-large",
}
WHERE_FROM = {
    WAVLM: "take the WavLM-Large file (microsoft/wavlm-large)",
    WAV2VEC2: "take the wav2vec2-base-960h file (facebook/wav2vec2-base-960h)",
}

# A tensor's name holds this -> which speech model it is. Read from above: what is special comes first.
SIGNS = (
    ("gru_rel_pos_linear", WAVLM),
    ("self_attn.grep_linear", WAVLM),
    ("hubert.", "HuBERT"),
    ("pos_conv_embed.layers.", "data2vec"),
    ("pos_bias_u", "a conformer speech model"),
    ("distance_embedding", "w2v-BERT"),
    ("encoder.pos_conv_embed.conv.", WAV2VEC2),
    ("encoder.embed_positions.weight", "Whisper"),
)
FOLDER_WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # best first
PREFIXES = ("wav2vec2.", "wavlm.")  # a whole recognizer's file calls its encoder so
# First part of a name -> why the encoder does without it.
DROPPED = {
    "lm_head": "the letters of the recognizer",
    "masked_spec_embed": "stands in for masked sound, in training only",
    "quantizer": "a head of the first training",
    "project_hid": "a head of the first training",
    "project_q": "a head of the first training",
}
# What shapes do not show: its name in a config.json, and in the "cfg" of the original WavLM release.
TOLD = {
    "num_attention_heads": "encoder_attention_heads",
    "max_bucket_distance": "max_distance",
}


@dataclass(frozen=True)
class SpeechFile:
    """A file's tensors by transformers' names, without prefix and without what is dropped; what
    its configuration states.
    """

    kind: str
    depth: Depth
    tensors: dict[str, Tensor]
    stated: dict[str, int]
    where: object = None


def read_speech_file(path: str | os.PathLike[str]) -> SpeechFile:
    """The encoder in a file, or in a folder of transformers (config.json beside its weights)."""
    path = Path(path)
    stated: Mapping[str, Any] = {}
    if path.is_dir():
        stated = read_config(path / "config.json")
        weights = next((path / name for name in FOLDER_WEIGHTS if (path / name).is_file()), None)
        if weights is None:
            raise CheckpointError(
                f"the folder has no {FOLDER_WEIGHTS[0]}",
                where=path,
                fix="download that file of the model too",
            )
        path = weights
    if path.is_file() and is_torch_checkpoint(path):
        official = read_official(path)
        cfg = official.extras.get("cfg")
        return speech_file({**(cfg if isinstance(cfg, Mapping) else {}), **stated}, official.tensors, path)
    file = read_model_file(path)
    return speech_file({**file.config, **stated}, file.tensors, path)


def speech_file(stated: Mapping[str, Any], tensors: Mapping[str, Tensor], where: object = None) -> SpeechFile:
    """Recognize the tensors of a speech encoder by their names and shapes.

    Args:
        stated: a config.json, or the "cfg" of an original WavLM file.
        tensors: by any of the names that such files use.
    """
    kind = next((kind for sign, kind in SIGNS if any(sign in name for name in tensors)), None)
    if kind not in (WAVLM, WAV2VEC2):
        look = recognise(tensors)
        what = kind or (look.title if look else f"unknown (it holds {', '.join(sorted(tensors)[:3])})")
        raise CheckpointError(
            f"this is no speech encoder that can be used here but {what}",
            where=where,
            fix="; ".join(WHERE_FROM.values()),
        )
    named = _transformers_names(tensors, where)
    layers = wavlm_depths(named)[1]
    width = named.get("encoder.layer_norm.bias", torch.empty(0)).numel()
    return SpeechFile(kind, Depth(layers, width), named, _known(stated, where), where)


def _transformers_names(tensors: Mapping[str, Tensor], where: object) -> dict[str, Tensor]:
    if any("self_attn.grep_linear" in name for name in tensors):
        keys = wavlm_keys(*wavlm_depths(tensors))
        tensors = {keys.get(name, name): tensor for name, tensor in tensors.items()}
    named = {}
    for name, tensor in tensors.items():
        for prefix in PREFIXES:
            name = name.removeprefix(prefix)
        if name in named:
            raise CheckpointError(f"it holds the tensor {name} twice", where=where, fix="download it again")
        if name.partition(".")[0] not in DROPPED:
            named[name] = tensor
    return named


def _known(stated: Mapping[str, Any], where: object) -> dict[str, int]:
    """The few entries of a configuration that shapes do not show, as checked whole numbers."""
    known = {}
    for name, original in TOLD.items():
        value = stated.get(name, stated.get(original))
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1_000_000:
            raise CheckpointError(
                f"its configuration says {name} = {value!r}", where=where, fix="give a whole number"
            )
        known[name] = value
    return known


def read_config(path: Path) -> dict[str, Any]:
    """A config.json beside a model's weights; raises CheckpointError where it is none."""
    fix = "download that file of the model too"
    try:
        config = read_json(path, "the configuration", largest=CONFIG_BYTES, fix=fix)
    except InputError as error:
        raise CheckpointError(
            f"there is no readable config.json ({error.what})", where=path.parent, fix=fix
        ) from error
    if not isinstance(config, dict):
        raise CheckpointError("this is not a model's configuration", where=path, fix="download it again")
    return config
