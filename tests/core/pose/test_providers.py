"""Where the pose detector computes: what is asked for, and what is said when it computes elsewhere."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mmgt_core.pose.onnx_network import OnnxNetwork, wanted_providers


def runtime(*offered: str):
    """An onnxruntime that offers these; counts how often the libraries were preloaded."""
    calls: list[str] = []
    names = [f"{name}ExecutionProvider" for name in (*offered, "CPU")]
    return SimpleNamespace(
        get_available_providers=lambda: names, preload_dlls=lambda: calls.append("preload"), calls=calls
    )


@pytest.mark.parametrize(
    ("offered", "device", "expected"),
    [
        ((), "auto", "CPU"),
        (("TensorRT", "CUDA"), "cuda", "CUDA"),
        (("CUDA",), "cpu", "CPU"),
        (("Dml",), "privateuseone", "Dml"),
        (("CoreML",), "mps", "CoreML"),
        (("MIGraphX", "ROCM"), "cuda", "ROCM"),
        (("Azure",), "auto", "CPU"),
    ],
)
def test_the_best_provider_is_asked_for_and_the_cpu_stands_behind_it(offered, device, expected):
    module = runtime(*offered)
    providers = wanted_providers(module, device)
    assert providers[0] == f"{expected}ExecutionProvider"
    assert providers[-1] == "CPUExecutionProvider" and len(providers) == len(set(providers))
    assert module.calls == (["preload"] if expected == "CUDA" else [])


def network(wanted: str, real: str) -> OnnxNetwork:
    made = OnnxNetwork.__new__(OnnxNetwork)
    made._wanted = [f"{wanted}ExecutionProvider", "CPUExecutionProvider"]
    made._held = SimpleNamespace(get_providers=lambda: [f"{real}ExecutionProvider"])  # type: ignore[assignment]
    return made


def test_a_fall_back_to_the_cpu_is_said():
    assert network("CUDA", "CUDA").remarks == () and network("CUDA", "CUDA").provider == "CUDA"
    (remark,) = network("CUDA", "CPU").remarks
    assert "runs on the CPU" in remark and "CUDA and cuDNN" in remark
