"""Stage II on a prepared data set: what a batch holds, in every way of reading it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("accelerate")
pytest.importorskip("webdataset")

from mmgt_core.base.errors import InputError
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.training.checkpointing import TrainingFolder
from mmgt_core.lab.training.clip_reader import Crop, random_crop, reference_frame, window_frames
from mmgt_core.lab.training.draws import Draws
from mmgt_core.lab.training.image import ImageSettings, new_model, train_image
from mmgt_core.lab.training.loop_settings import LoopSettings
from mmgt_core.lab.training.prepared_video import PreparedVideo
from mmgt_core.lab.training.video import VideoSettings, train_video
from mmgt_core.lab.training.video_loss import BatchSettings, VideoLoss
from mmgt_core.media.video_reader import read_video
from mmgt_core.pose.motion import Motion

from .prepared import GRAY, make, motion
from .tiny_recipe import tiny_recipe

SIZES = replace(tiny_recipe().image.model, size=64)
BATCH = BatchSettings(clips=2, rows=2, frames=3, audio=True, motion=True, crop=1.0, pixels=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return PreparedData.open(make(tmp_path_factory.mktemp("data")))


def source(data: PreparedData, settings: BatchSettings = BATCH, **options) -> PreparedVideo:
    return PreparedVideo(data, SIZES, settings, new_model(SIZES, 0).autoencoder, **options)


def frame_of(images: torch.Tensor) -> torch.Tensor:
    """Which frame an image is, from its gray value; exact to the rounding of the video's colors."""
    return (images.float().mean((-1, -2, -3)) / GRAY).round()


def test_everything_in_a_batch_is_of_the_same_clip_and_time(data: PreparedData) -> None:
    reader = source(data)
    for step in range(4):
        batch = reader.batch(Draws(0, step), BATCH)
        made = reader._tensors(Draws(0, step))
        frames = (100 * batch.sound[:, 2, 0, 1]).round()  # of the middle of each window of sound
        assert (frame_of(made["images"]) - frames).abs().max() <= 1
        steps = frames.unflatten(0, (-1, 3)).diff(dim=1)
        assert (steps == 1).all()
        clip = batch.sound[:, 2, 0, 0].unflatten(0, (2, 6))
        assert (clip == clip[:, :1]).all(), "the windows of a clip are of one clip"
        away = (frame_of(made["references"])[:, None] - frames.unflatten(0, (2, 6))).abs()
        assert away.min() >= 24 - 1
        assert batch.latents.shape == (12, 4, 8, 8) and batch.references.shape == (2, 4, 8, 8)
        assert batch.masks[0].shape == (12, 3, 8, 8) and batch.poses.shape == (12, 64, 64, 3)


def test_workers_and_parts_make_the_same_batches(data: PreparedData) -> None:
    alone, ahead = source(data), source(data, workers=2)
    for step in (3, 4, 5):
        expected, found = (reader._tensors(Draws(0, step)) for reader in (alone, ahead))
        assert all(torch.equal(expected[name], found[name]) for name in expected)
    halves = source(data, workers=1, accumulate=2)
    expected = alone._tensors(Draws(0, 6))
    parts = [halves._tensors(Draws(0, 6, "cpu", part, 2)) for part in range(2)]
    assert all(torch.equal(torch.cat([p[name] for p in parts]), expected[name]) for name in expected)


def test_a_crop_moves_the_keypoints_with_the_image() -> None:
    pose = Motion(torch.from_numpy(motion(0, 3)), 100, 100)
    image = np.zeros((100, 100, 3), np.uint8)
    x, y = (pose.keypoints[0, 7, :2] * 100).round().int().tolist()
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    for seed in range(5):
        crop = random_crop(0.5, torch.rand(4, generator=torch.Generator().manual_seed(seed)).tolist())
        enlarged = crop.image(image, 200).astype(float).mean(-1)
        at = np.argwhere(enlarged > 100).mean(0)[::-1]
        expected = crop.motion(pose).keypoints[0, 7, :2].numpy() * 200
        assert np.abs(at - expected).max() < 4  # pixels, of a dot of 6 to 8
    absent = Motion(torch.zeros(1, 134, 3), 100, 100)
    assert not crop.motion(absent).keypoints.any()
    assert random_crop(1.0, [0.3] * 4) == Crop(0.0, 0.0, 1.0, 1.0)


def test_windows_and_references_stay_inside() -> None:
    for number in (0.0, 0.37, 0.999):
        window = window_frames(80, 12, number)
        assert window.start >= 2 and window.stop <= 78
        assert len(window_frames(12, 12, number)) == 12
        reference = reference_frame(80, [window], 25, number)
        assert min(abs(reference - frame) for frame in window) >= 25
    assert reference_frame(20, [range(0, 12)], 25, 0.5) == 19


