"""The pieces of work of a configuration: what is trained, which clips each row makes, and what is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...base.errors import InputError
from ...base.files import is_folder
from .config import TRAIN, RowSpec, TablesConfig
from .trained import Trained

VERSION = 1  # of how clips are made; another makes them again


@dataclass(frozen=True)
class Generation:
    """The clips of one row and one seed; rows that need the same share them.

    Attributes:
        key: its name among the systems. folder: of its clips. row: what is made. seed: of models and noise.
    """

    key: str
    folder: Path
    row: RowSpec
    seed: int

    def missing(self, names: Sequence[str]) -> list[str]:
        """The clips that are not there yet."""
        return [name for name in names if not all(path.is_file() for path in self.files(name))]

    def files(self, name: str) -> list[Path]:
        """The files of a clip: a motion unless it is the truth's, a video where the row has one."""
        ends = [".safetensors"] if self.row.motion not in ("", "true") else []
        ends += [".mp4"] if self.row.video else []
        return [self.folder / f"{name}{end}" for end in ends]


@dataclass(frozen=True)
class Units:
    """All pieces of work, in their order.

    Attributes:
        models: names and seeds to train, each behind its start. encoder: whether one is trained.
        generations: clips to make, all different. of_row: (table, row) -> keys, one for each seed.
        folders: key -> folder of another system.
    """

    models: tuple[tuple[str, int], ...]
    encoder: bool
    generations: tuple[Generation, ...]
    of_row: dict[tuple[str, str], tuple[str, ...]]
    folders: dict[str, Path]


def units_of(config: TablesConfig, trained: Trained) -> Units:
    """What a configuration needs; raises InputError where a given model file is missing."""
    models: list[tuple[str, int]] = []
    generations: dict[str, Generation] = {}
    of_row: dict[tuple[str, str], tuple[str, ...]] = {}
    folders: dict[str, Path] = {}
    for seed in config.seeds:
        for table in config.tables:
            for row in table.rows:
                if row.folder:
                    if not is_folder(row.folder):
                        fix = f"correct folder of the row {row.name!r}"
                        raise InputError("there is no such folder", where=row.folder, fix=fix)
                    folders[row.name] = Path(row.folder)
                    of_row[table.name, row.name] = (row.name,)
                    continue
                for name in (row.motion, row.video):
                    _need(config, name, seed, models)
                made = _generation(config, trained, row, seed)
                generations.setdefault(made.key, made)
                keys = of_row.get((table.name, row.name), ())
                of_row[table.name, row.name] = keys if made.key in keys else (*keys, made.key)
    return Units(tuple(models), config.pose_encoder == TRAIN, tuple(generations.values()), of_row, folders)


def _need(config: TablesConfig, name: str, seed: int, models: list[tuple[str, int]]) -> None:
    """Put a model that is trained into the list, behind its start."""
    spec = config.models.get(name)
    if spec is None or spec.file or (name, seed) in models:
        return
    if spec.start:
        _need(config, spec.start, seed, models)
    models.append((name, seed))


def _generation(config: TablesConfig, trained: Trained, row: RowSpec, seed: int) -> Generation:
    """A row's clips; what depends on no seed has seed 0."""
    used = [name for name in (row.motion, row.video) if name in config.models]
    if not used:
        seed = 0
    identity = {
        "version": VERSION,
        "motion": trained.identity(row.motion, seed) if row.motion in used else row.motion,
        "video": trained.identity(row.video, seed) if row.video in used else row.video,
        "sound": row.sound if used or row.motion == "nearest" else "own",
        "frames": config.frames,
        "data": trained.data_hash,
        "seed": seed,
    }
    hidden = row.lips == "hidden" and row.video in used
    if hidden:
        identity["lips"] = row.lips
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
    parts = [part for part in (row.motion, row.video) if part]
    words = " + ".join(
        [
            *parts,
            *([] if row.sound == "own" else [f"sound {row.sound}"]),
            *(["lips hidden"] if hidden else []),
        ]
    )
    key = f"{words}, seed {seed} ({digest})" if used else f"{words} ({digest})"
    return Generation(key, config.out / "clips" / digest, row, seed)
