"""Valid small files of every kind that people hand in, and the doors that read them."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from PIL import Image

from mmgt_core.base.feature_kinds import LOG_MEL
from mmgt_core.checkpoints.io import read_model_file
from mmgt_core.checkpoints.smga import load_smga, save_smga, state_to_official
from mmgt_core.checkpoints.speaker_adapter import (
    SpeakerAdapter,
    read_speaker_adapter,
    write_speaker_adapter,
)
from mmgt_core.inspection.report import inspect_file
from mmgt_core.lab.dataset.index import read_index_file
from mmgt_core.lab.dataset.reader import read_shard
from mmgt_core.lab.metrics.pose_encoder import (
    PoseEncoder,
    PoseEncoderConfig,
    load_pose_encoder,
    save_pose_encoder,
)
from mmgt_core.lab.prepare.manifest import read_table
from mmgt_core.lab.scores.clips import read_index_table
from mmgt_core.lab.scores.phonemes import read_phonemes
from mmgt_core.lab.tables.config import read_config
from mmgt_core.marks.credentials import credentials_for_tests
from mmgt_core.marks.record import Record
from mmgt_core.marks.signing import sign_file
from mmgt_core.media.images import load_image, save_image
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.video_reader import read_video
from mmgt_core.media.video_writer import write_video
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_file import load_motion, save_motion
from mmgt_core.pose.openpose import read_pose_file, write_pose_file
from mmgt_core.queue.jobs import BadJob, Job, read_jobs
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA

from ..core.lab.dataset import made_up

MODEL = SMGAConfig(width=16, ffn=8, layers=1, heads=8, encoder_layers=1, audio_channels=35)


@dataclass(frozen=True)
class Door:
    """How one kind of file is read, and when what comes out can be used."""

    suffix: str
    read: Callable[[Path], Any]
    usable: Callable[[Any], bool]


def _sound(waveform) -> bool:
    return waveform.frames >= 1 and bool(np.isfinite(waveform.samples).all())


def _picture(image) -> bool:
    return image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and min(image.shape[:2]) >= 16


def _film(clip) -> bool:
    return clip.frames.dtype == np.uint8 and clip.frames.ndim == 4 and len(clip.frames) > 0 and clip.fps > 0


def _motion(motion) -> bool:
    return (
        motion.frames > 0
        and bool(torch.isfinite(motion.keypoints).all())
        and min(motion.width, motion.height) > 0
    )


def _model(model) -> bool:
    return sum(parameter.numel() for parameter in model.parameters()) > 0


def _tensors(file) -> bool:
    return all(tensor.numel() * tensor.element_size() >= 0 for tensor in file.tensors.values())


def _speaker(adapter) -> bool:
    changes = [*adapter.motion.values(), *adapter.video.values()]
    return all(bool((up.float() @ down.float()).isfinite().all()) for down, up in changes)


def _jobs(jobs) -> bool:
    return bool(jobs) and all(
        isinstance(job, Job) or (isinstance(job, BadJob) and job.reason and "\n" not in job.reason)
        for job in jobs
    )


def _clips(clips) -> bool:
    return all(
        clip.motion.shape == (clip.frames, 134, 3)
        and len(clip.prosody) == len(clip.speech) == clip.frames
        and bool(np.isfinite(clip.motion).all())
        for clip in clips
    )


def _index(index) -> bool:
    return len(index.hash) == 64 and index.frames() >= 0 and len(index.shards) > 0


def _rows(rows) -> bool:
    return bool(rows) and all(row.names and (row.end is None or row.end > row.start >= 0) for row in rows)


SOUND, PICTURE, FILM = (
    Door("", load_waveform, _sound),
    Door("", load_image, _picture),
    Door("", read_video, _film),
)
TABLES = """data = "data"
out = "out"
seeds = [0, 1]
[model.full]
phase = "smga"
set.loop.steps = 5
[[table]]
name = "I"
figures = ["rmse"]
rows = [{ name = "full", motion = "full" }, { name = "held", motion = "first pose" }]
"""
MARKED = Door("", lambda path: inspect_file(path, watermark=False), lambda report: bool(report.lines()))
DOORS = {
    **dict.fromkeys(("marked.mp4", "marked.mkv", "marked.png", "marked.webp", "marked.jpg"), MARKED),
    **dict.fromkeys(("signed.png", "signed.mp4"), MARKED),
    **dict.fromkeys(("a.wav", "a.flac", "a.mp3", "a.m4a", "a.ogg"), SOUND),
    **dict.fromkeys(("a.png", "a.jpg", "a.webp", "a.gif", "a.tiff", "a.bmp"), PICTURE),
    **dict.fromkeys(("a.mp4", "a.avi"), FILM),
    "pose.json": Door(".json", read_pose_file, _motion),
    "motion.safetensors": Door(".safetensors", load_motion, _motion),
    "model.safetensors": Door(".safetensors", load_smga, _model),
    "model.pth": Door(".pth", load_smga, _model),
    "legacy.pt": Door(".pt", load_smga, _model),
    "tensors.safetensors": Door(".safetensors", read_model_file, _tensors),
    "speaker.safetensors": Door(".safetensors", read_speaker_adapter, _speaker),
    "jobs.jsonl": Door(".jsonl", read_jobs, _jobs),
    "shard.tar": Door(".tar", lambda path: read_shard(path, speech=LOG_MEL), _clips),
    "dataset.json": Door(".json", read_index_file, _index),
    "table.csv": Door(".csv", read_table, _rows),
    "table.jsonl": Door(".jsonl", read_table, _rows),
    "clips.csv": Door(".csv", read_index_table, lambda found: bool(found[0].names())),
    "clips.jsonl": Door(".jsonl", read_index_table, lambda found: bool(found[0].names())),
    "clip.phonemes.csv": Door(".phonemes.csv", read_phonemes, lambda labels: len(labels) > 0),
    "tables.toml": Door(".toml", read_config, lambda config: len(config.tables) > 0),
    "encoder.safetensors": Door(".safetensors", load_pose_encoder, lambda loaded: _model(loaded.network)),
}


def write_samples(folder: Path) -> dict[str, Path]:
    """One valid file for each door, by its name."""
    paths = {name: folder / name for name in DOORS}
    with wave.open(str(paths["a.wav"]), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(np.random.default_rng(0).integers(-9_000, 9_000, 3_200, np.int16).tobytes())
    for name, codec in (("a.flac", "flac"), ("a.mp3", "mp3"), ("a.m4a", "aac"), ("a.ogg", "flac")):
        _encode_sound(paths[name], codec)
    rows, columns = np.mgrid[0:24, 0:32]
    picture = Image.fromarray(np.stack([rows * 9, columns * 7, rows + columns], -1).astype(np.uint8))
    for name in ("a.png", "a.jpg", "a.webp", "a.gif", "a.tiff", "a.bmp"):
        picture.save(paths[name])
    for suffix in (".png", ".webp", ".jpg"):
        save_image(paths[f"marked{suffix}"], np.array(picture))
    for name in ("marked.mp4", "marked.mkv", "signed.mp4"):
        write_video(paths[name], np.stack([np.array(picture)] * 3))
    save_image(paths["signed.png"], np.array(picture))
    for name in ("signed.png", "signed.mp4"):
        sign_file(paths[name], Record(consent="contract 1"), credentials_for_tests())
    for name, codec in (("a.mp4", "libx264"), ("a.avi", "mjpeg")):
        _encode_film(paths[name], codec)
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 134, 3, generator=generator)
    write_pose_file(paths["pose.json"], Motion(points, 64, 48))
    save_motion(paths["motion.safetensors"], Motion(points, 64, 48))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SMGA(MODEL)
    save_smga(paths["model.safetensors"], model)
    state = {"ema_state_dict": state_to_official(model.state_dict(), MODEL), "epoch": 3}
    torch.save(state, paths["model.pth"])
    torch.save(state, paths["legacy.pt"], _use_new_zipfile_serialization=False)
    save_smga(paths["tensors.safetensors"], model, dtype=torch.float16, complete=True)
    changes = {"a.weight": (torch.rand(2, 6, generator=generator), torch.rand(8, 2, generator=generator))}
    write_speaker_adapter(paths["speaker.safetensors"], SpeakerAdapter(changes, changes))
    lines = [{"name": f"job {n}", "image": "a.png", "seed": n, "set": {"1.steps": n}} for n in range(4)]
    paths["jobs.jsonl"].write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    made_up.make(folder / "data")
    (folder / "data" / "shards" / "train-00000.tar").rename(paths["shard.tar"])
    (folder / "data" / "dataset.json").rename(paths["dataset.json"])
    rows = [{"file": f"{n}.mp4", "start": f"0:00:{n + 10}", "end": 30 + n, "speaker": "x"} for n in range(4)]
    paths["table.jsonl"].write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    columns = "\n".join(",".join(map(str, row.values())) for row in rows)
    paths["table.csv"].write_text(f"file,start,end,speaker\n{columns}\n", encoding="utf-8")
    rows = [{"name": f"clip {n}", "pred": str(paths["motion.safetensors"]), "truth": ""} for n in range(4)]
    paths["clips.jsonl"].write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    columns = "\n".join(",".join(row.values()) for row in rows)
    paths["clips.csv"].write_text(f"name,pred,truth\n{columns}\n", encoding="utf-8")
    sounds = "\n".join(f'{n / 10},{n / 10 + 0.1},"{label}"' for n, label in enumerate("mama tɛst"))
    paths["clip.phonemes.csv"].write_text(f"start,end,label\n{sounds}\n", encoding="utf-8")
    paths["tables.toml"].write_text(TABLES, encoding="utf-8")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_pose_encoder(paths["encoder.safetensors"], PoseEncoder(PoseEncoderConfig(8, 4)), {})
    return paths


def _encode_sound(path: Path, codec: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=16_000, layout="mono")
        samples = (0.3 * np.sin(np.arange(4_096) / 9)).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(stream.format, "mono", 16_000)
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        for part in fifo.read_many(stream.frame_size or 1_024, partial=True):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def _encode_film(path: Path, codec: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = 32, 32
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index in range(6):
            picture = np.full((32, 32, 3), index * 40, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
