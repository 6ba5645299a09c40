"""Every phase of the demo model's training in seconds; the model is of no use."""

from __future__ import annotations

from dataclasses import replace

from mmgt_core.lab.training.autoencoder import AutoencoderSettings
from mmgt_core.lab.training.decoder import DecoderSettings
from mmgt_core.lab.training.demo_recipe import MOTION, Recipe
from mmgt_core.lab.training.image import ImageSettings
from mmgt_core.lab.training.loop_settings import LoopSettings
from mmgt_core.lab.training.smga import SMGASettings
from mmgt_core.lab.training.video import VideoSettings
from mmgt_core.lab.training.video_loss import BatchSettings
from mmgt_core.pose.gesture_track import CHANNELS
from mmgt_core.video.config import VideoConfig, demo_config


def tiny_recipe(seed: int = 0) -> Recipe:
    """Every phase in seconds, for tests: the model is of no use."""
    sizes: VideoConfig = replace(
        demo_config(),
        size=128,
        block_channels=(32, 32, 32, 32),
        groups=16,
        autoencoder_channels=8,
        pose_channels=(4, 4, 8, 8),
    )
    loop = LoopSettings(
        steps=20, learning_rate=2e-3, warmup=2, ema_decay=0.9, log_every=1, precision="fp32", device="cpu"
    )
    common = {"speech": "", "folder": "", "seed": seed}
    batch = BatchSettings(clips=1, rows=2, audio=True)
    return Recipe(
        clips=3,
        smga=SMGASettings(
            model=replace(MOTION, width=32, ffn=32, layers=2, heads=2), batch=4, loop=loop,
            start="first pose", **common
        ),
        gestures=SMGASettings(
            model=replace(MOTION, control_channels=CHANNELS), batch=4, loop=replace(loop, steps=5), **common
        ),
        autoencoder=AutoencoderSettings(
            model=sizes, batch=2, crop=32, identities=2, moments=2, loop=loop, **common
        ),
        image=ImageSettings(
            autoencoder="", model=sizes, identities=2, moments=3, frozen=(), batch=batch,
            loop=replace(loop, steps=4),
            **common
        ),
        video=VideoSettings(
            start="", train_all=True, identities=2, clip_frames=5, loop=replace(loop, steps=3),
            batch=replace(batch, rows=1, frames=4, motion=True), **common,
        ),
        whole=VideoSettings(
            start="", train_all=True, identities=2, clip_frames=5, loop=replace(loop, steps=2),
            batch=replace(batch, rows=1, frames=3, motion=True, pixels=2),
            train_decoder=True, **common,
        ),
        decoder=DecoderSettings(
            start="", identities=2, frames=2, batch=2, crop=8, loop=replace(loop, steps=3), **common
        ),
    )  # fmt: skip
