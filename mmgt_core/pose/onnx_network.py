"""ONNX networks in onnxruntime, an optional library: loaded once, checked by their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import CheckpointError, DependencyError

if TYPE_CHECKING:
    import onnxruntime

CPU = "CPUExecutionProvider"
ACCELERATORS = (
    "CUDAExecutionProvider",
    "ROCMExecutionProvider",
    "MIGraphXExecutionProvider",
    "DmlExecutionProvider",
    "CoreMLExecutionProvider",
    "OpenVINOExecutionProvider",
)
"""Of NVIDIA, AMD (two), DirectX, Apple and Intel; a wheel of onnxruntime offers one of them or none."""


class OnnxNetwork:
    """An ONNX network with one image as input, its session kept.

    Args:
        path: the file; source: where it comes from, for messages.
        device: "cpu" stays there; else the first of `ACCELERATORS` that onnxruntime offers, or the CPU.

    Raises:
        DependencyError: onnxruntime is not installed.
        CheckpointError: the file is missing or cannot be loaded.
    """

    def __init__(self, path: str | PathLike[str], source: str, device: str = "auto"):
        try:
            import onnxruntime
        except ImportError as error:
            raise DependencyError(
                "finding poses needs onnxruntime, which is not installed",
                fix="run: pip install onnxruntime (or onnxruntime-gpu), or give the pose as OpenPose JSON",
            ) from error
        self._path, self._source = Path(path), source
        if not self._path.is_file():
            raise CheckpointError("there is no such file", where=path, fix=f"download it from {source}")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors; what matters is raised
        try:
            self._wanted = wanted_providers(onnxruntime, device)
            session = onnxruntime.InferenceSession(
                str(self._path), sess_options=options, providers=self._wanted
            )
        except Exception as error:  # its exceptions share no base of their own
            raise CheckpointError(
                "this is not an ONNX model that can be loaded",
                where=path,
                fix=f"download it again from {source}",
            ) from error
        self._held: onnxruntime.InferenceSession | None = session
        inputs = session.get_inputs()
        self.input_shape: list[Any] = list(inputs[0].shape) if inputs else []
        self._inputs = [item.name for item in inputs]
        self._outputs: Sequence[tuple[int | None, ...]] = ()

    @property
    def any_batch(self) -> bool:
        """Whether one run takes several images; the file leaves that axis open or fixes it to 1."""
        return bool(self.input_shape) and not isinstance(self.input_shape[0], int)

    def close(self) -> None:
        """Let the session go, with its memory; the network cannot run any more."""
        self._held = None

    @property
    def _session(self) -> onnxruntime.InferenceSession:
        assert self._held is not None, "the network was closed"
        return self._held

    @property
    def provider(self) -> str:
        """Where the session really computes, such as "CUDA" or "CPU"."""
        return short_name(self._session.get_providers()[0])

    @property
    def remarks(self) -> tuple[str, ...]:
        """One sentence if the session cannot use the accelerator of `wanted_providers`."""
        wanted = short_name(self._wanted[0])
        if self.provider == wanted:
            return ()
        libraries = "CUDA and cuDNN" if wanted == "CUDA" else "its libraries"
        return (
            f"the pose detector runs on the {self.provider}, because onnxruntime cannot use {wanted} here; "
            f"install {libraries} for this onnxruntime, or ignore this",
        )

    def check(
        self, network: str, file: str, pixels: tuple[int, ...], outputs: Sequence[tuple[int | None, ...]]
    ) -> None:
        """Raise CheckpointError unless input and outputs have these shapes after the batch axis.

        What the file leaves open is checked when the network runs.
        """
        found = [list(item.shape) for item in self._session.get_outputs()]
        fits = (
            len(self._inputs) == 1
            and _fits(self.input_shape, pixels)
            and len(found) == len(outputs)
            and all(_fits(shape, wanted) for shape, wanted in zip(found, outputs, strict=True))
        )
        if not fits:
            raise CheckpointError(
                f"this is not the {network} network: it takes {self.input_shape} and gives {found}",
                where=self._path,
                fix=f"take {file} from {self._source}",
            )
        self._outputs = outputs

    def run(self, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs for one batch of images, after `check`."""
        feed = {self._inputs[0]: np.ascontiguousarray(picture, np.float32)}
        try:
            results = [np.asarray(result, np.float32) for result in self._session.run(None, feed)]
        except Exception as error:  # as above
            raise CheckpointError(
                f"the network fails on an image ({error})",
                where=self._path,
                fix=f"download it again from {self._source}, or run it on the CPU",
            ) from error
        if not all(_fits(list(r.shape), wanted) for r, wanted in zip(results, self._outputs, strict=True)):
            raise CheckpointError(
                f"the network gives {[result.shape for result in results]}",
                where=self._path,
                fix=f"download it again from {self._source}",
            )
        return results


def wanted_providers(onnxruntime: Any, device: str) -> list[str]:
    """The execution providers to ask for, best first; the last is the CPU.

    TensorRT is left out: it compiles each network for minutes before the first image.
    """
    offered = [] if device.startswith("cpu") else onnxruntime.get_available_providers()
    chosen = [name for name in ACCELERATORS if name in offered][:1]
    if chosen == ["CUDAExecutionProvider"] and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # finds the libraries that torch and NVIDIA's packages bring
    return [*chosen, CPU]


def short_name(provider: str) -> str:
    """The name without "ExecutionProvider"."""
    return provider.removesuffix("ExecutionProvider")


def _fits(shape: list[Any], wanted: tuple[int | None, ...]) -> bool:
    """Whether the axes after the batch are those wanted; an axis that the file leaves open fits anything."""
    return len(shape) == len(wanted) + 1 and all(
        want is None or not isinstance(side, int) or side == want
        for side, want in zip(shape[1:], wanted, strict=True)
    )
