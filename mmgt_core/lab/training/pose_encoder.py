"""Training the pose encoder of FGD: windows of a prepared data set through a narrow vector and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ...base.device import choose_device
from ...base.progress import Progress, silent
from ...checkpoints.io import config_to_json
from ...pose import skeleton
from ...smga.config import SMGAConfig
from ..dataset.reader import PreparedData
from ..metrics.pose_encoder import LEAST, PoseDecoder, PoseEncoder, PoseEncoderConfig, save_pose_encoder
from ..metrics.pose_windows import CHANNELS, STILL, normalized
from .checkpointing import TrainingFolder
from .draws import Draws, seeded_initialisation
from .loop import train_loop
from .loop_settings import LoopReport, LoopSettings
from .monitor import Validation
from .prepared_motion import PreparedMotion
from .run_file import write_run_file

FILE = "pose_encoder.safetensors"
FOR_SCALE = 1024  # windows from which mean and deviation of coordinates are taken
PARTS = (skeleton.BODY, skeleton.FACE, slice(skeleton.LEFT_HAND.start, skeleton.RIGHT_HAND.stop))
BOUND = ("batch", "velocity_weight", "seed")


def encoder_loop() -> LoopSettings:
    """AdamW for 1,500 steps, in float32 on every machine; the best weights by validation are kept."""
    return LoopSettings(
        steps=1500, learning_rate=2e-3, precision="fp32", log_every=100, validate_every=250, keep="best"
    )


@dataclass(frozen=True)
class PoseEncoderSettings:
    """Training of the pose encoder.

    Attributes:
        data: folder of `mmgt prepare`.
        folder: the run's folder; the finished encoder appears in it as `pose_encoder.safetensors`.
        model: sizes.
        batch: windows per step.
        velocity_weight: of the error of the differences between frames, beside that of the positions.
        validation_windows: held-out windows of each validation.
        memory_gb: limit of the prepared data in memory.
    """

    data: str
    folder: str
    model: PoseEncoderConfig = field(default_factory=PoseEncoderConfig)
    loop: LoopSettings = field(default_factory=encoder_loop)
    batch: int = 64
    velocity_weight: float = 1.0
    validation_windows: int = 128
    memory_gb: float = 8.0
    seed: int = 0


class PoseEncoderLoss(nn.Module):
    """Mean absolute error of positions and velocities of windows that went through the encoder and back.

    Body, face and hands count alike, whatever their number of points.
    """

    skips_parameters = False
    weights: Tensor

    def __init__(
        self, encoder: PoseEncoder, source: Callable[[Draws], Tensor], settings: PoseEncoderSettings
    ):
        """The loss on the windows that `source` draws, (n, 80, 134, 2)."""
        super().__init__()
        self.encoder, self.decoder = encoder, PoseDecoder(encoder.config)
        self.source, self.settings = source, settings
        self.register_buffer("weights", point_weights(), persistent=False)

    def forward(self, draws: Draws) -> dict[str, Tensor]:
        """The loss of a step."""
        return self.losses(self.source(draws))

    def losses(self, windows: Tensor) -> dict[str, Tensor]:
        """ "loss", and its two terms."""
        target = self.encoder.standard(windows)
        error = self.decoder(self.encoder.encode(target)) - target
        weights = self.weights[:, None]
        position = (error.abs() * weights).sum(1).mean()
        velocity = (error.diff(dim=2).abs() * weights).sum(1).mean()
        loss = position + self.settings.velocity_weight * velocity
        return {"loss": loss, "position": position.detach(), "velocity": velocity.detach()}


def train_pose_encoder(settings: PoseEncoderSettings, progress: Progress = silent) -> tuple[Path, LoopReport]:
    """Train (or go on training) the encoder and write `pose_encoder.safetensors`.

    Returns its path and what the run came to.

    Raises InputError where the data set cannot be used, or the folder holds a run with other settings.
    """
    device = choose_device(settings.loop.device)
    data = PreparedData.open(settings.data)
    source = _windows(data, settings, "train", device)
    with seeded_initialisation(settings.seed, 1):
        encoder = PoseEncoder(settings.model)
        loss = PoseEncoderLoss(encoder, _draw(source, settings.batch), settings)
    set_scale(encoder, normalized(source.examples(FOR_SCALE, settings.seed)[0]))
    loss = loss.to(device)
    identity = {
        "phase": "pose-encoder",
        "data": data.index.hash,
        "model": config_to_json(settings.model),
        **{name: value for name, value in asdict(settings).items() if name in BOUND},
    }
    report = train_loop(
        loss,
        replace(settings.loop, seed=settings.seed),
        TrainingFolder(settings.folder),
        identity=identity,
        validation=_validation(data, settings, loss, device),
        progress=progress,
    )
    path = Path(settings.folder) / FILE
    if report.main:
        # No times in the file: the same run gives the same bytes, and so the same SHA-256.
        made = {"made_by": "mmgt train pose-encoder", "data": data.index.hash, "seed": settings.seed}
        save_pose_encoder(path, encoder, {**made, "steps": report.steps, "batch": settings.batch})
        name = f"prepared data {data.index.hash[:16]}"
        write_run_file(Path(settings.folder), "pose-encoder", asdict(settings), name, report)
    return path, report


def set_scale(encoder: PoseEncoder, windows: Tensor) -> None:
    """Take mean and deviation of each coordinate from windows (n, 80, 134, 2)."""
    flat = windows.reshape(-1, CHANNELS)
    encoder.mean.copy_(flat.mean(0))
    encoder.scale.copy_(flat.std(0).clamp_min(LEAST))


def point_weights() -> Tensor:
    """(268,) weights of coordinates that add up to 1: body, face and hands have a third each, legs none."""
    weights = torch.zeros(skeleton.KEYPOINTS, 2)
    for part in PARTS:
        counted = [p for p in range(part.start, part.stop) if p not in STILL]
        weights[counted] = 1 / (len(PARTS) * 2 * len(counted))
    return weights.flatten()


def _windows(
    data: PreparedData, settings: PoseEncoderSettings, split: str, device: torch.device
) -> PreparedMotion:
    """The windows of a split; of Stage I's configuration only the sound, which is not used, matters."""
    return PreparedMotion(
        data,
        SMGAConfig(audio_channels=35),
        batch=settings.batch,
        split=split,
        seed=settings.seed,
        memory_gb=settings.memory_gb if split == "train" else settings.memory_gb / 4,
        device=device,
    )


def _draw(source: PreparedMotion, batch: int) -> Callable[[Draws], Tensor]:
    return lambda draws: normalized(source.batch(draws, draws.share(batch))[0])


def _validation(
    data: PreparedData, settings: PoseEncoderSettings, loss: PoseEncoderLoss, device: torch.device
) -> Validation:
    """The loss of held-out windows, where there are any."""
    if not data.shards("validation"):
        return Validation()
    windows = normalized(_windows(data, settings, "validation", device).some(settings.validation_windows)[0])

    def validate() -> dict[str, float]:
        with torch.no_grad():
            found = {name: float(value) for name, value in loss.losses(windows).items()}
        return {"score": found["loss"], "position": found["position"], "velocity": found["velocity"]}

    return Validation(validate)
