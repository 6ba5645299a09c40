"""Inputs and tiny models with which the whole road runs in a second or two."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmgt_core.__main__ import main
from mmgt_core.checkpoints.smga import save_smga
from mmgt_core.checkpoints.video import save_video_model
from mmgt_core.lab.presenter.figure import rest_pose
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.media.images import save_image
from mmgt_core.media.sound_file import save_wav
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_file import save_motion
from mmgt_core.pose.openpose import write_pose_file
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA
from mmgt_core.video.config import demo_config
from mmgt_core.video.model import VideoModel

SECONDS, RATE, WIDTH, HEIGHT = 0.7, 22_050, 120, 96


@dataclass(frozen=True)
class Inputs:
    """Paths of valid inputs, shared by all tests: never write here."""

    folder: Path
    portrait: Path
    pose: Path
    speech: Path
    motion: Path
    motion_model: Path
    video_model: Path

    def models(self) -> list[str]:
        return ["--motion-model", str(self.motion_model), "--model", str(self.video_model)]

    def generate(self, out: Path, **changes: object) -> list[str]:
        """The arguments of `mmgt generate`; a change replaces an option's value, None leaves it out."""
        options = {
            "image": self.portrait,
            "keypoints": self.pose,
            "audio": self.speech,
            "out": out,
            "motion_model": self.motion_model,
            "model": self.video_model,
            "motion_steps": 2,
            "device": "cpu",
            **changes,
        }
        return ["generate", *_options(options)]

    def batch(self, jobs: Path, out: Path | str, **changes: object) -> list[str]:
        """The arguments of `mmgt batch`; what all jobs have in common."""
        options = {
            "out": out,
            "image": self.portrait,
            "keypoints": self.pose,
            "motion_model": self.motion_model,
            "model": self.video_model,
            "motion_steps": 2,
            "device": "cpu",
            "threads": 1,
            **changes,
        }
        return ["batch", str(jobs), *_options(options)]

    def motion_command(self, out: Path, **changes: object) -> list[str]:
        options = {
            "keypoints": self.pose,
            "audio": self.speech,
            "out": out,
            "motion_model": self.motion_model,
            "motion_steps": 2,
            "device": "cpu",
            **changes,
        }
        return ["motion", *_options(options)]


def _options(options: dict[str, object]) -> list[str]:
    pairs = [(f"--{name.replace('_', '-')}", value) for name, value in options.items() if value is not None]
    return [part for option, value in pairs for part in ([option] if value is True else [option, str(value)])]


def speech_like(seconds: float = SECONDS, rate: int = RATE) -> Waveform:
    time = np.arange(round(seconds * rate)) / rate
    voice = np.sin(2 * np.pi * 140 * time) * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * time))
    noise = np.random.default_rng(0).standard_normal(time.size)
    return Waveform((0.4 * voice + 0.01 * noise).astype(np.float32), rate)


@pytest.fixture(autouse=True)
def work_root(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands of a test keep unfinished work: not in the tester's own cache."""
    root = tmp_path_factory.mktemp("work")
    monkeypatch.setenv("MMGT_WORK", str(root))
    return root


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    # A name as people have them: spaces, and letters beyond ASCII.
    folder = tmp_path_factory.mktemp("valid inputs 输入")
    inputs = Inputs(
        folder,
        folder / "portrait.png",
        folder / "pose.json",
        folder / "speech.wav",
        folder / "motion.safetensors",
        folder / "motion_model.safetensors",
        folder / "video_model.safetensors",
    )
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    picture = np.stack([rows * 2, columns * 2, (rows + columns) % 256], axis=-1).astype(np.uint8)
    save_image(inputs.portrait, picture)
    pose = torch.as_tensor(rest_pose(sample_identity(1)), dtype=torch.float32)[None]
    write_pose_file(inputs.pose, Motion(pose, WIDTH, HEIGHT))
    save_wav(inputs.speech, speech_like())
    generator = torch.Generator().manual_seed(0)
    moving = pose.repeat(9, 1, 1)
    moving[..., :2] += 0.01 * torch.randn(moving[..., :2].shape, generator=generator)
    save_motion(inputs.motion, Motion(moving, WIDTH, HEIGHT))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        smga = SMGA(
            SMGAConfig(
                width=16,
                ffn=32,
                layers=1,
                heads=2,
                encoder_layers=1,
                audio_channels=35,
                steps=2,
                guidance=1.0,
            )
        )
    save_smga(inputs.motion_model, smga)
    config = replace(
        demo_config(),
        block_channels=(16, 16, 16, 16),
        groups=8,
        audio_intermediate=8,
        audio_tokens=2,
        audio_dim=8,
        pose_channels=(4, 4, 8, 8),
        cross_dim=8,
        size=64,
        steps=1,
        window=8,
        overlap=2,
        autoencoder_channels=8,
    )
    save_video_model(inputs.video_model, VideoModel.build(config, 0, pose_output_scale=1.0))
    return inputs


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def mmgt(capsys: pytest.CaptureFixture[str]):
    """Function: run a command line in this process."""

    def run(arguments: list[str]) -> Outcome:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def document(inputs: Inputs) -> dict:
    """The pose file's contents, to be spoiled."""
    return json.loads(inputs.pose.read_text(encoding="utf-8"))
