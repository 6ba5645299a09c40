"""The host's TorchCompileModel: where it cannot work with MMGT, an error in place of wrong images."""

from __future__ import annotations

from comfy.ldm.modules import attention
from comfy.model_patcher import ModelPatcher

from ...mmgt_core.base.errors import InputError

COMPILED = "torch_compile_kwargs"
"""In the options of a MODEL that the node (or another user of its function) compiles."""
NOT_COMPILED = ("attention_sub_quad", "attention_split")
"""They ask the system how much memory is free, which ends a graph. The parts behind it are compiled without
the guards of `transformer_options`, so each would take itself for the block that was compiled first."""


def check_compilable(model: ModelPatcher) -> None:
    """Raise InputError if a compiled MODEL would be computed wrongly because of the host's attention."""
    chosen = attention.optimized_attention
    names = [name for name in NOT_COMPILED if getattr(attention, name, None) is chosen]
    if COMPILED in model.model_options and names:
        raise InputError(
            f"TorchCompileModel does not work with ComfyUI's {names[0]}",
            where="model",
            fix="start ComfyUI with --use-pytorch-cross-attention, or remove TorchCompileModel",
        )
