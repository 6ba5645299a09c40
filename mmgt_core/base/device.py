"""Which device a run uses, and in which precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .errors import InputError

if TYPE_CHECKING:
    from .precision import Precision


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto" is CUDA (or ROCm), else Apple's MPS, else the CPU.

    Raises:
        InputError: torch knows no such device, or this machine has none.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).tolist()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"the device '{name}' cannot be used here", fix="choose auto, cpu, cuda or mps"
        ) from error
    return device


def choose_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The dtype of that name; "auto" is float16 on CUDA (or ROCm), float32 elsewhere."""
    named = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    if precision == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if precision not in named:
        raise InputError(f"there is no precision '{precision}'", fix="choose auto, fp32, fp16 or bf16")
    return named[precision]


def retries(precision: Precision, dtype: torch.dtype) -> bool:
    """Whether a run goes on in float32 where numbers overflow: only where "auto" chose float16."""
    return precision == "auto" and dtype == torch.float16
