"""The speed of two devices on one clip beside one: two copies of the model, one thread each, on the CPU.

    OMP_NUM_THREADS=1 python tests/benchmarks/devices.py [--size 128] [--frames 60] [--rounds 3]

Both are measured in turns, and the fastest rounds are compared: on a machine with other work they are those
that were disturbed least. The devices share the processor's cores, of which two must be free now and then.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmgt_core import assets
from mmgt_core.base.progress import silent
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.media.images import load_image
from mmgt_core.pipeline.conditions import clip_conditions
from mmgt_core.pose.openpose import read_pose_file
from mmgt_core.video.denoise import denoise
from mmgt_core.video.sampling import Sampling


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    import cv2

    torch.set_num_threads(1)
    size = (options.size, options.size)
    image = cv2.resize(load_image(assets.asset(assets.PORTRAITS[0][0])), size)
    pose = read_pose_file(assets.asset(assets.PORTRAITS[0][1]))
    motion = pose.window([0] * options.frames)
    model = load_video_model(assets.asset(assets.VIDEO_MODEL))
    model.autoencoder = model.autoencoder.float()
    sampling = Sampling(width=options.size, height=options.size, steps=1, windows_at_once=1)
    config = sampling.applied_to(model.config)

    def conditions(each):
        return clip_conditions(each, image, motion, None, config, silent)

    other = copy.deepcopy(model)
    first, second = conditions(model), conditions(other)
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(options.rounds):
        for count in (1, 2):
            start = time.perf_counter()
            denoise(model, first, sampling, others=[(other, second)] if count == 2 else ())
            times[count].append(time.perf_counter() - start)
    one, two = min(times[1]), min(times[2])
    print(
        f"{options.frames} frames of {options.size} pixels: one {one:.1f} s, two {two:.1f} s, "
        f"{one / two:.2f}x; rounds {[f'{a / b:.2f}' for a, b in zip(times[1], times[2], strict=True)]}"
    )


if __name__ == "__main__":
    main()
