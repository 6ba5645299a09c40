"""The shortcuts of shortcuts.py: speed against image quality on the demo model, and what a call costs.

`python tests/benchmarks/candidates.py images --threads 1` adds them to table and picture of quality.py;
`python tests/benchmarks/candidates.py cost --threads 1 --size 256` times one guided call of a window at the
published sizes with random weights, whose images say nothing. Both write a JSON file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import quality
import torch
from measuring import alternating, machine, table
from shortcuts import DeepFeatures, deep_features, fewer_keys, merged_tokens
from stage2 import Window

from mmgt_core.base.packed_layers import packed
from mmgt_core.video.state import Cache

OUTER = (1, 2)  # blocks that are computed in each step
CHOICES = {
    **{f"30 steps, deep features in 1 of {every}, outer {outer}": quality.EXACT
       for every in (2, 3) for outer in OUTER},
    **{f"fast, deep features in 1 of 2, outer {outer}": quality.FAST for outer in OUTER},
    "30 steps, a quarter of the keys": quality.EXACT,
    "fast, a quarter of the keys": quality.FAST,
    "30 steps, half of the tokens": quality.EXACT,
    "fast, half of the tokens": quality.FAST,
}  # fmt: skip


def shortcut(name: str) -> quality.Shortcut:
    """What the name of a choice says."""
    if "keys" in name:
        return lambda _: fewer_keys()
    if "tokens" in name:
        return lambda _: merged_tokens()
    every, outer = (int(part.split()[-1]) for part in name.split(", ")[1:])
    return lambda model: deep_features(model, every, outer)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("images", "cost"))
    parser.add_argument("--out", type=Path, default=Path("bench_candidates.json"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--frames", type=int, default=4, help="of the window")
    parser.add_argument("--small", action="store_true", help="a narrow model, to try the script")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.what == "images":
        shortcuts = {name: shortcut(name) for name in CHOICES}
        quality.write(quality.measure(quality.CHOICES | CHOICES, shortcuts, options.repeats), options.out)
        return
    seconds = cost(options.size, options.frames, options.repeats, options.small)
    report = {"machine": machine(), "size": options.size, "frames": options.frames, "seconds": seconds}
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    rows = [[name, f"{value:.2f}", f"{value / seconds['ours']:.3f}"] for name, value in seconds.items()]
    print(f"One guided call, {options.frames} frames, {options.size} px: {report['machine']}\n")
    print(table(["", "seconds", "of ours"], rows))


@torch.inference_mode()
def cost(size: int, frames: int, repeats: int, small: bool) -> dict[str, float]:
    """Median seconds of a guided call with and without each shortcut, weights packed."""
    window = Window(size, frames, small)
    model, folded = window.model, window.model.adapter.fold()
    calls: dict[str, Callable[[], Any]] = {"ours": window.call}
    for outer in OUTER:
        deep = DeepFeatures(model.unet, outer)
        with model.attached(folded), deep.computed("a window"):
            window.call()
        reused = partial(deep.reused, "a window")
        calls[f"deep features kept, outer {outer}"] = _around(reused, window.call)
    for name, around in (("a quarter of the keys", fewer_keys), ("half of the tokens", merged_tokens)):
        state = replace(window.kept, cache=Cache())  # what it keeps is shorter, too
        calls[name] = _around(around, partial(window.call, state))
    with packed(model.unet, folded.audio, folded.motion), model.attached(folded):
        return alternating(calls, repeats)


def _around(shortcut: Callable[[], Any], call: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        with shortcut():
            return call()

    return run


if __name__ == "__main__":
    main()
