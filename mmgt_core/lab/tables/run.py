"""The whole run: train what is missing, make every row's clips, measure, and put the tables together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.progress import Progress, silent
from ...pose.motion_file import save_motion
from ..dataset.reader import PreparedData
from ..scores.clips import Collection, Files, Prepared, files_in
from ..scores.networks import load_networks
from ..scores.result import Evaluation
from ..scores.run import Request, evaluate
from ..scores.settings import ScoreSettings
from .clips import Scene, chosen_names, motion_of, scenes
from .config import TRAIN, TablesConfig
from .figures import TableResult, table_result
from .motions import Baselines, motion_maker
from .trained import Trained
from .units import Generation, Units, units_of
from .videos import renderer, write_video

Stage = Callable[[str], Progress]


@dataclass(frozen=True)
class Tables:
    """What a run came to.

    Attributes:
        tables: measured. evaluation: of all systems, with networks and what is absent.
        trainings: "model, seed" -> steps and minutes of every training.
    """

    tables: tuple[TableResult, ...]
    evaluation: Evaluation
    trainings: Mapping[str, Mapping[str, Any]]


class Tabulation:
    """One configuration with its data, opened."""

    def __init__(self, config: TablesConfig):
        """Raises InputError where the data, a model file or a setting cannot be used."""
        self.config = config
        self.data = PreparedData.open(config.data)
        self.trained = Trained(config, self.data.index.hash)
        self.units: Units = units_of(config, self.trained)
        self.names = chosen_names(self.data, config)

    def plan(self) -> list[tuple[str, bool]]:
        """Each piece of work and whether it is done, in its order; nothing is made."""
        trained = [
            (f"train {name}, seed {seed}", self.trained.done(name, seed)) for name, seed in self.units.models
        ]
        encoder = [("train the pose encoder", self.encoder.is_file())] if self.units.encoder else []
        clips = [
            (f"make {len(self.names)} clips: {made.key}", not made.missing(self.names))
            for made in self.units.generations
        ]
        return [*encoder, *trained, *clips, ("measure all", False)]

    @property
    def encoder(self) -> Path:
        """The file of the pose encoder; the data decides its folder where it is trained."""
        if self.config.pose_encoder != TRAIN:
            return Path(self.config.pose_encoder)
        from ..training.pose_encoder import FILE

        return self.config.out / "models" / f"pose-encoder-{self.data.index.hash[:8]}" / FILE

    def run(self, stage: Stage = lambda _: silent) -> Tables:
        """Do what is not done, and measure; a run that was stopped goes on.

        Raises what trainings and measurements raise; what was finished stays.
        """
        if self.units.encoder and not self.encoder.is_file():
            self._train_encoder(stage)
        baselines = Baselines(self.data)
        for seed in dict.fromkeys((0, *self.config.seeds)):  # seed after seed: an early end has whole seeds
            for name, own in self.units.models:
                if own == seed and not self.trained.done(name, seed):
                    self.trained.train(name, seed, stage(f"training {name}, seed {seed}"))
            for made in self.units.generations:
                if made.seed == seed:
                    self._generate(made, baselines, stage)
        evaluation = self._measured(stage)
        tables = tuple(
            table_result(
                table, {row.name: self.units.of_row[table.name, row.name] for row in table.rows}, evaluation
            )
            for table in self.config.tables
        )
        return Tables(tables, evaluation, self._trainings())

    def _train_encoder(self, stage: Stage) -> None:
        from dataclasses import replace

        from ..training.pose_encoder import PoseEncoderSettings, train_pose_encoder

        settings = PoseEncoderSettings(str(self.config.data), str(self.encoder.parent))
        loop = replace(settings.loop, device=self.config.device)
        train_pose_encoder(replace(settings, loop=loop), stage("training the pose encoder"))

    def _generate(self, made: Generation, baselines: Baselines, stage: Stage) -> None:
        """The clips of one row and seed that are missing, one at a time, each file whole or not at all."""
        missing = made.missing(self.names)
        if not missing:
            return
        row, device, progress = made.row, self.config.device, stage(f"making {made.key}")
        motions = motion_maker(row.motion, self._model(row.motion, made.seed), baselines, device)
        render = renderer(row.video, self._model(row.video, made.seed), device) if row.video else None
        made.folder.mkdir(parents=True, exist_ok=True)
        for done, scene in enumerate(scenes(self.data, self.names), 1):
            if scene.name in missing:
                self._clip(made, scene, motions, render)
            progress(done, len(self.names))

    def _clip(self, made: Generation, scene: Scene, motions: Any, render: Any) -> None:
        row = made.row
        motion = motions(scene, row.sound, made.seed)
        if row.motion not in ("", "true"):
            save_motion(made.folder / f"{scene.name}.safetensors", motion)
        if render is not None:
            shown = motion.window(slice(0, min(self.config.frames, motion_of(scene.clip).frames)))
            images = render(scene, shown, row.sound, made.seed, row.lips == "hidden")
            write_video(made.folder / f"{scene.name}.mp4", images)

    def _model(self, name: str, seed: int) -> Path | None:
        return self.trained.file(name, seed) if name in self.config.models else None

    def _measured(self, stage: Stage) -> Evaluation:
        config, settings = self.config, ScoreSettings()
        weights = Path(config.weights) if config.weights else None
        encoder = self.encoder if config.pose_encoder else None
        loaded = load_networks(weights, encoder, settings)
        systems: dict[str, Collection] = {}
        for made in self.units.generations:
            systems[made.key] = self._chosen(made.folder)
        for name, folder in self.units.folders.items():
            systems[name] = self._chosen(folder)
        truth = Prepared(self.data, config.split)
        request = Request(
            systems,
            config.out,
            truth,
            settings=settings,
            networks=loaded.networks,
            network_files=loaded.files,
            absent=loaded.absent,
        )
        return evaluate(request, stage)

    def _chosen(self, folder: Path) -> Files:
        sides = files_in(folder)
        return Files({name: side for name, side in sides.items() if name in self.names})

    def _trainings(self) -> dict[str, dict[str, Any]]:
        found = {}
        for name, seed in self.units.models:
            run = self.trained.run_file(name, seed)
            found[f"{name}, seed {seed}"] = {
                "steps": run.get("steps"),
                "minutes": round(float(run.get("hours") or 0) * 60, 2),
                "device": run.get("device"),
            }
        return found
