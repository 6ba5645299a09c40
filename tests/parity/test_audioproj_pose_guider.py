"""The two small networks that run once for each frame (docs/method.md 2.4 and 2.5)."""

from __future__ import annotations

import pytest

from .tiny_weights import frames_apart, frames_first, tiny_model


@pytest.fixture
def adapter(golden_record):
    return tiny_model(golden_record).adapter


def test_audio_projection(adapter, goldens):
    golden = goldens("stage2/audioproj.safetensors")
    golden.close("output", adapter.audio_tokens(golden.use("input")), atol=1e-4)


def test_pose_guider(adapter, goldens):
    golden = goldens("stage2/pose_guider.safetensors")
    images = golden.use("input")
    features = adapter.pose_features(frames_first(images))
    golden.close("output", frames_apart(features, images.shape[0]), atol=1e-4)


def test_pose_guider_takes_comfyui_layout_and_bytes(adapter, goldens):
    images = frames_first(goldens("stage2/pose_guider.safetensors").use("input"))
    as_bytes = (images * 255).round().byte()
    expected = adapter.pose_features(as_bytes.float() / 255)
    assert (adapter.pose_features(as_bytes.permute(0, 2, 3, 1)) - expected).abs().max() < 1e-5
