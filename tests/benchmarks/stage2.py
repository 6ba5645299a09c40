"""Stage II beside the published order of work and beside a plain SD1.5 UNet, in one run.

- `plain` is the naive form that tests/parity holds against the goldens: audio modules unfolded, every row's
  attention by itself, the reference projected in every call, cross-attention in full, weights as loaded.
- `sd15` is the same UNet without the adapter and with 77 context tokens: what others' samplers compute.

One guided call of a window at the published sizes with random weights; torch counts the FLOPs. `make bench`.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from measuring import alternating, cpu_rates, machine, table
from torch.utils.flop_counter import FlopCounterMode

from mmgt_core.base.packed_layers import packed
from mmgt_core.video.config import VideoConfig
from mmgt_core.video.mask_pyramid import MaskPyramid
from mmgt_core.video.model import VideoModel
from mmgt_core.video.state import Cache, RunState

sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))
from as_published import as_published  # noqa: E402  (lies beside the tests that use it)

TIMESTEP = 500
CLOSE = 1e-4


class Window:
    """One window of random conditions, and a model of random weights to compute it.

    Args:
        size: pixels; frames: of the window; small: a narrow model, to try the script.
    """

    def __init__(self, size: int, frames: int, small: bool, device: str = "cpu", dtype=torch.float32):
        torch.manual_seed(0)
        config = replace(VideoConfig(), size=size)
        if small:
            config = replace(config, block_channels=(32, 64, 64, 64), motion_max_frames=32)
        self.frames, side, width = frames, size // 8, config.block_channels[0]
        self.model = VideoModel.build(config, 0).to(device, dtype).eval()

        def random(*shape: int) -> torch.Tensor:
            return torch.randn(*shape).to(device, dtype)

        rows = 2 * frames
        self.latents, self.context = random(rows, 4, side, side), random(2, 1, config.cross_dim)
        self.words = random(rows, 77, config.cross_dim)
        self.conditions: dict[str, Any] = {
            "rows": 2,
            "bank": self.model.write_bank(random(1, 4, side, side), self.context[1:]),
            "bank_rows": (None, 0),
            "audio_tokens": random(frames, config.audio_tokens, config.audio_dim),
            "audio_index": torch.arange(frames).repeat(2).to(device),
            "audio_rows": (False, True),
            "masks": MaskPyramid(tuple(random(rows, 3, side >> i, side >> i).abs() for i in range(4))),
            "pose_features": random(rows, width, side, side),
        }
        self.kept = RunState(**self.conditions, cache=Cache())

    def call(self, state: RunState | None = None) -> torch.Tensor:
        """The prediction of the attached model; None: with what stays the same between calls."""
        state = self.kept if state is None else state
        return self.model.predict(self.latents, torch.tensor([TIMESTEP]), self.context, state)

    def sd15(self) -> torch.Tensor:
        """The UNet alone."""
        times = torch.tensor(TIMESTEP, device=self.latents.device)
        return self.model.unet(self.latents, times, encoder_hidden_states=self.words).sample

    def plain(self) -> torch.Tensor:
        """The published order of work."""
        with as_published(), self.model.attached():
            return self.call(RunState(**self.conditions))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench_stage2.json"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--frames", type=int, default=4, help="of the window")
    parser.add_argument("--small", action="store_true", help="a narrow model, to try the script")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = measure(options.size, options.frames, options.repeats, options.small)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(
        f"Stage II, one guided call, {options.frames} frames, {options.size} px: {report['machine']}, "
        f"{report['gflops']} GFLOP/s of matrix product; peak memory {report['peak_gb']} GB\n"
    )
    header = ["", "seconds", "TFLOP", "GFLOP/s", "plain over this"]
    print(table(header, [[name, *row.values()] for name, row in report["rows"].items()]))


@torch.inference_mode()
def measure(size: int, frames: int, repeats: int, small: bool) -> dict[str, Any]:
    """The three forms in turns: seconds, counted FLOPs, rates and ratios."""
    window = Window(size, frames, small)
    folded = window.model.adapter.fold()

    def ours() -> torch.Tensor:
        with window.model.attached(folded):
            return window.call()

    difference = float((window.plain() - ours()).abs().max())
    if difference > CLOSE:
        raise SystemExit(f"the results differ by {difference}; there is nothing to compare")
    flops = {}
    for name, call in {"plain": window.plain, "ours": ours, "sd15": window.sd15}.items():
        with FlopCounterMode(display=False) as counter:
            call()
        flops[name] = counter.get_total_flops()
    seconds = alternating({"plain": window.plain, "sd15": window.sd15, "unpacked": ours}, repeats)
    with packed(window.model.unet, folded.audio, folded.motion):
        ready = alternating({"ours": ours, "sd15, packed": window.sd15}, repeats)
    flops |= {"unpacked": flops["ours"], "sd15, packed": flops["sd15"]}
    return {
        "machine": machine(),
        "gflops": cpu_rates(),
        "size": size,
        "frames": frames,
        "difference": difference,
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "rows": {
            name: {
                "seconds": round(value, 2),
                "tflop": round(flops[name] / 1e12, 3),
                "gflops": round(flops[name] / value / 1e9, 1),
                "ratio": round(seconds["plain"] / value, 2),
            }
            for name, value in (seconds | ready).items()
        },
    }


if __name__ == "__main__":
    main()
