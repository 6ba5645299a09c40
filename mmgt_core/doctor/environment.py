"""The environment: versions, device, memory, and where onnxruntime can compute."""

from __future__ import annotations

import importlib.metadata
import platform
import sys

import torch

from .. import __version__
from ..base.sizes import readable_size
from ..pose.onnx_network import short_name
from .findings import Finding

SECTION = "Environment"
PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "safetensors",
    "numpy",
    "soxr",
    "av",
    "opencv-python",
    "opencv-python-headless",
    "onnxruntime",
    "onnxruntime-gpu",
)


def environment(device: torch.device, host: str = "") -> list[Finding]:
    """Facts about this machine and its libraries.

    Args:
        device: what the stages run on.
        host: name and version of the program around, such as ComfyUI's; empty on the command line.
    """
    found = [
        Finding(SECTION, "mmgt", __version__),
        Finding(SECTION, "host", host or "command line"),
        Finding(SECTION, "Python", f"{sys.version.split()[0]}, {platform.system()} {platform.machine()}"),
    ]
    for package in PACKAGES:
        version = _version(package)
        if version:
            found.append(Finding(SECTION, package, version))
    found.append(_device(device))
    return [*found, _onnx()]


def _device(device: torch.device) -> Finding:
    if device.type == "cuda":
        facts = torch.cuda.get_device_properties(device)
        return Finding(SECTION, "device", f"{facts.name}, {readable_size(facts.total_memory)}")
    remark = "a GPU is many times faster" if device.type == "cpu" else ""
    return Finding(SECTION, "device", f"{device.type}, {torch.get_num_threads()} threads", "", remark)


def _onnx() -> Finding:
    """Where the pose detector would run: what the wheel offers, not what a session got."""
    name = "onnxruntime offers"
    wheels = [package for package in ("onnxruntime", "onnxruntime-gpu") if _version(package)]
    if not wheels:
        return Finding(SECTION, name, "not installed", "", "needed only to detect poses")
    import onnxruntime

    offered = ", ".join(short_name(provider) for provider in onnxruntime.get_available_providers())
    if len(wheels) > 1:
        fix = "uninstall both, then install onnxruntime-gpu alone: one hides the other"
        return Finding(SECTION, name, offered, "look", fix)
    return Finding(SECTION, name, offered)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
