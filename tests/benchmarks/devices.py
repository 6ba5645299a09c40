"""The speed of two devices, and of two processes, on one clip beside one device: one thread each, on the CPU.

    OMP_NUM_THREADS=1 python tests/benchmarks/devices.py [--size 256] [--frames 120] [--rounds 3]

All are measured in turns, and the fastest rounds are compared: on a machine with other work they are those
that were disturbed least. They share the processor's cores, of which two must be free now and then. The
second process is a Ray actor, as a helper of `mmgt batch` is.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmgt_core import assets
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.media.images import load_image
from mmgt_core.pipeline.conditions import ClipInputs
from mmgt_core.pose.motion_masks import motion_masks
from mmgt_core.pose.openpose import read_pose_file
from mmgt_core.video.denoise import denoise
from mmgt_core.video.model import VideoModel
from mmgt_core.video.sampling import Sampling


def load() -> VideoModel:
    torch.set_num_threads(1)
    model = load_video_model(assets.asset(assets.VIDEO_MODEL))
    model.autoencoder = model.autoencoder.float()
    return model


class Server:
    """A helper's process."""

    def __init__(self, root: str):
        sys.path.insert(0, root)
        from mmgt_core.pipeline.window_server import WindowServer

        self._server = WindowServer(load())

    def begin(self, inputs: ClipInputs) -> None:
        self._server.begin(inputs)

    def predict(self, *given: Any) -> torch.Tensor:
        return self._server.predict(*given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    import cv2

    from mmgt_core.batch.cluster import connected
    from mmgt_core.batch.helpers import RemoteHelper

    model = load()
    portrait = load_image(assets.asset(assets.PORTRAITS[0][0]))
    image = np.asarray(cv2.resize(portrait, (options.size, options.size)), np.uint8)
    motion = read_pose_file(assets.asset(assets.PORTRAITS[0][1])).window([0] * options.frames)
    sampling = Sampling(width=options.size, height=options.size, steps=1, windows_at_once=1)
    inputs = ClipInputs(image, motion, motion_masks(motion), None, sampling.applied_to(model.config))
    other = copy.deepcopy(model)
    with connected(None, cpus=2) as ray, torch.no_grad():
        helper = RemoteHelper(ray, ray.remote(Server).options(num_cpus=1).remote(str(sys.path[0])))
        helper.begin(inputs)
        first, second = inputs.conditions(model), inputs.conditions(other)
        ways: dict[str, dict[str, Any]] = {
            "one device": {},
            "two devices": {"others": [(other, second)]},
            "two processes": {"helpers": [helper]},
        }
        denoise(model, first, sampling, **ways["two processes"])  # not measured: the helper starts
        times: dict[str, list[float]] = {name: [] for name in ways}
        results: dict[str, torch.Tensor] = {}
        for _ in range(options.rounds):
            for name, given in ways.items():
                start = time.perf_counter()
                results[name] = denoise(model, first, sampling, **given)
                times[name].append(time.perf_counter() - start)
    alone = min(times["one device"])
    print(f"{options.frames} frames of {options.size} pixels, model of the demo, one thread each")
    for name, took in times.items():
        away = float((results[name] - results["one device"]).abs().max())
        print(f"{name:14s} {min(took):6.2f} s {alone / min(took):5.2f}x   largest difference {away:.1e}")


if __name__ == "__main__":
    main()