def test_hidden_mouths_lose_the_lips_alone(data: PreparedData) -> None:
    shown, hidden = (source(data, replace(BATCH, hidden_mouth=share)) for share in (0.0, 1.0))
    first, second = (reader._tensors(Draws(0, 0)) for reader in (shown, hidden))
    assert torch.equal(first["images"], second["images"]) and torch.equal(first["boxes"], second["boxes"])
    assert not torch.equal(first["poses"], second["poses"])
    lips = second["masks0"][:, 2].unflatten(0, (2, 6))
    assert torch.equal(lips, lips[:, :1].expand_as(lips)), "the masks of a hidden mouth stand still"


def test_conditions_reach_the_gradients_that_they_should(data: PreparedData) -> None:
    """Without a condition its own modules get no gradient; with it they do."""
    model = new_model(SIZES, 0)
    with torch.no_grad():
        for parameter in model.adapter.parameters():
            parameter.add_(0.02)

    def sizes(**drops: float) -> dict[str, float]:
        model.zero_grad()
        settings = replace(BATCH, pixels=0, **{"image_drop": 0.0, "audio_drop": 0.0, **drops})
        VideoLoss(model, source(data, settings), settings)(Draws(0, 0))["loss"].backward()
        parts = {"reference": model.reference, "audio": model.adapter.audio_projection}
        return {
            name: sum(float(p.grad.abs().sum()) for p in part.parameters() if p.grad is not None)
            for name, part in parts.items()
        }

    whole = sizes()
    assert whole["reference"] > 0 and whole["audio"] > 0
    assert sizes(image_drop=1.0)["reference"] == 0
    assert sizes(audio_drop=1.0)["audio"] == 0


def test_checkpointing_changes_no_gradient(data: PreparedData) -> None:
    gradients = []
    for checkpointing in (False, True):
        model = new_model(SIZES, 0).train()
        settings = replace(BATCH, pixels=0, checkpointing=checkpointing)
        if checkpointing:
            model.unet.enable_gradient_checkpointing()
        with model.attached():
            VideoLoss(model, source(data, settings), settings)(Draws(0, 0))["loss"].backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6)


def test_both_phases_train_resume_and_look_at_held_out_clips(data: PreparedData, tmp_path: Path) -> None:
    loop = LoopSettings(
        steps=3, warmup=1, log_every=1, precision="fp32", device="cpu", validate_every=2, sample_every=3
    )
    image = ImageSettings(
        folder=str(tmp_path / "image"), data=str(data.folder), model=SIZES, loop=loop, workers=0,
        batch=BatchSettings(clips=2),
    )  # fmt: skip
    path, report = train_image(image)
    assert report.best is not None and (tmp_path / "image/samples/step_0000003.jpg").is_file()
    video = VideoSettings(
        start=str(path), folder=str(tmp_path / "video"), data=str(data.folder), loop=loop, workers=0,
        batch=BatchSettings(clips=1, frames=3, audio=True, motion=True, pixels=1),
    )  # fmt: skip
    whole, _ = train_video(video)
    assert read_video(tmp_path / "video/samples/step_0000003.mp4").frames.shape == (3, 256, 1024, 3)

    class Stop(Exception):
        pass

    def stop(done: int, total: int, preview: object = None, /) -> None:
        if total == 1000 and done >= 300:
            raise Stop

    other = replace(video, folder=str(tmp_path / "other"))
    with pytest.raises(Stop):
        train_video(other, stop)
    again, _ = train_video(other)
    first, second = (load_video_model(file).state_dict() for file in (whole, again))
    assert all(torch.equal(first[name], second[name]) for name in first)
    losses = [
        [e["loss"] for e in TrainingFolder(tmp_path / n).journal() if "loss" in e] for n in ("video", "other")
    ]
    assert losses[0] == losses[1]


def test_files_that_are_missing_are_named(data: PreparedData, tmp_path: Path) -> None:
    kl = replace(SIZES, autoencoder="kl")
    with pytest.raises(InputError, match="no autoencoder"):
        train_image(ImageSettings(folder=str(tmp_path), data=str(data.folder), model=kl))
    with pytest.raises(InputError, match="wav2vec2"):
        PreparedVideo(data, replace(SIZES, audio_features="wav2vec2-base-960h"), BATCH, None)
    clip = replace(SIZES, image_context="clip")
    with pytest.raises(InputError, match="CLIP"):
        train_image(ImageSettings(folder=str(tmp_path), data=str(data.folder), model=clip))
