"""Every GPU figure of docs/quality.md in one call of at most ten minutes: `make bench-gpu`.

Random weights at the published sizes, so nothing is downloaded. Each row is written once it is measured; what
does not fit or fails says why in its row, and what time does not allow says so. `--device cpu --small` tries
the script itself on any machine.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from measuring import alternating, table
from stage2 import Window
from torch.utils.flop_counter import FlopCounterMode

from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.guided import Guided
from mmgt_core.smga.network import SMGA

LIMIT = 540.0  # seconds, after which no further row begins


class Report:
    """Rows of the table, written after each."""

    def __init__(self, device: torch.device, path: Path):
        self.device, self.path, self.began = device, path, time.monotonic()
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
        self.values: dict[str, Any] = {"device": name, "torch": torch.__version__, "rows": {}}

    def row(self, name: str, measure: Callable[[], dict[str, Any]]) -> None:
        """Measure one row, or write why not."""
        if time.monotonic() - self.began > LIMIT:
            values: dict[str, Any] = {"remark": "not measured: out of time"}
        else:
            try:
                values = measure()
            except (RuntimeError, NotImplementedError) as error:  # out of memory, or no such kernel
                values = {"remark": " ".join(str(error).split())[:200]}
        self.values["rows"][name] = values
        self.path.write_text(json.dumps(self.values, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {values}", flush=True)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench_gpu.json"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="narrow models and one size, to try the script")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("this PyTorch sees no CUDA device; the rows stay 'not measured'")
    device = torch.device(options.device)
    torch.set_num_threads(max(2, torch.get_num_threads()))  # wall time, see measuring.py
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    report, repeats, small = Report(device, options.out), options.repeats, options.small
    report.values["tflops"] = matrix_rate(device, dtype)
    for size in (64,) if small else (256, 512):
        stage2(report, size, dtype, repeats, small)
    report.row("Stage I, one window, 50 steps", lambda: stage1(device, repeats, small))
    header = ["row", "values"]
    rows = [[name, json.dumps(values)] for name, values in report.values["rows"].items()]
    print(f"\n{report.values['device']}, torch {torch.__version__}, {report.values['tflops']} TFLOP/s\n")
    print(table(header, rows))


@torch.inference_mode()
def stage2(report: Report, size: int, dtype: torch.dtype, repeats: int, small: bool) -> None:
    """The published form, ours and a plain SD1.5 UNet on 12 frames: time, memory, FLOPs, synchronization."""
    frames = 4 if small else 12
    window = Window(size, frames, small, str(report.device), dtype)
    folded = window.model.adapter.fold()

    def ours() -> torch.Tensor:
        with window.model.attached(folded):
            return window.call()

    forms = {"plain": window.plain, "ours": ours, "sd15": window.sd15}
    for name, call in forms.items():
        report.row(f"Stage II, {size} px, {name}", lambda call=call: _form(call, report, repeats))
    report.row(f"Stage II, {size} px, ours against plain", lambda: _difference(ours(), window.plain()))
    report.row(f"Stage II, {size} px, host waits in a call", lambda: _waits(ours, report.device))

    def compiled() -> dict[str, Any]:
        with window.model.attached(folded):
            unet, window.model.unet.forward = (
                window.model.unet.forward,
                torch.compile(window.model.unet.forward),
            )
            try:
                return _form(window.call, report, repeats)
            finally:
                window.model.unet.forward = unet

    report.row(f"Stage II, {size} px, ours, torch.compile", compiled)


def _form(call: Callable[[], Any], report: Report, repeats: int) -> dict[str, Any]:
    with FlopCounterMode(display=False) as counter:
        call()
    flops, cuda = counter.get_total_flops(), report.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    seconds = alternating({"call": call}, repeats, torch.cuda.synchronize if cuda else lambda: None)["call"]
    rate = flops / seconds / 1e12
    values = {"ms": round(1000 * seconds, 1), "tflop": round(flops / 1e12, 2), "tflops": round(rate, 2)}
    values["share_of_matrix_rate"] = round(rate / report.values["tflops"], 3)
    return values | ({"peak_gb": round(torch.cuda.max_memory_allocated() / 2**30, 2)} if cuda else {})


def _difference(ours: torch.Tensor, plain: torch.Tensor) -> dict[str, Any]:
    scale = float(plain.abs().max())
    return {"largest relative difference": float((ours - plain).abs().max()) / max(scale, 1e-12)}


def _waits(call: Callable[[], Any], device: torch.device) -> dict[str, Any]:
    """Whether the host waits for the device inside a call, by CUDA's own check."""
    if device.type != "cuda":
        return {"remark": "only CUDA checks this"}
    call()
    with _synchronization_is_an_error():
        call()
    return {"host waits": 0}


@contextmanager
def _synchronization_is_an_error():
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@torch.inference_mode()
def stage1(device: torch.device, repeats: int, small: bool) -> dict[str, Any]:
    """All steps of one window, by the plain pass and ours, in float32."""
    config = SMGAConfig(width=64, ffn=64, layers=2, heads=2) if small else SMGAConfig()
    network = SMGA(config).to(device).eval()
    x, audio = torch.randn(1, 80, 402, device=device), torch.randn(1, 80, 1059, device=device)
    first, dropped = torch.randn(1, 402, device=device), torch.ones(1, dtype=torch.bool, device=device)
    times = tuple(range(999, 0, -20))
    at = [torch.tensor([step], device=device) for step in times]

    def plain() -> None:
        for step in at:
            network(x, first, audio, step, dropped)
            network(x, first, audio, step)

    def ours() -> None:
        denoise = Guided(network, times, 2.0)
        ready = denoise.windows(audio)
        for step in range(len(times)):
            denoise(x, first, ready, step)

    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    seconds = alternating({"plain": plain, "ours": ours}, repeats, wait)
    return {f"{name}_ms": round(1000 * value, 1) for name, value in seconds.items()}


def matrix_rate(device: torch.device, dtype: torch.dtype, size: int = 4096) -> float:
    """TFLOP/s of a large product in the type of the networks."""
    matrix = torch.randn(size, size, device=device, dtype=dtype)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    seconds = alternating({"product": lambda: matrix @ matrix}, 5, wait)["product"]
    return round(2 * size**3 / seconds / 1e12, 3)


if __name__ == "__main__":
    main()
