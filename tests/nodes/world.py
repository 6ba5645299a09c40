"""What a pack must leave alone in a process that is not its own."""

from __future__ import annotations

import inspect
import logging
import os
import sys
import tempfile
from typing import Any

HOST_MODULES = (
    "folder_paths",
    "nodes",
    "execution",
    "server",
    "latent_preview",
    "comfy.sample",
    "comfy.samplers",
    "comfy.sampler_helpers",
    "comfy.model_management",
    "comfy.model_patcher",
    "comfy.model_base",
    "comfy.model_sampling",
    "comfy.ops",
    "comfy.utils",
    "comfy.controlnet",
    "comfy.context_windows",
    "comfy.ldm.modules.attention",
    "comfy.ldm.modules.diffusionmodules.openaimodel",
    "torch.nn.functional",
)


def snapshot() -> dict[str, Any]:
    """Name -> value of everything that the whole process shares; two of them are equal or tell what
    changed.
    """
    import folder_paths
    import torch

    world: dict[str, Any] = {
        "sys.path": list(sys.path),
        "sys.meta_path": list(sys.meta_path),
        "cwd": os.getcwd(),
        "umask": _umask(),
        "excepthook": sys.excepthook,
        "logging": (logging.root.level, list(logging.root.handlers)),
        "temp folder": tempfile.gettempdir(),
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul precision": torch.get_float32_matmul_precision(),
        "cudnn": (
            torch.backends.cudnn.enabled,
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.allow_tf32,
        ),
        "sdp": (torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.math_sdp_enabled()),
        "quantized engine": torch.backends.quantized.engine,
    }
    world |= {f"environment {name}": value for name, value in os.environ.items()}
    world |= {
        f"models {name}": list(paths) for name, (paths, _) in folder_paths.folder_names_and_paths.items()
    }
    for kind in ("output", "temp", "input", "user"):
        world[f"{kind} directory"] = getattr(folder_paths, f"get_{kind}_directory")()
    for name in HOST_MODULES:
        if name in sys.modules:
            world |= _functions(name, sys.modules[name])
    return world


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Name -> (before, after) of what was added, lost or changed."""
    names = [*before, *(name for name in after if name not in before)]
    found = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in found.items() if pair[0] is not pair[1] and pair[0] != pair[1]}


def _functions(where: str, holder: Any) -> dict[str, Any]:
    """The functions of a module, and those of its classes."""
    found: dict[str, Any] = {}
    for name, value in vars(holder).items():
        if inspect.isfunction(value):
            found[f"{where}.{name}"] = value
        elif inspect.isclass(value) and value.__module__ == where:
            found |= {f"{where}.{name}.{k}": v for k, v in vars(value).items() if inspect.isfunction(v)}
    return found


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
