"""The whole run: train what is missing, make every row's clips, measure, and put the tables together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ...base.progress import Progress, silent
from ...media.video_writer import write_video
from ...pose.motion_file import save_motion
from ..dataset.reader import PreparedData
from ..metrics.journal import Journal, Record
from ..scores.clips import Collection, Files, Prepared, files_in
from ..scores.networks import load_networks
from ..scores.result import Evaluation
from ..scores.run import Request, evaluate
from ..scores.settings import ScoreSettings
from .checking import checked
from .clips import chosen_names, scenes
from .figures import TableResult, mean_records, table_result
from .gate import Gate
from .in_memory import InMemory
from .making import RowMaker
from .models import Sources
from .motions import Baselines
from .presenter import presenter_scenes
from .presenter_inputs import EvaluationInputs
from .specs import PRESENTER, TRAIN, TRUTH, TablesConfig, TableSpec
from .trained import Trained
from .units import Generation, Units, units_of

Stage = Callable[[str], Progress]


@dataclass(frozen=True)
class Tables:
    """What a run came to.

    Attributes:
        tables: measured. evaluation: of all systems, with networks and what is absent.
        trainings: "model, seed" -> steps and minutes of every training.
        gate: the checks of all tables, which decide the exit code.
    """

    tables: tuple[TableResult, ...]
    evaluation: Evaluation
    trainings: Mapping[str, Mapping[str, Any]]
    gate: Gate


class Tabulation:
    """One configuration with its data, opened."""

    def __init__(
        self,
        config: TablesConfig,
        inputs: EvaluationInputs | None = None,
        *,
        journal: Path | None = None,
        sources: Sources | None = None,
    ):
        """Raises InputError where the data, a model file or a setting cannot be used.

        Args:
            inputs: drawn speakers, which `run` needs where `config.data` is None.
            journal: file of their finished clips; None: they are kept in memory alone.
            sources: of models; None: the files that the configuration names.
        """
        self.config = config
        self.data = None if config.data is None else PreparedData.open(config.data)
        self.trained = Trained(config, PRESENTER if self.data is None else self.data.index.hash)
        self.units: Units = units_of(config, self.trained)
        self.sources = Sources(config, self.trained) if sources is None else sources
        self.drawn = None
        if inputs is not None:
            self.drawn = InMemory(config, presenter_scenes(inputs), Journal(journal))
        self.names = [] if self.data is None else chosen_names(self.data, config)

    def plan(self) -> list[tuple[str, bool]]:
        """Each piece of work and whether it is done, in its order; nothing is made."""
        trained = [
            (f"train {name}, seed {seed}", self.trained.done(name, seed)) for name, seed in self.units.models
        ]
        if self.data is None:
            return [*trained, *((f"make and measure: {made.key}", False) for made in self.units.generations)]
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

        assert self.data is not None, "checked with the configuration"
        return self.config.out / "models" / f"pose-encoder-{self.data.index.hash[:8]}" / FILE

    def run(self, stage: Stage = lambda _: silent) -> Tables:
        """Do what is not done, and measure; a run that was stopped goes on.

        Raises what trainings and measurements raise; what was finished stays.
        """
        if self.units.encoder and not self.encoder.is_file():
            self._train_encoder(stage)
        baselines = None if self.data is None else Baselines(self.data)
        for seed in dict.fromkeys((0, *self.config.seeds)):  # seed after seed: an early end has whole seeds
            for name, own in self.units.models:
                if own == seed and not self.trained.done(name, seed):
                    self.trained.train(name, seed, stage(f"training {name}, seed {seed}"))
            for made in self.units.generations:
                if made.seed == seed and self.data is not None:
                    self._generate(made, baselines, stage)
        if self.data is None:
            assert self.drawn is not None, "drawn speakers have inputs"
            evaluation = self.drawn.evaluate(self.units.generations, self.sources, stage)
        else:
            evaluation = self._measured(stage)
        tables = tuple(
            table_result(
                table, {row.name: self.units.of_row[table.name, row.name] for row in table.rows}, evaluation
            )
            for table in self.config.tables
        )
        gate = Gate(())
        if any(table.checks for table in self.config.tables):
            found = [checked(table, self._rows(table.table, evaluation)) for table in tables]
            conditions, quick = self._conditions()
            gate = Gate(tuple(check for part in found for check in part), conditions, quick)
        return Tables(tables, evaluation, self._trainings(), gate)

    def _rows(self, table: TableSpec, evaluation: Evaluation) -> dict[str, dict[str, Record]]:
        """Each row's numbers by clip, means over seeds."""
        systems = {system.name: system for system in evaluation.systems}
        rows = {
            row.name: mean_records([systems[key] for key in self.units.of_row[table.name, row.name]])
            for row in table.rows
        }
        return rows | {TRUTH: mean_records([evaluation.systems[-1]])}

    def _conditions(self) -> tuple[dict[str, Any], bool]:
        """What is needed to make the checks again, and whether they are those of a smoke run."""
        config = self.config
        used = {name for table in config.tables for row in table.rows for name in (row.motion, row.video)}
        models = {
            name: {str(seed): self.sources.fingerprint(name, seed) for seed in config.seeds}
            for name in config.models
            if name in used
        }
        machine = {"device": self.sources.device.type, "torch": torch.__version__}
        found: dict[str, Any] = {"seeds": list(config.seeds), **machine, "models": models}
        if self.drawn is None:
            return {**found, "data": self.trained.data_hash}, config.quick
        counts, spec = self.drawn.counts(), config.presenter
        least = {"speaking_windows": spec.enough_windows, "identities": spec.enough_identities}
        few = any(counts[name] < number for name, number in least.items())
        return {**found, "presenter": asdict(spec), **counts}, config.quick or few

    def _train_encoder(self, stage: Stage) -> None:
        from ..training.pose_encoder import PoseEncoderSettings, train_pose_encoder

        settings = PoseEncoderSettings(str(self.config.data), str(self.encoder.parent))
        loop = replace(settings.loop, device=self.config.device)
        train_pose_encoder(replace(settings, loop=loop), stage("training the pose encoder"))

    def _generate(self, made: Generation, baselines: Baselines | None, stage: Stage) -> None:
        """The clips of one row and seed that are missing, one at a time, each file whole or not at all."""
        missing = made.missing(self.names)
        if not missing:
            return
        assert self.data is not None, "drawn speakers have no files"
        row, progress = made.row, stage(f"making {made.key}")
        maker = RowMaker(row, self.sources, baselines, made.seed, row.frames or self.config.frames)
        made.folder.mkdir(parents=True, exist_ok=True)
        for done, scene in enumerate(scenes(self.data, self.names), 1):
            for clip in maker.make([scene]) if scene.name in missing else ():
                if row.motion not in ("", "true"):
                    save_motion(made.folder / f"{scene.name}.safetensors", clip.motion)
                if clip.frames is not None:
                    write_video(made.folder / f"{scene.name}.mp4", clip.frames)
            progress(done, len(self.names))

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
        assert self.data is not None, "drawn speakers are measured in memory"
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
