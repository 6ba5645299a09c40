"""A file in half precision is loaded without a detour over float32."""

from __future__ import annotations

from dataclasses import replace

import torch

from mmgt_core.checkpoints.video import load_video_model, save_video_model
from mmgt_core.video.config import demo_config
from mmgt_core.video.model import VideoModel

from ...live_memory import LiveMemory


class WithoutMeta(LiveMemory):
    """Leaves out the tensors of the empty model, which take no memory."""

    def _add(self, storage: torch.UntypedStorage) -> None:
        if storage.device.type != "meta":
            super()._add(storage)


def test_float16_stays_float16(tmp_path):
    path = tmp_path / "half.safetensors"
    config = replace(demo_config(), block_channels=(32, 32, 64, 64), autoencoder_channels=8)
    save_video_model(path, VideoModel.build(config, 0), dtype=torch.float16)
    with WithoutMeta() as memory:
        model = load_video_model(path, dtype=torch.float16)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float16}
    assert memory.peak < 1.3 * path.stat().st_size
