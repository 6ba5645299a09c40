"""What an evaluation came to, and its form as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.journal import Record
from .summary import Score

VERSION = 1


@dataclass(frozen=True)
class System:
    """The figures of one system, or of the truth itself; curves for the plots.

    Attributes:
        name: of its row. scores: by the figures' names.
        clips: how many were measured. left_out: clip -> why it was not. notes: what a reader must know.
        records: numbers of each clip. heat: (64, 64) where the hands were, frames in each cell.
        opening, loudness: (frames,) of the first clip, px of 512 and decibels.
    """

    name: str
    scores: Mapping[str, Score]
    clips: int
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    records: Mapping[str, Record] = field(default_factory=dict)
    heat: NDArray[np.float64] | None = None
    opening: NDArray[np.float64] | None = None
    loudness: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Evaluation:
    """All systems of one evaluation.

    Attributes:
        systems: in the order of the rows; the truth is the last, where there is one.
        differences: "A - B" -> figure -> mean difference over the clips, drawn in pairs.
        settings: all parameters. networks: name -> file and SHA-256 of each network that was used.
        absent: name of a figure -> why it could not be made, and which file is needed.
        missing: clips of the truth that some system lacks.
    """

    systems: tuple[System, ...]
    differences: Mapping[str, Mapping[str, Score]]
    settings: Mapping[str, Any]
    networks: Mapping[str, Mapping[str, str]]
    absent: Mapping[str, str]
    missing: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Everything but the heat maps; numbers that are not finite become null."""
        values = {
            "mmgt_eval": VERSION,
            "settings": self.settings,
            "networks": self.networks,
            "absent": self.absent,
            "missing": self.missing,
            "systems": [
                {
                    "name": system.name,
                    "clips": system.clips,
                    "scores": {name: asdict(score) for name, score in system.scores.items()},
                    "left_out": system.left_out,
                    "notes": system.notes,
                    "records": system.records,
                }
                for system in self.systems
            ],
            "differences": {
                pair: {name: asdict(score) for name, score in scores.items()}
                for pair, scores in self.differences.items()
            },
        }
        return json.dumps(finite(values), indent=1, ensure_ascii=False) + "\n"


def finite(value: Any) -> Any:
    """The value for JSON: numbers that are not finite become None, tuples lists."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
