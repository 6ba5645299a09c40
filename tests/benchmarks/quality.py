"""Speed against image quality: `exact`, `fast`, `draft` and other choices of steps and guidance, demo model.

Every choice makes the same frames from the same noise; PSNR is that of the images against `exact`, speed the
processor time of the sampler against the published order of work (see stage2.py). Writes a JSON file and,
with matplotlib, a picture.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from measuring import alternating, machine, table
from stage2 import as_published

from mmgt_core import assets
from mmgt_core.audio.prosody import prosody
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.media.framing import fit_image
from mmgt_core.media.images import load_image
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.waveform import Waveform
from mmgt_core.pipeline.conditions import clip_conditions
from mmgt_core.pose.openpose import read_pose_file
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.sampling import MotionSampling
from mmgt_core.video import model as video_model
from mmgt_core.video.autoencoder import decode_latents
from mmgt_core.video.denoise import denoise
from mmgt_core.video.sampling import Sampling

Shortcut = Callable[[video_model.VideoModel], AbstractContextManager]
EXACT = {"steps": 30, "cfg": 2.0}
FAST = {"quality": "fast", "cfg": 2.0, "steps": 8}
CHOICES: dict[str, dict[str, Any]] = {
    "exact": EXACT,
    "15 steps": {"steps": 15, "cfg": 2.0},
    "8 steps": {"steps": 8, "cfg": 2.0},
    "fast": FAST,
    "5 steps": {"steps": 5, "cfg": 2.0},
    "8 steps, no guidance": {"steps": 8, "cfg": 1.0},
    "draft": {"quality": "draft", "steps": 4, "cfg": 1.0},
}
FIRST, FRAMES = 30, 10  # of the shipped speech
PUBLISHED = "published order"
TRIED = {"deep features": "s", "a quarter of the keys": "^", "half of the tokens": "D"}
"""Markers of candidates.py's rows, by what their names contain."""
BESIDE = {"8 steps": (-44, -3), "fast": (-8, 8), "5 steps": (-44, -8), "draft": (6, -12)}
"""Where the names of points lie that have others beside them, in points."""
TIMED = 6  # steps that are timed in place of a multiple of them


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench_quality.json"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    write(measure(CHOICES, {}, options.repeats), options.out)


class Runs:
    """Runs of the demo model on one clip.

    Args:
        shortcuts: what is around the runs of these names.
    """

    def __init__(self, shortcuts: Mapping[str, Shortcut]):
        self.shortcuts = {PUBLISHED: _published, **shortcuts}
        self.model = load_video_model(assets.asset(assets.VIDEO_MODEL)).eval()
        self.conditions = _conditions(self.model)

    def latents(self, name: str, choice: Mapping[str, Any]) -> torch.Tensor:
        """What the sampler makes."""
        self.conditions.cache.clear()  # what one shortcut keeps is wrong for the next
        with self.shortcuts.get(name, lambda _: nullcontext())(self.model):
            return denoise(self.model, self.conditions, Sampling(seed=0, **choice))

    def images(self, name: str, choice: Mapping[str, Any]) -> torch.Tensor:
        """The decoded images."""
        scale = self.model.config.latent_scale
        return decode_latents(self.model.autoencoder, self.latents(name, choice), scale).float()

    def seconds(self, choices: Mapping[str, dict[str, Any]], repeats: int) -> dict[str, float]:
        """Of the sampler, measured in turns: for longer runs from a few steps, as steps take equally long."""
        steps = {name: choice["steps"] for name, choice in choices.items()}
        timed = {name: count if count % TIMED else TIMED for name, count in steps.items()}
        calls = {
            name: partial(self.latents, name, choice | {"steps": timed[name]})
            for name, choice in choices.items()
        }
        seconds = alternating(calls, repeats)
        return {name: value * steps[name] / timed[name] for name, value in seconds.items()}


@torch.no_grad()
def measure(
    choices: dict[str, dict[str, Any]], shortcuts: Mapping[str, Shortcut], repeats: int
) -> dict[str, Any]:
    """The table's rows: each choice, with the shortcut of the same name around it if there is one."""
    choices = {PUBLISHED: EXACT, **choices}
    runs = Runs(shortcuts)
    made = {name: runs.images(name, choice) for name, choice in choices.items()}
    seconds = runs.seconds(choices, repeats)
    rows = {
        name: {"speed": round(seconds[PUBLISHED] / seconds[name], 2), "psnr": _psnr(images, made["exact"])}
        for name, images in made.items()
    }
    published = round(seconds[PUBLISHED], 1)
    return {"machine": machine(), "frames": FRAMES, "published_seconds": published, "rows": rows}


@contextmanager
def _published(_: video_model.VideoModel) -> Iterator[None]:
    with as_published(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(video_model, "packed", lambda *_: nullcontext())
        yield


def write(report: dict[str, Any], path: Path) -> None:
    """Print the table; write it, and the picture beside it."""
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    rows = report["rows"]
    print(f"Demo model, 256 px, {FRAMES} frames: {report['machine']}\n")
    print(table(["", "speed", "PSNR to exact, dB"], [[name, *row.values()] for name, row in rows.items()]))
    _draw(rows, path.with_suffix(".png"))


def _conditions(model):
    speech = load_waveform(assets.asset(assets.SPEECH))
    portrait, pose = (assets.asset(name) for name in assets.PORTRAITS[0])
    features = torch.from_numpy(prosody(speech)).float()
    motion = generate_motion(
        load_smga(assets.asset(assets.MOTION_MODEL)), features, read_pose_file(pose), MotionSampling(seed=0)
    ).window(slice(FIRST, FIRST + FRAMES))
    each = speech.rate // 25
    voice = Waveform(speech.samples[FIRST * each : (FIRST + FRAMES) * each], speech.rate)
    picture = fit_image(load_image(portrait), (model.config.size, model.config.size), "pad")[0]
    return clip_conditions(model, picture, motion, voice, model.config)


def _psnr(images: torch.Tensor, exact: torch.Tensor) -> float | None:
    error = float((images - exact).square().mean())
    return round(-10 * torch.tensor(error).log10().item(), 1) if error else None


def _draw(rows: dict[str, dict[str, Any]], path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
    for name, row in rows.items():
        if row["psnr"] is None or row["psnr"] > 80:
            continue  # the same images: they are marked on the axis
        tried = next((word for word in TRIED if word in name), None)
        if tried is not None:
            label = tried if tried not in axes.get_legend_handles_labels()[1] else None
            axes.scatter(row["speed"], row["psnr"], color="gray", marker=TRIED[tried], s=24, label=label)
            continue
        chosen = name in ("fast", "draft")
        axes.scatter(row["speed"], row["psnr"], color="tab:red" if chosen else "tab:blue", zorder=3)
        axes.annotate(
            name,
            (row["speed"], row["psnr"]),
            xytext=BESIDE.get(name, (6, 4)),
            textcoords="offset points",
            fontsize=9,
        )
    axes.margins(0.12)
    axes.axvline(rows["exact"]["speed"], color="gray", linestyle="--", linewidth=1)
    axes.annotate(
        "exact", (rows["exact"]["speed"], axes.get_ylim()[0]), xytext=(4, 6), textcoords="offset points"
    )
    axes.set_xlabel("speed, published order of work = 1")
    axes.set_ylabel("PSNR to exact (dB)")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(title="left out", fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
