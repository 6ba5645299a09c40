"""The demo model's recipe: sizes, data and budgets of each phase, for one large GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...pose.gesture_track import CHANNELS
from ...smga.config import SMGAConfig
from ...video.config import demo_config
from .autoencoder import AutoencoderSettings
from .decoder import DecoderSettings
from .image import ImageSettings
from .loop_settings import LoopSettings
from .smga import SMGASettings
from .video import VideoSettings
from .video_loss import BatchSettings

MOTION = SMGAConfig(
    width=128,
    ffn=256,
    layers=4,
    heads=4,
    audio_channels=35,
    dropout=0.0,
    guidance=1.0,
    visibility="portrait",  # the presenter's hands never leave the image
)


@dataclass(frozen=True)
class Recipe:
    """What each phase does.

    Attributes:
        clips: of speech.
        smga: one gesture for all; gestures: goes on with many, by gesture tracks.
        autoencoder, image, video, whole: settings without their files, which `placed` fills in.
    """

    clips: int
    smga: SMGASettings
    gestures: SMGASettings
    autoencoder: AutoencoderSettings
    image: ImageSettings
    video: VideoSettings
    whole: VideoSettings
    decoder: DecoderSettings

    def placed(self, folder: Path) -> Recipe:
        """The recipe with all its files under `folder`."""
        speech = str(folder / "speech.safetensors")
        autoencoder = str(folder / "autoencoder" / "autoencoder.safetensors")
        images, clips = str(folder / "images.safetensors"), str(folder / "clips.safetensors")
        return replace(
            self,
            smga=replace(self.smga, speech=speech, folder=str(folder / "smga")),
            gestures=replace(
                self.gestures,
                speech=speech,
                folder=str(folder / "gestures"),
                start=str(folder / "smga" / "motion.safetensors"),
            ),
            autoencoder=replace(self.autoencoder, speech=speech, folder=str(folder / "autoencoder")),
            image=replace(
                self.image,
                speech=speech,
                folder=str(folder / "image"),
                autoencoder=autoencoder,
                pictures=images,
            ),
            video=replace(
                self.video,
                speech=speech,
                folder=str(folder / "video"),
                pictures=clips,
                start=str(folder / "image" / "image.safetensors"),
            ),
            whole=replace(
                self.whole,
                speech=speech,
                folder=str(folder / "whole"),
                pictures=clips,
                start=str(folder / "video" / "video.safetensors"),
            ),
            decoder=replace(
                self.decoder,
                speech=speech,
                folder=str(folder / "decoder"),
                start=str(folder / "whole" / "video.safetensors"),
            ),
        )


def demo_recipe(seed: int = 0, workers: int = 1) -> Recipe:
    """The recipe that the shipped model was made by."""
    common = {"speech": "", "folder": "", "seed": seed, "workers": workers}
    return Recipe(
        clips=2400,
        smga=SMGASettings(
            model=MOTION,
            start="first pose",
            batch=16,
            audio_drop=0.1,
            lip_weight=10.0,
            loop=LoopSettings(
                steps=3600, learning_rate=1.2e-3, warmup=50, ema_decay=0.998, weight_decay=0.005,
                precision="fp32", log_every=100, save_minutes=1,
            ),
            **common,
        ),
        gestures=SMGASettings(
            model=replace(MOTION, control_channels=CHANNELS),
            start="",
            identities=2,
            batch=16,
            audio_drop=0.1,
            lip_weight=10.0,
            loop=LoopSettings(
                steps=4406, learning_rate=1.0e-3, warmup=50, ema_decay=0.998, weight_decay=0.005,
                precision="fp32", log_every=50, save_minutes=1,
            ),
            **common,
        ),
        autoencoder=AutoencoderSettings(
            model=demo_config(),
            identities=1000,
            moments=4,
            batch=64,
            loop=LoopSettings(
                steps=1558, learning_rate=2e-3, warmup=100, ema_decay=0.995, weight_decay=1e-4, save_minutes=5
            ),
            **common,
        ),
        image=ImageSettings(
            autoencoder="",
            model=demo_config(),
            identities=3500,
            moments=4,
            frozen=(),
            batch=BatchSettings(
                clips=48, rows=2, late_share=0.35, audio=True, image_drop=1 / 16, foreground=0.7
            ),
            loop=LoopSettings(
                steps=1886, learning_rate=1.3e-3, warmup=100, ema_decay=0.997, save_minutes=5, graphs=True
            ),
            **common,
        ),
        video=VideoSettings(
            start="",
            train_all=True,
            identities=2400,
            clip_frames=8,
            batch=BatchSettings(
                clips=24, rows=1, frames=6, late_share=0.35, audio=True, motion=True, image_drop=1 / 8,
                foreground=0.7,
            ),
            loop=LoopSettings(
                steps=304, learning_rate=9e-4, warmup=40, ema_decay=0.995, save_minutes=5, graphs=True
            ),
            **common,
        ),
        # What the decoder makes of a latent counts in the end: the decoder learns to draw from latents that
        # the UNet predicts, and the UNet learns which errors of a latent show.
        whole=VideoSettings(
            start="",
            train_all=True,
            train_decoder=True,
            identities=2400,
            clip_frames=8,
            batch=BatchSettings(
                clips=20, rows=1, frames=6, late_share=0.35, audio=True, motion=True, image_drop=1 / 10,
                foreground=0.7, pixels=30,
            ),
            loop=LoopSettings(
                steps=317, learning_rate=6e-4, warmup=60, ema_decay=0.995, save_minutes=5, graphs=True
            ),
            **common,
        ),
        decoder=DecoderSettings(
            start="",
            loop=LoopSettings(
                steps=5117, learning_rate=6e-4, warmup=50, ema_decay=0.998, weight_decay=1e-4
            ),
            **common,
        ),
    )  # fmt: skip
