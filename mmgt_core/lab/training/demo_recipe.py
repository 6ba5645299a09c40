"""The demo model's recipe: sizes, data and budgets of each phase, for one CPU of two cores or one GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...smga.config import SMGAConfig
from ...video.config import demo_config
from .autoencoder import AutoencoderSettings
from .image import ImageSettings
from .loop import LoopSettings
from .smga import SMGASettings
from .video import VideoSettings
from .video_loss import BatchSettings

MOTION = SMGAConfig(width=128, ffn=256, layers=4, heads=4, audio_channels=35, dropout=0.0, guidance=1.0)


@dataclass(frozen=True)
class Recipe:
    """What each phase does.

    Attributes:
        clips: of speech.
        smga, autoencoder, image, video, whole: settings without their files, which `placed` fills in.
    """

    clips: int
    smga: SMGASettings
    autoencoder: AutoencoderSettings
    image: ImageSettings
    video: VideoSettings
    whole: VideoSettings

    def placed(self, folder: Path) -> Recipe:
        """The recipe with all its files under `folder`."""
        speech = str(folder / "speech.safetensors")
        autoencoder = str(folder / "autoencoder" / "autoencoder.safetensors")
        return replace(
            self,
            smga=replace(self.smga, speech=speech, folder=str(folder / "smga")),
            autoencoder=replace(self.autoencoder, speech=speech, folder=str(folder / "autoencoder")),
            image=replace(self.image, speech=speech, folder=str(folder / "image"), autoencoder=autoencoder),
            video=replace(
                self.video,
                speech=speech,
                folder=str(folder / "video"),
                start=str(folder / "image" / "image.safetensors"),
            ),
            whole=replace(
                self.whole,
                speech=speech,
                folder=str(folder / "whole"),
                start=str(folder / "video" / "video.safetensors"),
            ),
        )


def demo_recipe(seed: int = 0, workers: int = 1) -> Recipe:
    """The recipe that the shipped model was made by."""
    common = {"speech": "", "folder": "", "seed": seed, "workers": workers}
    return Recipe(
        clips=2400,
        smga=SMGASettings(
            model=MOTION,
            batch=16,
            audio_drop=0.1,
            lip_weight=10.0,
            loop=LoopSettings(
                steps=3600, learning_rate=1.2e-3, warmup=50, ema_decay=0.998, weight_decay=0.005,
                precision="fp32", log_every=100, save_minutes=1,
            ),
            **common,
        ),
        autoencoder=AutoencoderSettings(
            model=demo_config(),
            identities=500,
            moments=4,
            loop=LoopSettings(
                steps=2600, learning_rate=2.5e-3, warmup=50, ema_decay=0.99, weight_decay=1e-4, save_minutes=1
            ),
            **common,
        ),
        image=ImageSettings(
            autoencoder="",
            model=demo_config(),
            identities=800,
            moments=4,
            batch=BatchSettings(
                clips=7, rows=2, crop=16, whole_every=6, late_share=0.75, audio=True, image_drop=0.05
            ),
            loop=LoopSettings(
                steps=1900, learning_rate=1.2e-3, warmup=60, ema_decay=0.995, precision="fp32", save_minutes=2
            ),
            **common,
        ),
        video=VideoSettings(
            start="",
            train_all=True,
            identities=300,
            clip_frames=12,
            # Clips share little work, so many presenters with short windows teach more than few with long
            # ones; almost all timesteps are late, because this small network gives its best image in a
            # single step.
            batch=BatchSettings(
                clips=8, rows=1, frames=6, crop=16, whole_every=3, late_share=0.9, audio=True, motion=True,
                image_drop=0.03, foreground=0.4,
            ),
            loop=LoopSettings(
                steps=650, learning_rate=7e-4, warmup=40, ema_decay=0.99, precision="fp32", save_minutes=2
            ),
            **common,
        ),
        # Crops teach faces and hands fast; that backgrounds and clothes are whole only whole images show.
        whole=VideoSettings(
            start="",
            train_all=True,
            identities=300,
            clip_frames=12,
            batch=BatchSettings(
                clips=4, rows=1, frames=3, late_share=0.95, audio=True, motion=True, image_drop=0.0,
                foreground=0.3,
            ),
            loop=LoopSettings(
                steps=750, learning_rate=4.5e-4, warmup=15, ema_decay=0.985, precision="fp32", save_minutes=2
            ),
            **common,
        ),
    )  # fmt: skip
