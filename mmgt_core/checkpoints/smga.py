"""SMGA model files: published key names <-> our module, strictly, both ways (docs/method.md 3)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..base.errors import CheckpointError
from ..smga.config import SMGAConfig
from ..smga.layers import rotary_frequencies
from ..smga.network import SMGA
from .io import (
    ModelFile,
    check_names_and_shapes,
    config_from_json,
    config_to_json,
    read_model_file,
    without_extras,
    write_model_file,
)
from .recognise import SMGA as KIND
from .recognise import refuse_other_models
from .speaker_adapter import Speaker, with_speaker

WHAT = "an SMGA model"
ROTARY = object()  # a constant that the published files repeat in every layer
WRAPPERS = ("ema_state_dict", "model_state_dict", "state_dict")  # best first


class Dead(NamedTuple):
    """A published parameter that no forward pass reads; it has the shapes of its live twin."""

    twin: str


# Published name or prefix -> ours, in the published order, which is also the order of its optimizer's state.
HEAD = {
    "null_cond_embed": "null_audio",
    "null_cond_hidden": "null_pooled",
    "rotary.freqs": ROTARY,
    "time_mlp.1": "time_hidden",
    "to_time_cond.0": "time_condition",
    "to_time_tokens.0": "time_tokens",
    "norm_cond": "memory_norm",
    "input_projection": "motion_in",
}
ENCODER_LAYER = {
    "self_attn": "attention",
    "linear1": "feed_forward.linear1",
    "linear2": "feed_forward.linear2",
    "norm1": "norm1",
    "norm2": "norm2",
    "rotary.freqs": ROTARY,
}
MIDDLE = {"cond_projection": "audio_in", "non_attn_cond_projection": "pool"}
DECODER_LAYER = {
    "face_self_attn": "face.self_attention",
    "face_cross_attn": "face.cross_attention",
    "body_self_attn": "body.self_attention",
    "body_cross_attn": "body.cross_attention",
    "self_attn": Dead("face.self_attention"),
    "linear1": "feed_forward.linear1",
    "linear2": "feed_forward.linear2",
    "norm_face_1": "face.norm1",
    "norm_face_2": "face.norm2",
    "norm_face_3": Dead("face.norm1"),
    "norm_body_1": "body.norm1",
    "norm_body_2": "body.norm2",
    "norm_body_3": Dead("body.norm1"),
    "norm_final": "norm",
    "film_face_1.block.1": "face.film1.linear",
    "film_face_2.block.1": "face.film2.linear",
    "film_face_3.block.1": Dead("face.film1.linear"),
    "film_body_1.block.1": "body.film1.linear",
    "film_body_2.block.1": "body.film2.linear",
    "film_body_3.block.1": Dead("body.film1.linear"),
    "film_final.block.1": "film.linear",
    "rotary.freqs": ROTARY,
}
TAIL = {"final_layer": "motion_out"}


class OfficialKey(NamedTuple):
    """One entry of the published state dict: its shape, and our name or why we have none."""

    shape: tuple[int, ...]
    ours: str | None
    rotary: bool = False

    @property
    def dead(self) -> bool:
        return self.ours is None and not self.rotary


def official_keys(config: SMGAConfig) -> dict[str, OfficialKey]:
    """The published state dict for these sizes, in the published order (473 entries for the release)."""
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape) for name, tensor in SMGA(config).state_dict().items()}
    parts: list[tuple[str, str, Mapping[str, Any]]] = [("", "", HEAD)]
    parts += [(f"cond_encoder.{i}.", f"encoder.{i}.", ENCODER_LAYER) for i in range(config.encoder_layers)]
    parts += [("", "", MIDDLE)]
    parts += [(f"seqTransDecoder.stack.{i}.", f"decoder.{i}.", DECODER_LAYER) for i in range(config.layers)]
    parts += [("", "", TAIL)]

    keys: dict[str, OfficialKey] = {}
    for official_prefix, our_prefix, names in parts:
        for official, ours in names.items():
            if ours is ROTARY:
                keys[official_prefix + official] = OfficialKey((config.width // 2,), None, rotary=True)
                continue
            root = our_prefix + (ours.twin if isinstance(ours, Dead) else ours)
            for name, shape in shapes.items():
                if name == root or name.startswith(root + "."):
                    alive = None if isinstance(ours, Dead) else name
                    keys[official_prefix + official + name[len(root) :]] = OfficialKey(shape, alive)
    return keys


def unwrap_official(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """The bare state dict of a published checkpoint already loaded: EMA weights first, `module.` stripped."""
    for wrapper in WRAPPERS:
        if isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
            break
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def config_of_official(
    state: Mapping[str, Any], heads: int = SMGAConfig.heads, where: object = None
) -> SMGAConfig:
    """Read the sizes off a published state dict; heads leave no trace in it (the release has 8)."""
    state = unwrap_official(state)

    def size(name: str, axis: int) -> int:
        if name not in state or state[name].ndim <= axis:
            raise CheckpointError(
                f"as {WHAT} it lacks the tensor {name}", where=where, fix="choose a Stage I file"
            )
        return state[name].shape[axis]

    def count(prefix: str) -> int:
        rest = (name.removeprefix(prefix) for name in state if name.startswith(prefix))
        return len({name.partition(".")[0] for name in rest})

    sizes = {
        "features": size("final_layer.bias", 0),
        "frames": size("null_cond_embed", 1),
        "width": size("null_cond_embed", 2),
        "ffn": size("seqTransDecoder.stack.0.linear1.bias", 0),
        "layers": count("seqTransDecoder.stack."),
        "encoder_layers": count("cond_encoder."),
        "audio_channels": size("cond_projection.weight", 1),
    }
    return config_from_json(SMGAConfig, {**sizes, "heads": heads}, where)


def state_from_official(
    state: Mapping[str, Any], config: SMGAConfig | None = None, where: object = None
) -> dict[str, Tensor]:
    """Published names -> the state dict of `SMGA(config)`.

    Dead parameters may be absent as a whole; rotary frequencies may be absent, and are verified where
    present. Raises CheckpointError naming what is missing, unknown, misshapen, or not the frequencies
    of this network.
    """
    state = unwrap_official(state)
    config = config or config_of_official(state, where=where)
    keys = official_keys(config)
    with_dead = any(key.dead and name in state for name, key in keys.items())
    needed = {
        name: key.shape
        for name, key in keys.items()
        if key.ours or (key.dead and with_dead) or (key.rotary and name in state)
    }
    state = without_extras(state, needed, where)
    check_names_and_shapes(state, needed, where, WHAT)
    frequencies = rotary_frequencies(config.width)
    for name, key in keys.items():
        # The tolerance lets files in half precision pass; another base or width is far beyond it.
        if (
            key.rotary
            and name in state
            and not torch.allclose(state[name].cpu().float(), frequencies, 2e-3, 1e-6)
        ):
            raise CheckpointError(
                f"{name} holds other rotary frequencies than this network's",
                where=where,
                fix="choose another file",
            )
    return {key.ours: state[name] for name, key in keys.items() if key.ours}


def state_to_official(
    state: Mapping[str, Tensor], config: SMGAConfig, *, complete: bool = True
) -> dict[str, Tensor]:
    """The state dict of an `SMGA(config)` -> published names, in the published order.

    With `complete`, dead parameters (zeros; norm gains one) and rotary frequencies come back, so that the
    published code loads the result strictly; without, the file holds only what has an effect.
    """
    official: dict[str, Tensor] = {}
    for name, key in official_keys(config).items():
        if key.ours:
            official[name] = state[key.ours]
        elif complete and key.rotary:
            official[name] = rotary_frequencies(config.width)
        elif complete:
            gain = "norm" in name and name.endswith(".weight")
            official[name] = torch.ones(key.shape) if gain else torch.zeros(key.shape)
    return official


def smga_from_official(
    state: Mapping[str, Any], config: SMGAConfig | None = None, where: object = None
) -> SMGA:
    """Build an SMGA in eval mode, float32, from a published state dict (see `state_from_official`)."""
    config = config or config_of_official(state, where=where)
    ours = state_from_official(state, config, where)
    with torch.random.fork_rng(devices=[]):
        model = SMGA(config)
    model.load_state_dict({name: tensor.float() for name, tensor in ours.items()})
    return model.eval()


def load_smga(
    path: str | os.PathLike[str], device: torch.device | str = "cpu", speaker: Speaker | None = None
) -> SMGA:
    """Load an SMGA file: ours, or a published one, safetensors or torch checkpoint (then with 8 heads).

    Returns the model in float32, eval mode, with the speaker's changes if one
    is given. Raises CheckpointError.
    """
    file = read_model_file(path)
    config = checked_config(file, path)
    tensors: Mapping[str, Tensor] = unwrap_official(file.tensors)
    if speaker is not None:
        tensors = with_speaker(tensors, speaker, "motion")
    return smga_from_official(tensors, config, path).to(device)


def checked_config(file: ModelFile, where: object) -> SMGAConfig:
    """The configuration of a file that was read, after a check of every name and shape in it."""
    if file.kind not in ("", KIND):
        raise CheckpointError(
            f"this is a model of the kind '{file.kind}', not SMGA",
            where=where,
            fix="choose a Stage I model file",
        )
    refuse_other_models(file.tensors, (KIND,), WHAT, where)
    if file.config:
        config = config_from_json(SMGAConfig, file.config, where)
    else:
        config = config_of_official(file.tensors, where=where)
    state_from_official(file.tensors, config, where)
    return config


def complete_official(file: ModelFile, where: object) -> dict[str, Tensor]:
    """The whole published state dict of a file: its own tensors, and what a slim file leaves out."""
    config = checked_config(file, where)
    complete = state_to_official(state_from_official(file.tensors, config, where), config)
    return {name: file.tensors.get(name, tensor) for name, tensor in complete.items()}


def save_smga(
    path: str | os.PathLike[str],
    model: SMGA,
    provenance: Mapping[str, Any] | None = None,
    *,
    dtype: torch.dtype = torch.float32,
    complete: bool = False,
) -> None:
    """Write a model under its published key names with its configuration in the header.

    Args:
        provenance: free JSON that the header keeps: training command, data, license.
        dtype: precision of the stored weights; float16 halves the file.
        complete: also write what the published code insists on but never reads (see `state_to_official`).
    """
    state = state_to_official(model.state_dict(), model.config, complete=complete)
    tensors = {name: tensor.to(dtype) for name, tensor in state.items()}
    write_model_file(path, ModelFile(KIND, config_to_json(model.config), tensors, dict(provenance or {})))
