"""Training the pose encoder, its file, and what FGD makes of changed motions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("accelerate")

from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.checkpoints.io import ModelFile, write_model_file
from mmgt_core.lab.metrics.pose_encoder import PoseEncoder, PoseEncoderConfig, load_pose_encoder
from mmgt_core.lab.metrics.pose_windows import STILL, normalized, pose_windows
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.lab.presenter.motion_rules import perform
from mmgt_core.lab.presenter.phonemes import Phoneme
from mmgt_core.lab.scores.frechet import Gaussians, frechet_interval
from mmgt_core.lab.training.pose_encoder import (
    PoseEncoderSettings,
    encoder_loop,
    point_weights,
    train_pose_encoder,
)
from mmgt_core.pose.motion import Motion

from .prepared import make

TINY = PoseEncoderConfig(width=16, features=8)


def spoken(seed: int, seconds: float = 12.0) -> Motion:
    sounds = np.random.default_rng(seed).choice(list("aimtu"), round(seconds / 0.1)).tolist()
    phonemes = [
        Phoneme(s, 0.1 * i, 0.1 * (i + 1), stress=2 * (i % 4 == 0) * (s in "aiu"))
        for i, s in enumerate(sounds)
    ]
    return perform(phonemes, seconds, sample_identity(seed), seed).motion


def settings(data, folder, steps: int = 60, **more) -> PoseEncoderSettings:
    loop = replace(encoder_loop(), steps=steps, log_every=20, validate_every=20, device="cpu")
    return PoseEncoderSettings(str(data), str(folder), TINY, loop, batch=8, **more)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make(tmp_path_factory.mktemp("data"))


def test_training_lowers_the_loss_and_the_same_run_gives_the_same_file(data, tmp_path):
    path, report = train_pose_encoder(settings(data, tmp_path / "a"))
    again, _ = train_pose_encoder(settings(data, tmp_path / "b"))
    other, _ = train_pose_encoder(settings(data, tmp_path / "c", seed=1))
    first, second, third = (load_pose_encoder(p) for p in (path, again, other))
    assert report.finished and first.version == 1 and len(first.sha256) == 64
    assert first.sha256 == second.sha256 != third.sha256
    journal = [json.loads(line) for line in (tmp_path / "a" / "journal.jsonl").read_text().splitlines()]
    assert report.best is not None and report.last["loss"] < 0.95 * journal[0]["loss"]
    assert (tmp_path / "a" / "run.json").is_file()


def test_a_stopped_run_ends_as_an_unbroken_one(data, tmp_path):
    unbroken, _ = train_pose_encoder(settings(data, tmp_path / "a", 40))

    def stop(done, total, preview=None):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_pose_encoder(settings(data, tmp_path / "b", 40), stop)
    resumed, _ = train_pose_encoder(settings(data, tmp_path / "b", 40))
    one, other = (load_pose_encoder(p).network.state_dict() for p in (unbroken, resumed))
    for name in one:
        torch.testing.assert_close(one[name], other[name])


def test_another_file_is_no_encoder(tmp_path):
    write_model_file(tmp_path / "x.safetensors", ModelFile("smga", {}, {}))
    with pytest.raises(CheckpointError, match="not a pose encoder"):
        load_pose_encoder(tmp_path / "x.safetensors")
    write_model_file(tmp_path / "y.safetensors", ModelFile("pose_encoder", {"version": 99}, {}))
    with pytest.raises(CheckpointError, match="version 99"):
        load_pose_encoder(tmp_path / "y.safetensors")
    write_model_file(tmp_path / "z.safetensors", ModelFile("pose_encoder", {}, {}))
    with pytest.raises(CheckpointError, match="lacks"):
        load_pose_encoder(tmp_path / "z.safetensors")


def test_features_depend_on_nothing_but_the_window():
    network = PoseEncoder(TINY)
    windows = pose_windows(spoken(1))
    alone, together = network(windows[:1]), network(windows)
    torch.testing.assert_close(alone, together[:1])
    torch.testing.assert_close(network.train()(windows), network.eval()(windows))


def test_place_and_size_of_the_person_do_not_matter_and_legs_do_not_count():
    motion = spoken(1)
    keypoints = motion.keypoints.clone()
    keypoints[..., :2] = 0.6 * keypoints[..., :2] + 0.1
    keypoints[:, list(STILL), :2] += 0.3
    moved = replace(motion, keypoints=keypoints)
    torch.testing.assert_close(pose_windows(moved), pose_windows(motion), atol=2e-4, rtol=0)
    assert pose_windows(motion)[:, :, list(STILL)].abs().max() == 0
    assert pose_windows(motion.window(slice(0, 79))).shape == (0, 80, 134, 2)
    assert normalized(motion.to_network()[None, :80]).shape == (1, 80, 134, 2)


def test_body_face_and_hands_weigh_alike():
    weights = point_weights().view(134, 2)
    assert float(weights.sum()) == pytest.approx(1)
    for part in (slice(0, 18), slice(24, 92), slice(92, 134)):
        assert float(weights[part].sum()) == pytest.approx(1 / 3)


def test_fgd_of_the_truth_is_nothing_and_grows_from_noise_over_a_shift_of_body_parts_to_shuffled_points():
    """Even an untrained encoder orders them, so the order is no accident of a training run."""
    torch.manual_seed(0)
    network = PoseEncoder(PoseEncoderConfig()).eval()
    motions = [spoken(seed) for seed in range(6)]
    network.mean.copy_(torch.cat([pose_windows(m) for m in motions]).flatten(2).mean((0, 1)))
    network.scale.copy_(torch.cat([pose_windows(m) for m in motions]).flatten(2).flatten(0, 1).std(0) + 0.02)

    def features(change) -> Gaussians:
        found = Gaussians(32)
        for clip, motion in enumerate(motions):
            found.add(clip, network(pose_windows(change(motion), 5)).numpy())
        return found

    def noisy(motion):
        keypoints = motion.keypoints.clone()
        keypoints[..., :2] += 0.0005 * torch.randn(
            keypoints[..., :2].shape, generator=torch.Generator().manual_seed(0)
        )
        return replace(motion, keypoints=keypoints)

    def late(motion):
        return motion.window(np.maximum(np.arange(motion.frames) - 3, 0).tolist())

    def mixed_points(motion):
        order = torch.randperm(134, generator=torch.Generator().manual_seed(0))
        return replace(motion, keypoints=motion.keypoints[:, order])

    truth = features(lambda motion: motion)
    same, noise, shift, points = (
        frechet_interval(features(change), truth).value for change in (lambda m: m, noisy, late, mixed_points)
    )
    assert same == pytest.approx(0, abs=1e-6)
    assert same < noise < shift < 0.5 * points


def test_a_folder_without_data_is_an_error(tmp_path):
    with pytest.raises(InputError):
        train_pose_encoder(settings(tmp_path, tmp_path / "run"))
