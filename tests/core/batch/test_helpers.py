"""Helpers on a real Ray: the video is that of one worker, and a helper that dies costs a try."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
import torch

pytest.importorskip("ray", reason="Ray is not installed")

from mmgt_core import __version__
from mmgt_core.batch.helpers import RemoteHelper
from mmgt_core.batch.jobs import parse_batch_job
from mmgt_core.batch.video_workers import FinishWorker, VideoWorker
from mmgt_core.batch.workers import RunSettings
from mmgt_core.checkpoints.video import save_video_model
from mmgt_core.pipeline.settings import Settings, VideoSettings
from mmgt_core.pose.motion_file import save_motion
from mmgt_core.video.config import demo_config
from mmgt_core.video.model import VideoModel
from mmgt_core.video.sampling import Sampling

FRAMES = 16


@pytest.fixture(scope="module")
def ray():
    from mmgt_core.batch.cluster import connected

    with connected(None, cpus=2) as ray:
        yield ray


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a portrait, a motion and a tiny model."""
    import numpy as np

    from mmgt_core.lab.presenter.figure import rest_pose
    from mmgt_core.lab.presenter.identity import sample_identity
    from mmgt_core.media.images import save_image
    from mmgt_core.pose.motion import Motion

    folder = tmp_path_factory.mktemp("helpers")
    config = dataclasses.replace(
        demo_config(),
        block_channels=(16, 16, 16, 16),
        groups=8,
        pose_channels=(4, 4, 8, 8),
        size=64,
        steps=3,
        window=4,
        overlap=1,
        autoencoder_channels=8,
    )
    save_video_model(folder / "video.safetensors", VideoModel.build(config, 0, pose_output_scale=1.0))
    pose = np.repeat(rest_pose(sample_identity(3))[None], FRAMES, axis=0)
    pose[..., 0] += 0.01 * np.arange(FRAMES)[:, None]
    save_motion(folder / "motion.safetensors", Motion(torch.from_numpy(pose).float()))
    save_image(folder / "portrait.png", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    return folder


def worker(place: Path, out: Path, helpers: int) -> VideoWorker:
    """In this process, which has one thread as its helpers have."""
    settings = Settings(
        video=VideoSettings(model=place / "video.safetensors"),
        sampling=Sampling(windows_at_once=1),
        device="cpu",
    )
    files = {"image": str(place / "portrait.png"), "motion": str(place / "motion.safetensors")}
    run = RunSettings(
        str(out), ".unfinished", settings, files, helpers=helpers, helper_options={"num_cpus": 0.5}
    )
    return VideoWorker(run, "cpu")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_clip_of_two_workers_is_that_of_one_also_after_one_has_died(
    ray, place, tmp_path, monkeypatch, one_thread
):
    job = parse_batch_job('{"name": "clip", "seed": 4}', 1, place)
    alone = worker(place, tmp_path / "alone", helpers=0)
    outcome, _ = alone.perform(job, b"k" * 16)
    assert outcome.kind == "done", outcome.reason
    wanted = sha256(tmp_path / "alone" / "clip.mp4")

    together = worker(place, tmp_path / "together", helpers=1)
    helped = []
    predict = RemoteHelper.predict

    def counted(self, windows, *rest):
        helped.append(len(windows))
        return predict(self, windows, *rest)

    monkeypatch.setattr(RemoteHelper, "predict", counted)
    outcome, _ = together.perform(job, b"k" * 16)
    assert outcome.kind == "done" and sha256(tmp_path / "together" / "clip.mp4") == wanted
    assert len(helped) >= 3, "the helper computes windows in each of the three steps"

    def dying(self, windows, *rest):
        ray.kill(self._handle)
        return predict(self, windows, *rest)

    other = dataclasses.replace(job, name="again")
    monkeypatch.setattr(RemoteHelper, "predict", dying)
    outcome, _ = together.perform(other, b"o" * 16)
    assert outcome.kind == "again" and "helper died" in outcome.reason
    assert not (tmp_path / "together" / "again.mp4").exists()
    monkeypatch.setattr(RemoteHelper, "predict", predict)
    outcome, _ = together.perform(other, b"o" * 16)
    assert outcome.kind == "done" and sha256(tmp_path / "together" / "again.mp4") == wanted


def test_a_clip_that_another_worker_decodes_and_encodes_is_the_same(ray, place, tmp_path, one_thread):
    job = parse_batch_job('{"name": "clip", "seed": 4}', 1, place)
    assert worker(place, tmp_path / "alone", helpers=0).perform(job, b"k" * 16)[0].kind == "done"
    sampler = worker(place, tmp_path / "apart", helpers=0)
    run = dataclasses.replace(sampler._run, hand_over=True)
    outcome, latents = VideoWorker(run, "cpu").perform(job, b"k" * 16)
    assert outcome.kind == "latents" and tuple(latents.shape) == (FRAMES, 4, 8, 8)
    assert not (tmp_path / "apart" / "clip.mp4").exists()
    finisher = FinishWorker(run, "cpu")
    assert finisher.ready(__version__) is None
    outcome, made = finisher.perform(job, b"k" * 16, latents=latents)
    assert outcome.kind == "done" and made is None
    assert sha256(tmp_path / "apart" / "clip.mp4") == sha256(tmp_path / "alone" / "clip.mp4")
    model = finisher._kept["decoder"]
    assert model.device.type == "meta", "what samples is not kept in memory"


@pytest.mark.slow
def test_without_room_for_helpers_a_clip_is_made_alone(ray, place, tmp_path, monkeypatch, one_thread):
    monkeypatch.setattr("mmgt_core.batch.helpers.FIRST_WAIT", 0.5)
    lonely = worker(place, tmp_path, helpers=0)
    run = dataclasses.replace(lonely._run, helpers=2, helper_options={"num_cpus": 1000})
    outcome, _ = VideoWorker(run, "cpu").perform(parse_batch_job('{"name": "a"}', 1, place), b"k" * 16)
    assert outcome.kind == "done"
