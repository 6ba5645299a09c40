"""Models of the rows: trained files, or trainings that the tables start and resume themselves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ...base.errors import InputError
from ...base.files import existing_file, read_json
from ...base.limits import CONFIG_BYTES
from ...base.progress import Progress, silent
from ..training.image import ImageSettings
from ..training.run_file import RUN_FILE
from ..training.smga import SMGASettings
from ..training.video import VideoSettings
from .config import AUDIO, ModelSpec, TablesConfig
from .overrides import overridden

FILES = {"smga": "motion.safetensors", "image": "image.safetensors", "video": "video.safetensors"}
OWN = ("folder", "data", "seed", "start", "speech")  # settings that the tables decide
PATHS = ("autoencoder", "clip_vision", "motion_modules", "unet", "pose_guider", "pictures")
START = "start.safetensors"
PhaseSettings = SMGASettings | ImageSettings | VideoSettings


class Trained:
    """The models of a configuration, by name and seed."""

    def __init__(self, config: TablesConfig, data_hash: str):
        """`data_hash`: identity of the prepared data set."""
        self.config, self.data_hash = config, data_hash

    def file(self, name: str, seed: int) -> Path:
        """Where the model is, or will be when it is trained."""
        spec = self.config.models[name]
        if spec.file:
            return Path(spec.file.replace("{seed}", str(seed)))
        return self.folder(name, seed) / FILES[spec.phase]

    def folder(self, name: str, seed: int) -> Path:
        """The folder of a training; other settings, data or start are another folder."""
        spec = self.config.models[name]
        values: dict[str, Any] = asdict(self.settings(name, seed, Path("folder")))
        identity = {key: value for key, value in values.items() if key not in OWN}
        identity["loop"] = {key: value for key, value in values["loop"].items() if key != "device"}
        identity |= {key: Path(str(identity[key])).name for key in PATHS if key in identity}
        identity |= {"phase": spec.phase, "data": self.data_hash, "switches": spec.set.get("model", {})}
        if spec.start:
            identity["start"] = self.identity(spec.start, seed)
        if spec.audio != AUDIO[0]:
            identity["audio"] = spec.audio
        text = json.dumps(identity, sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return self.config.out / "models" / f"{name}-{digest}" / f"seed-{seed}"

    def identity(self, name: str, seed: int) -> str:
        """What decides a model's weights: name and stamp of a file, or the training's folder."""
        spec = self.config.models[name]
        if spec.file:
            status = existing_file(self.file(name, seed), f"the model {name!r}").stat()
            return f"{Path(spec.file).name}:{status.st_size}:{status.st_mtime_ns}"
        folder = self.folder(name, seed)
        return f"{folder.parent.name}/{folder.name}"

    def done(self, name: str, seed: int) -> bool:
        """Whether the model is there and its training finished."""
        if self.config.models[name].file:
            existing_file(self.file(name, seed), f"the model {name!r}")
            return True
        path = self.file(name, seed)
        run = path.parent / RUN_FILE
        if not path.is_file() or not run.is_file():
            return False
        return bool(self.run_file(name, seed).get("finished"))

    def run_file(self, name: str, seed: int) -> dict[str, Any]:
        """What `run.json` of a training says; nothing for a given file."""
        path = self.file(name, seed).parent / RUN_FILE
        if self.config.models[name].file or not path.is_file():
            return {}
        values = read_json(path, "the run file", largest=CONFIG_BYTES, fix="delete it, and train again")
        return values if isinstance(values, dict) else {}

    def train(self, name: str, seed: int, progress: Progress = silent) -> Path:
        """Train a model, or go on where its training stopped; its start must be there."""
        from ..training.image import train_image
        from ..training.smga import train_smga
        from ..training.video import train_video

        folder = self.folder(name, seed)
        settings = self.settings(name, seed, folder)
        if isinstance(settings, SMGASettings):
            return train_smga(settings, progress)[0]
        if isinstance(settings, ImageSettings):
            return train_image(settings, progress)[0]
        spec = self.config.models[name]
        switches = spec.set.get("model", {})
        if not (folder / START).is_file():
            where, kept = f"model {name}.set.model", spec.audio != AUDIO[0]
            switched_start(Path(settings.start), switches, seed, folder / START, where, keep_audio=kept)
        return train_video(replace(settings, start=str(folder / START)), progress)[0]

    def settings(self, name: str, seed: int, folder: Path) -> PhaseSettings:
        """The settings of a training.

        Raises InputError for a setting that does not exist or that the tables decide, and for a training
        without a limit of its steps or minutes.
        """
        config, spec = self.config, self.config.models[name]
        where = f"model {name}.set"
        for taken in OWN:
            if taken in spec.set:
                fix = f"leave {taken} out" if taken != "start" else "give start beside set"
                raise InputError(f"{taken} is decided by the tables", where=where, fix=fix)
        start = str(self.file(spec.start, seed)) if spec.start else ""
        changes = {key: value for key, value in spec.set.items() if spec.phase != "video" or key != "model"}
        settings = overridden(_recipe(config, spec, start), changes, where)
        settings = replace(settings, folder=str(folder), data=str(config.data), seed=seed)
        if settings.loop.steps >= 10**6 and settings.loop.minutes is None:
            raise InputError("its training has no end", where=where, fix="set loop.steps, or loop.minutes")
        if start and not isinstance(settings, VideoSettings):
            settings = replace(settings, start=start)
        return replace(settings, loop=replace(settings.loop, device=config.device))


def _recipe(config: TablesConfig, spec: ModelSpec, start: str) -> PhaseSettings:
    from ..practice.recipe import Practice

    if spec.recipe == "published":
        if spec.phase == "smga":
            return SMGASettings(folder="")
        return ImageSettings(folder="") if spec.phase == "image" else VideoSettings(start, "")
    practice = Practice(folder=Path(), size=config.size, device=config.device)
    settings = {"smga": practice.smga, "image": practice.image, "video": practice.video}[spec.phase]()
    if isinstance(settings, VideoSettings):
        settings = replace(settings, start=start)
    return replace(settings, loop=replace(settings.loop, minutes=None))


def switched_start(
    path: Path, switches: dict[str, Any], seed: int, out: Path, where: str, *, keep_audio: bool = False
) -> None:
    """Write a start of the video phase with other switches.

    All variants of an ablation begin with the same UNets and pose guider; audio modules and audio projection
    begin at random in each, so that none has learned under another's switches.

    Args:
        keep_audio: begin with those of the start, too: variants then say how well they go on from there.

    Raises InputError for a switch that does not exist, or that changes sizes of what is kept.
    """
    from ...checkpoints.video import load_video_model, save_video_model
    from ...video.model import VideoModel

    old = load_video_model(path).float()
    config = overridden(old.config, switches, where)
    model = VideoModel.build(config, seed, pose_output_scale=1.0, audio_output_scale=0.0)
    for part, given in ((model.unet, old.unet), (model.reference, old.reference)):
        _take(part, given, where)
    part, given = model.adapter, old.adapter
    if not keep_audio:
        part, given = part.pose_guider, given.pose_guider
    _take(part, given, where)
    if old.autoencoder is not None:
        model.autoencoder = old.autoencoder
    out.parent.mkdir(parents=True, exist_ok=True)
    save_video_model(out, model, dtype=None)


def _take(part: Any, given: Any, where: str) -> None:
    try:
        part.load_state_dict(given.state_dict())
    except RuntimeError as error:
        raise InputError(
            "these switches change the sizes of the start", where=where, fix="leave sizes out"
        ) from error
