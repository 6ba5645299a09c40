"""Figures of images: order of degradations, regions, drift, and agreement with torchmetrics."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmgt_core.lab.scores.image_scores import SIZE, image_scores, squares, tensor_scores
from mmgt_core.lab.scores.regions import regions_of

from .spoken import late, spoken


@pytest.fixture(scope="module")
def clip():
    return spoken(3, 3.0)


def scores(images, clip, **more):
    return image_scores(iter(images), iter(clip.images), regions_of(clip.motion, SIZE), **more)


def test_the_truth_is_perfect_against_itself(clip):
    found = scores(clip.images, clip)
    for name in ("psnr", "psnr_face", "psnr_hands"):
        assert found[name] == pytest.approx(100)
    for name in ("ssim", "ssim_face", "ssim_hands"):
        assert found[name] == pytest.approx(1, abs=1e-5)
    assert found["images"] == len(clip.images)


def test_blur_shift_reversal_and_shuffling_are_ordered(clip):
    count = len(clip.images)
    blurred = [np.stack([cv2.GaussianBlur(i, (0, 0), sigma) for i in clip.images]) for sigma in (0.5, 2.0)]
    mixed = clip.images[np.random.default_rng(0).permutation(count)]
    shifted = [clip.images[late(frames, count)] for frames in (1, 3)]
    versions = (clip.images, *shifted, clip.images[::-1], mixed, *blurred, spoken(9, 3.0).images)
    found = [scores(images, clip) for images in versions]
    for name in ("psnr", "ssim", "ssim_hands"):
        perfect, one, three, backwards, shuffled, slight, strong, foreign = (record[name] for record in found)
        assert perfect > one > three > max(backwards, shuffled) > min(backwards, shuffled) > foreign, name
        assert perfect > slight > strong > foreign, name


def test_whole_frames_agree_with_torchmetrics(clip):
    image = pytest.importorskip("torchmetrics.functional.image")
    moved = clip.images[late(3, len(clip.images))]
    found = image_scores(iter(moved[4:10]), iter(clip.images[4:10]), None)
    a, b = (squares(list(side[4:10])).permute(0, 3, 1, 2).double() for side in (moved, clip.images))
    each = image.peak_signal_noise_ratio(a, b, data_range=1.0, reduction="none", dim=(1, 2, 3))
    assert torch.isfinite(each).all(), "no two images are equal"
    assert found["psnr"] == pytest.approx(float(each.mean()), abs=1e-3)
    # In float32 torchmetrics itself is off by 3e-4 in flat areas.
    theirs = image.structural_similarity_index_measure(a, b, data_range=1.0)
    assert found["ssim"] == pytest.approx(float(theirs), abs=1e-5)


def test_damage_to_the_hands_counts_there_and_not_in_the_face(clip):
    regions = regions_of(clip.motion, clip.images.shape[1])
    damaged = clip.images.copy()
    for frame, image in enumerate(damaged):
        for x1, y1, x2, y2 in regions.boxes("hands", frame):
            image[y1:y2, x1:x2] = 255 - image[y1:y2, x1:x2]
    found = scores(damaged, clip)
    assert found["psnr_hands"] < 15 < 25 < found["psnr_face"]


def test_a_background_that_changes_is_drift_and_hands_that_move_are_none(clip):
    still = image_scores(iter(clip.images), None, regions_of(clip.motion, SIZE))
    assert still["background"] < 0.5 and "psnr" not in still
    fading = np.clip(clip.images + np.linspace(0, 40, len(clip.images))[:, None, None, None], 0, 255)
    changed = image_scores(iter(fading.astype(np.uint8)), None, regions_of(clip.motion, SIZE))
    assert changed["background"] > 15
    assert changed["background#0"] < changed["background#1"]


def test_without_keypoints_only_whole_frames_are_compared(clip):
    found = image_scores(iter(clip.images), iter(clip.images), None)
    assert {name for name in found if "#" not in name} == {
        "psnr",
        "ssim",
        "images",
        "psnr_start",
        "sharpness",
        "flicker",
    }


def test_the_shorter_side_ends_the_comparison(clip):
    found = image_scores(iter(clip.images[:33]), iter(clip.images), None)
    assert found["images"] == 33
    found = image_scores(iter(clip.images), iter(clip.images[:17]), None)
    assert found["images"] == 17


def test_a_distance_of_images_is_used_for_whole_frames_parts_and_the_drifting_face(clip):
    def apart(first, second):
        assert first.shape == second.shape and first.shape[-1] == 3
        return (first - second).abs().flatten(1).mean(1)

    found = scores(clip.images[::-1].copy(), clip, lpips=apart)
    assert min(found[name] for name in ("lpips", "lpips_face", "lpips_hands", "face_lpips")) > 0


def test_flicker_and_sharpness_of_known_images_also_between_blocks():
    steps = np.zeros((25, SIZE, SIZE, 3), np.uint8)
    steps[1::2] = 2  # every frame differs from the last by 2 levels
    assert image_scores(iter(steps), None, None)["flicker"] == pytest.approx(2, abs=1e-4)
    assert image_scores(iter(steps[:1]), None, None).get("flicker", 0) == 0


def test_blur_lowers_sharpness_and_tensors_have_the_scores_of_images(clip):
    soft = np.stack([cv2.GaussianBlur(image, (0, 0), 2.0) for image in clip.images[:12]])
    found = image_scores(iter(soft), iter(clip.images[:12]), regions_of(clip.motion, SIZE))
    assert found["sharpness"] < 0.5 and found["sharpness_hands"] < 0.7
    shown, true = (squares(list(side[:12])) for side in (soft, clip.images))
    record = tensor_scores(shown, true, regions_of(clip.motion, SIZE))
    assert {"psnr", "psnr_start", "psnr_hands", "ssim", "sharpness", "flicker"} < set(record)
    for name, value in record.items():
        assert found[name] == pytest.approx(value, rel=1e-5), name
    first = tensor_scores(shown[:4], true[:4], None)
    assert record["psnr_start"] == pytest.approx(first["psnr"], rel=1e-5)


def test_every_block_is_shown_with_the_number_of_its_first_frame(clip):
    seen = []

    def observe(block, _, first):
        seen.append((first, len(block)))

    image_scores(iter(clip.images), None, None, observe=observe)
    count = len(clip.images)
    assert seen == [(first, min(10, count - first)) for first in range(0, count, 10)]
