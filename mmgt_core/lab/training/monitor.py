"""What is checked during a run: validation, the best weights, early stopping, samples and curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ...base.atomic_files import atomic_write
from ...base.errors import DependencyError
from .checkpointing import TrainingFolder
from .loop_settings import LoopSettings

BEST_FILE, SAMPLES, CURVES = "best.safetensors", "samples", "tensorboard"
SCORE = "score"


@dataclass(frozen=True)
class Validation:
    """How a phase is checked while it trains; both run with the averaged weights in place.

    Attributes:
        validate: held-out figures by name; "score" decides which weights are the best, lower is better.
        sample: writes images or videos of fixed seeds, each under the given path with an ending of its own.
    """

    validate: Callable[[], Mapping[str, float]] | None = None
    sample: Callable[[Path], None] | None = None


class Monitor:
    """The checks that are due, their journal entries, and the best weights in a file.

    All its memory is the journal, so that a resumed run decides as an unbroken one.
    """

    def __init__(self, validation: Validation, settings: LoopSettings, folder: TrainingFolder):
        self.validation, self.settings, self.folder = validation, settings, folder
        self.curves = _curves(folder.path / CURVES) if settings.tensorboard else None

    def due(self, step: int, last: bool) -> bool:
        """Whether a check is due behind `step`."""
        return self._validation_due(step, last) or self._sample_due(step, last)

    def check(self, step: int, last: bool, average: Mapping[str, Tensor]) -> dict[str, Any]:
        """Validate and write samples, whatever is due, with the averaged weights in
        place; returns the figures.

        Args:
            average: the averaged weights, which are kept when they are the best so far.
        """
        figures: dict[str, Any] = {}
        if self._validation_due(step, last):
            assert self.validation.validate is not None
            before = self.best()
            figures = {name: round(float(value), 6) for name, value in self.validation.validate().items()}
            self.folder.log(step=step, validation=figures)
            self.scalars(step, {f"validation/{name}": value for name, value in figures.items()})
            if before is None or figures[SCORE] < before[SCORE]:
                self._keep(average, step)
        if self._sample_due(step, last):
            assert self.validation.sample is not None
            samples = self.folder.path / SAMPLES
            samples.mkdir(parents=True, exist_ok=True)
            self.validation.sample(samples / f"step_{step:07d}")
        return figures

    def best(self) -> dict[str, Any] | None:
        """Figures and step of the best validation in the journal."""
        entries = self._validations()
        return min(entries, key=lambda entry: entry[SCORE]) if entries else None

    def exhausted(self) -> bool:
        """Whether the last `patience` validations were all no better than one before them."""
        scores = [entry[SCORE] for entry in self._validations()]
        patience = self.settings.patience
        return 0 < patience < len(scores) and min(scores[-patience:]) >= min(scores[:-patience])

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        if self.curves is not None:
            for name, value in values.items():
                self.curves.add_scalar(name, value, step)
            self.curves.flush()

    def close(self) -> None:
        """Finish the files of the curves."""
        if self.curves is not None:
            self.curves.close()

    def _validation_due(self, step: int, last: bool) -> bool:
        return self.validation.validate is not None and _due(step, self.settings.validate_every, last)

    def _sample_due(self, step: int, last: bool) -> bool:
        return self.validation.sample is not None and _due(step, self.settings.sample_every, last)

    def _validations(self) -> Sequence[dict[str, Any]]:
        entries = (entry for entry in self.folder.journal() if "validation" in entry)
        found = [{"step": entry["step"], **entry["validation"]} for entry in entries]
        return [entry for entry in found if math.isfinite(entry[SCORE])]

    def _keep(self, average: Mapping[str, Tensor], step: int) -> None:
        from safetensors.torch import save_file

        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in average.items()}
        with atomic_write(self.folder.path / BEST_FILE) as temporary:
            save_file(kept, temporary, {"step": str(step)})


def best_weights(folder: TrainingFolder) -> dict[str, Tensor] | None:
    """The weights of the best validation, if there was one."""
    from safetensors.torch import load_file

    path = folder.path / BEST_FILE
    return load_file(path) if path.exists() else None


def _due(step: int, every: int, last: bool) -> bool:
    return every > 0 and (last or step % every == 0)


def _curves(path: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise DependencyError(
            "curves for TensorBoard need the package tensorboard",
            fix="pip install tensorboard, or leave --loop.tensorboard off",
        ) from error
    return SummaryWriter(str(path))
