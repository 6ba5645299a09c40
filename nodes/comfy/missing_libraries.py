"""A library that is not installed: the pack loads, and the node that wants it says how to install it."""

from __future__ import annotations

from functools import wraps
from typing import Any

from comfy_api.latest import io

from ...mmgt_core.base.errors import DependencyError

PACKAGES = {
    "cv2": "opencv-python-headless",
    "librosa": "librosa",
    "onnxruntime": "onnxruntime",
    "soxr": "soxr",
    "transformers": "transformers",
}
"""Module -> what pip calls it; all that our nodes load when they run."""


def tells_what_is_missing(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """The same node; its `execute` raises DependencyError where one of PACKAGES is absent."""
    execute = node.__dict__["execute"].__func__

    @wraps(execute)
    def guarded(cls: type[io.ComfyNode], *args: Any, **inputs: Any) -> Any:
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
                "requirements.txt, and start ComfyUI again",
            ) from error

    node.execute = classmethod(guarded)  # type: ignore[method-assign]
    return node
