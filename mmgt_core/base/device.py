"""Which device a run uses."""

from __future__ import annotations

import torch

from .errors import InputError


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
