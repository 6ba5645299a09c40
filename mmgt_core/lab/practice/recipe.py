"""How the practice run trains: small networks, and minutes on two CPU cores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ... import assets
from ...smga.config import SMGAConfig
from ...video.config import VideoConfig, demo_config
from ..training.image import ImageSettings
from ..training.loop_settings import LoopSettings
from ..training.smga import SMGASettings
from ..training.speaker import SpeakerSettings
from ..training.video import VideoSettings
from ..training.video_loss import BatchSettings

MOTION = SMGAConfig(
    width=128, ffn=256, layers=4, heads=4, audio_channels=35, dropout=0.0, guidance=1.0, visibility="portrait"
)
GESTURES = 1.7  # of the speaker to adapt to, over the usual size
SHARES = {"smga": 0.10, "image": 0.34, "video": 0.20, "speaker motion": 0.03, "speaker video": 0.08}
"""Share of the minutes that each phase trains for; the rest is for making, preparing and measuring."""


@dataclass(frozen=True)
class Practice:
    """One practice run.

    Attributes:
        folder: everything lies in it; a run that was interrupted goes on.
        minutes: of the whole run on two CPU cores.
        steps: limit of every phase's optimizer steps, for a short run; None = the minutes alone.
        videos: files to train on; own: files of the speaker to adapt to.
        size: pixels of the images.
    """

    folder: Path
    minutes: float = 36.0
    steps: int | None = None
    videos: int = 48
    own: int = 12
    size: int = 128
    seed: int = 0
    device: str = "auto"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def own_data(self) -> Path:
        return self.folder / "own_data"

    def sizes(self) -> VideoConfig:
        """The demo model's sizes, for smaller images."""
        return replace(demo_config(), size=self.size)

    def loop(self, phase: str, **chosen) -> LoopSettings:
        """The loop of a phase within its share of the time."""
        common = LoopSettings(
            steps=self.steps or 10**6, minutes=self.minutes * SHARES[phase], warmup=50, log_every=20,
            save_minutes=1.0, device=self.device,
        )  # fmt: skip
        return replace(common, **chosen)

    def smga(self) -> SMGASettings:
        """Stage I, from scratch."""
        return SMGASettings(
            folder=str(self.folder / "smga"), data=str(self.data), model=MOTION, start="first pose",
            batch=16, audio_drop=0.1, lip_weight=10.0, seed=self.seed,
            loop=self.loop(
                "smga", learning_rate=1.2e-3, weight_decay=0.005, precision="fp32", validate_every=100,
                sample_every=1000, keep="best",
            ),
        )  # fmt: skip

    def image(self) -> ImageSettings:
        """The image phase, from scratch, with a given autoencoder, as the paper's has Stable Diffusion's."""
        return ImageSettings(
            folder=str(self.folder / "image"), data=str(self.data), model=self.sizes(), frozen=(), workers=0,
            autoencoder=str(assets.asset(assets.VIDEO_MODEL)), seed=self.seed,
            loop=self.loop(
                "image", learning_rate=1.5e-3, ema_decay=0.995, validate_every=200, sample_every=400
            ),
            batch=BatchSettings(
                clips=8, late_share=0.4, audio=True, hidden_mouth=0.33, foreground=0.7
            ),
        )  # fmt: skip

    def video(self) -> VideoSettings:
        """The video phase; the whole network goes on learning."""
        return VideoSettings(
            start=str(self.folder / "image" / "image.safetensors"), folder=str(self.folder / "video"),
            data=str(self.data), train_all=True, workers=0, seed=self.seed,
            loop=self.loop(
                "video", learning_rate=8e-4, ema_decay=0.995, validate_every=100, sample_every=200
            ),
            batch=BatchSettings(
                clips=2, frames=6, late_share=0.4, audio=True, motion=True, hidden_mouth=0.33, foreground=0.7
            ),
        )  # fmt: skip

    def speaker(self) -> SpeakerSettings:
        """The adapter of the speaker whose gestures are larger."""
        return SpeakerSettings(
            data=str(self.own_data), folder=str(self.folder / "speaker"), rank=16, lip_weight=1.0,
            motion=str(self.folder / "smga" / "motion.safetensors"),
            video=str(self.folder / "video" / "video.safetensors"), seed=self.seed,
            motion_loop=self.loop(
                "speaker motion", learning_rate=2e-3, ema_decay=0.99, precision="fp32", validate_every=50,
                keep="best",
            ),
            video_loop=self.loop(
                "speaker video", learning_rate=1e-3, ema_decay=0.99, validate_every=50, keep="best"
            ),
            batch=BatchSettings(
                clips=2, frames=6, late_share=0.4, audio=True, motion=True, foreground=0.7
            ),
        )  # fmt: skip
