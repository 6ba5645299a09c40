"""Missing libraries: the pack still loads, and the node that needs one explains how to install it."""

from __future__ import annotations

from functools import wraps
from typing import Any

from comfy_api.latest import io

from ...mmgt_core.base.errors import DependencyError

PACKAGES = {
    "cv2": "opencv-python-headless",
    "onnxruntime": "onnxruntime",
    "soxr": "soxr",
    "transformers": "transformers",
}
"""Module -> pip package, for all libraries that are imported when a node runs."""


def names_missing_library(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """The same node; its `execute` raises DependencyError if one of PACKAGES is missing."""
    execute = node.__dict__["execute"].__func__

    @wraps(execute)
    def guarded(cls: type[io.ComfyNode], *args: Any, **inputs: Any) -> io.NodeOutput:
        try:
            return execute(cls, *args, **inputs)
        except ModuleNotFoundError as error:
            package = PACKAGES.get((error.name or "").partition(".")[0])
            if package is None:
                raise
            raise DependencyError(
                f"the library {package} is not installed",
                where=node.define_schema().display_name,
                fix=f"run `python -m pip install {package}` with ComfyUI's Python, or install the pack's "
                "requirements.txt, and restart ComfyUI",
            ) from error

    node.execute = classmethod(guarded)  # type: ignore[method-assign]
    return node
