"""Rows of drawn speakers: made, and measured at once in memory, where no file changes a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

import torch

from ...base.progress import Progress, silent
from ...media.images import to_uint8
from ..metrics.journal import Journal, Record
from ..scores.image_scores import SIZE
from ..scores.result import Evaluation, System
from ..scores.settings import ScoreSettings
from ..scores.summary import clip_scores
from .drawn_scores import drawn_scores, truth_record
from .making import Made, RowMaker
from .models import Sources
from .presenter import PRESENTERS, SPEECH, PresenterScene
from .specs import FILMED, REPEATED, TRUTH, RowSpec, TablesConfig
from .units import Generation

IMAGES = (REPEATED, FILMED)
Stage = Callable[[str], Progress]


class InMemory:
    """The clips of drawn speakers, and the records of those that are measured."""

    def __init__(self, config: TablesConfig, scenes: Mapping[str, list[PresenterScene]], journal: Journal):
        """`journal`: what it holds is not made again."""
        self.config, self.known, self.journal = config, scenes, journal

    def scenes(self, row: RowSpec) -> Sequence[PresenterScene]:
        """The clips of a row."""
        return self.known[row.clips][: self.config.limits.get(row.name)]

    def counts(self) -> dict[str, int]:
        """How many windows of speech speak, and how many people there are."""
        speech, people = self.known[SPEECH], self.known[PRESENTERS]
        return {"speaking_windows": sum(scene.counts for scene in speech), "identities": len(people)}

    def evaluate(
        self, generations: Sequence[Generation], sources: Sources, stage: Stage = lambda _: silent
    ) -> Evaluation:
        """Every generation as a system, and the truth."""
        systems = []
        for made in generations:
            records = self._records(made, sources, stage(f"measuring {made.row.name}"))
            systems.append(self._system(made.key, records))
        used = {scene.name: scene for made in generations for scene in self.scenes(made.row) if scene.moves}
        truth = {name: truth_record(scene) for name, scene in used.items()}
        settings = {"presenter": asdict(self.config.presenter), **ScoreSettings().to_json()}
        return Evaluation((*systems, self._system(TRUTH, truth)), {}, settings, {}, {})

    def _system(self, name: str, records: Mapping[str, Record]) -> System:
        return System(name, clip_scores(list(records.values())), len(records), records=records)

    def _records(self, made: Generation, sources: Sources, progress: Progress) -> dict[str, Record]:
        row, scenes, like = made.row, self.scenes(made.row), self._like(made.row, sources)
        # Other models, seeds, counts or machines are measured again.
        models = {"motion": row.motion, "video": row.video, "like": like}
        prints = {k: sources.fingerprint(name, made.seed) for k, name in models.items() if name in sources}
        counts, machine = asdict(self.config.presenter), (sources.device.type, torch.__version__)
        conditions = {**made.identity, **prints, "presenter": counts, "machine": machine}
        journal = self.journal.section(row.name, conditions)
        records: dict[str, Record] = {}
        maker: RowMaker | None = None
        for first in range(0, len(scenes), row.at_once):
            batch = scenes[first : first + row.at_once]
            clips: dict[str, Made] = {}

            def record(scene: PresenterScene, batch=batch, clips=clips) -> Record:  # noqa: ANN001
                nonlocal maker
                if maker is None:
                    maker = RowMaker(row, sources, None, made.seed, row.frames or self.config.frames)
                if not clips:
                    size = sources.video(like, made.seed).size if like else SIZE
                    sized = [replace(scene, size=size) for scene in batch]
                    clips.update({clip.scene.name: clip for clip in maker.make(sized)})
                return drawn_scores(clips[scene.name], scene, row)

            for number, scene in enumerate(batch, first + 1):
                records[scene.name] = journal.once(scene.name, lambda scene=scene: record(scene))
                clip = clips.get(scene.name)
                shown = None if clip is None or clip.frames is None else to_uint8(clip.frames[-1])
                progress(number, len(scenes), shown)
        return records

    def _like(self, row: RowSpec, sources: Sources) -> str:
        """The video model whose image size a row without one has, so that their figures compare; "": none."""
        others = [other.video for table in self.config.tables for other in table.rows]
        return next((name for name in others if name in sources), "") if row.video in IMAGES else ""
