"""The image phase: both UNets and the pose guider learn to pose a speaker (docs/method.md 2.12)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...base.device import choose_device
from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...checkpoints.video import load_video_model
from ...video.config import VideoConfig
from ...video.model import VideoModel
from .loop_settings import LoopReport, LoopSettings
from .starts import start_from_unet, start_pose_guider
from .video_data import ClipSettings
from .video_loss import BatchSettings
from .video_phase import drawn_sources, load_autoencoder, prepared_sources, published_loop, run_phase

PUBLISHED_STEPS = 29_580


@dataclass(frozen=True)
class ImageSettings:
    """Training on single frames; the defaults are the published trainer's.

    Attributes:
        folder: the run's folder; the model appears in it as `image.safetensors`.
        data: folder of `mmgt prepare`; or
        speech: file of `make_speech_data`, which the procedural presenter performs.
        autoencoder: Stable Diffusion's VAE (`mmgt download vae`); for a model with a tiny autoencoder the
            file of `mmgt train autoencoder`, or a video model that holds one.
        clip_vision: CLIP's image encoder, for models with a CLIP token.
        start: video model file to go on from, instead of an untrained model of the sizes `model`.
        unet: SD1.5 or image-variations UNet that both UNets begin with.
        pose_guider: ControlNet (openpose) whose condition embedding the pose guider begins with.
        frozen: beginnings of names in the reference UNet that do not learn.
        batch: as published the audio modules do not take part; a model that starts from scratch
            gains by `audio`.
        pictures: file of the drawn images, made when it is missing. None: in the run's folder.
        identities, moments: procedural presenters drawn, and moments of each.
        workers: processes that read, or draw, images; memory_gb: limit of the prepared videos in memory.
    """

    folder: str
    data: str = ""
    speech: str = ""
    autoencoder: str = ""
    clip_vision: str = ""
    start: str = ""
    unet: str = ""
    pose_guider: str = ""
    model: VideoConfig = field(default_factory=VideoConfig)
    frozen: tuple[str, ...] = ("up_blocks.3",)
    loop: LoopSettings = field(default_factory=lambda: published_loop(PUBLISHED_STEPS))
    batch: BatchSettings = field(default_factory=BatchSettings)
    pictures: str | None = None
    identities: int = 1000
    moments: int = 4
    seed: int = 0
    workers: int = 1
    memory_gb: float = 8.0

    @property
    def clips(self) -> ClipSettings:
        """Which images are drawn, and where they are kept."""
        pictures = self.pictures or str(Path(self.folder) / "images.safetensors")
        return ClipSettings(self.speech, pictures, self.identities, self.moments, False, 1000, self.seed)


def train_image(settings: ImageSettings, progress: Progress = silent) -> tuple[Path, LoopReport]:
    """Train (or go on training) the image phase; returns the model file and what the run came to.

    Raises:
        CheckpointError: the speech file, the autoencoder or a file to start from cannot be used.
        InputError: the data cannot be used, a file is missing, or the folder holds a run with other settings.
    """
    device = choose_device(settings.loop.device)
    model = first_model(settings)
    config = model.config
    autoencoder = autoencoder_of(model, settings.autoencoder).to(device)
    if one_source(settings.data, settings.speech):
        sources = prepared_sources(
            settings.data, config, settings.batch, settings.loop, autoencoder, settings.clip_vision,
            seed=settings.seed, workers=settings.workers, memory_gb=settings.memory_gb,
        )  # fmt: skip
    else:
        sources = drawn_sources(
            settings.clips, settings.folder, autoencoder, config, device, settings.workers, progress
        )
    trained = [model.unet, model.reference, model.adapter.pose_guider]
    if settings.batch.audio:
        trained += [model.adapter.audio, model.adapter.audio_projection]
    return run_phase(
        "image", model, sources, trained, settings.batch, settings.loop, settings.folder,
        seed=settings.seed, settings=asdict(settings), start=settings.start or settings.unet,
        frozen=settings.frozen, progress=progress,
    )  # fmt: skip


def first_model(settings: ImageSettings) -> VideoModel:
    """The model that the phase begins with, in float32."""
    if settings.start:
        model = load_video_model(settings.start).float()
    else:
        model = new_model(settings.model, settings.seed)
    if settings.unet:
        start_from_unet(model, settings.unet)
    if settings.pose_guider:
        start_pose_guider(model, settings.pose_guider)
    return model


def new_model(config: VideoConfig, seed: int) -> VideoModel:
    """An untrained model: equal UNets, a pose guider that acts from the first step."""
    return VideoModel.build(config, seed, pose_output_scale=1.0)


def autoencoder_of(model: VideoModel, path: str):  # noqa: ANN201 - diffusers' AutoencoderKL or AutoencoderTiny
    """The autoencoder for a model's training: of the file, else the model's own.

    A tiny one from a file becomes the model's own. Raises InputError where neither has one.
    """
    if not path:
        if model.autoencoder is None:
            raise InputError(
                "the model has no autoencoder of its own",
                fix="give Stable Diffusion's VAE (--autoencoder, `mmgt download vae`)",
            )
        return model.autoencoder
    loaded = load_autoencoder(path, model.config)
    if model.autoencoder is not None:
        model.autoencoder.load_state_dict(loaded.state_dict())
        return model.autoencoder
    return loaded


def one_source(data: str, speech: str) -> bool:
    """Whether the source is a prepared data set; raises InputError unless exactly one source is given."""
    if bool(data) == bool(speech):
        raise InputError(
            "training needs one source of data",
            fix="give either a data set of `mmgt prepare` (--data) or a speech file (--speech)",
        )
    return bool(data)
