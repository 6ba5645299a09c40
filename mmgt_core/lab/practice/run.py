"""The practice run: faulty videos, `mmgt prepare`, three phases, a held-out speaker, a speaker adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...base.atomic_files import atomic_write
from ...base.progress import Progress
from ...base.timebase import FPS
from ...media.contact_sheet import contact_sheet
from ...media.images import save_image
from ...media.sound_file import save_wav
from ...media.waveform import Waveform
from ...pipeline.generate import generate_video
from ...pipeline.request import VideoRequest
from ...pipeline.settings import MotionSettings, Settings, VideoSettings, WorkSettings
from ...pose.openpose import write_pose_file
from ..dataset.layout import ENTRIES
from ..dataset.reader import PreparedData
from ..prepare.run import prepare
from ..prepare.settings import ClipSettings, SetSettings
from ..presenter.practice_plan import plan_speaker, plan_videos
from ..presenter.practice_videos import TRUTH, write_practice_videos
from ..training.checkpointing import TrainingFolder
from ..training.image import train_image
from ..training.smga import train_smga
from ..training.speaker import train_speaker
from ..training.video import train_video
from .figures import PracticeFigures, measure
from .recipe import GESTURES, Practice

REPORT = "practice.json"
Stage = Callable[[str], Progress]


def run_practice(practice: Practice, stage: Stage) -> dict[str, Any]:
    """Do everything that is not done yet; returns the report, which is also written as `practice.json`.

    Raises what its parts raise; what they finished stays.
    """
    videos, own = practice.folder / "videos", practice.folder / "own_videos"
    if not (videos / TRUTH).exists():
        plans = plan_videos(practice.videos, practice.seed)
        write_practice_videos(videos, plans, practice.size, stage("making videos"))
    if not (own / TRUTH).exists():
        plans = plan_speaker(practice.own, practice.seed, GESTURES)
        write_practice_videos(own, plans, practice.size, stage("making videos of one speaker"))
    for source, data in ((videos, practice.data), (own, practice.own_data)):
        settings = ClipSettings(size=practice.size), SetSettings(seed=practice.seed)
        prepare((source,), data, *settings, stage=stage)
    train_smga(practice.smga(), stage("training Stage I"))
    train_image(practice.image(), stage("training the image phase"))
    train_video(practice.video(), stage("training the video phase"))
    video = held_out_video(practice, stage)
    adapter, _ = train_speaker(practice.speaker(), stage)
    figures = measure(practice, adapter)
    report = {
        "figures": {name: vars(value) for name, value in vars(figures).items()},
        "losses": {name: _fall(practice.folder / name) for name in ("smga", "image", "video")},
        "video": video.name,
        "adapter_megabytes": round(adapter.stat().st_size / 1e6, 2),
        "practice": {key: value for key, value in asdict(practice).items() if key != "folder"},
    }
    with atomic_write(practice.folder / REPORT) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def faults_of(figures: PracticeFigures | dict[str, Any]) -> list[str]:
    """What a full run has to reach and this one did not; one sentence each."""
    values = figures if isinstance(figures, dict) else {k: vars(v) for k, v in vars(figures).items()}
    value = {name: interval["value"] for name, interval in values.items()}
    wanted = {
        f"lip correlation on held-out speech is {value['lips']:.2f}, below 0.6": value["lips"] >= 0.6,
        f"another clip's sound moves the lips as well ({value['other_lips']:.2f})": value["other_lips"]
        < value["lips"] - 0.3,
        f"the adapter brings gestures no closer to their size ({value['gesture']:.2f} -> "
        f"{value['own_gesture']:.2f} of the true one)": abs(np.log(value["own_gesture"]))
        < abs(np.log(value["gesture"])),
        f"the adapter brings the picture no closer ({value['own_picture']:.1f} -> "
        f"{value['adapted_picture']:.1f} dB)": value["adapted_picture"] > value["own_picture"],
    }
    return [sentence for sentence, reached in wanted.items() if not reached]


def held_out_video(practice: Practice, stage: Stage) -> Path:
    """A video of a held-out person: their first image and pose and their sound, as a user would give them."""
    data = PreparedData.open(practice.data)
    clip = next(iter(data.iterate(data.shards("validation")[0], ENTRIES)))
    folder = practice.folder / "held_out"
    folder.mkdir(exist_ok=True)
    out = folder / "video.mp4"
    if out.exists():
        return out
    save_image(folder / "portrait.png", clip.images([0])[0], record=None)
    save_wav(folder / "speech.wav", Waveform(clip.samples(), 16_000))
    write_pose_file(folder / "pose.json", clip.poses().window([0]))
    settings = Settings(
        motion=MotionSettings(motion_model=practice.folder / "smga" / "motion.safetensors"),
        video=VideoSettings(model=practice.folder / "video" / "video.safetensors"),
        work=WorkSettings(keep_work=False),
        device=practice.device,
    )
    request = VideoRequest(
        image=folder / "portrait.png",
        audio=folder / "speech.wav",
        keypoints=folder / "pose.json",
        out=out,
        contact_sheet=folder / "video.jpg",
    )
    generate_video(request, settings, stage)
    every = max(1, clip.frames // 24)
    true = clip.images(list(range(0, clip.frames, every)))
    save_image(folder / "truth.jpg", contact_sheet(true, fps=FPS / every), record=None)
    return out


def _fall(folder: Path) -> dict[str, float]:
    """The training loss at the beginning and the end of a run: means of two and of five journal entries."""
    losses = [entry["loss"] for entry in TrainingFolder(folder).journal() if "loss" in entry]
    return {"first": float(np.mean(losses[:2])), "last": float(np.mean(losses[-5:]))}
