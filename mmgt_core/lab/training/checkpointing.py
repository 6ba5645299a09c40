"""Resumable training state: weights, EMA, optimizer and position in one file that appears all at once,
and a journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ...base.atomic_files import atomic_write
from ...base.errors import CheckpointError, InputError
from ...base.full_disk import explain_full_disk

STATE_FILE, JOURNAL_FILE = "state.safetensors", "journal.jsonl"
POSITION = "position"


@dataclass(frozen=True)
class Position:
    """Where a training run stands.

    Attributes:
        step: optimizer steps done.
        seconds: training time spent, all sittings together.
        finished: the budget was used up.
        identity: what makes this run this run (settings, configuration, seeds); a resume with another
            one is refused.
    """

    step: int
    seconds: float
    finished: bool
    identity: dict[str, Any]


class TrainingFolder:
    """A folder that one training run owns."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)

    @property
    def state_path(self) -> Path:
        return self.path / STATE_FILE

    @property
    def journal_path(self) -> Path:
        return self.path / JOURNAL_FILE

    def save(self, tensors: Mapping[str, Tensor], position: Position) -> None:
        """Replace the saved state; a run that is killed while it saves keeps the previous one."""
        from safetensors.torch import save_file

        metadata = {POSITION: json.dumps(vars(position), sort_keys=True)}
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        with explain_full_disk(self.path), atomic_write(self.state_path) as temporary:
            save_file(state, temporary, metadata)

    def load(
        self, identity: dict[str, Any], *, main: bool = True
    ) -> tuple[dict[str, Tensor], Position] | None:
        """The saved state, or None if nothing was saved yet.

        Args:
            main: this is the process that writes the folder.

        Raises:
            InputError: the folder holds another run.
            CheckpointError: the state cannot be read.
        """
        from safetensors import SafetensorError, safe_open

        if not self.state_path.exists():
            return None
        try:
            with safe_open(self.state_path, framework="pt") as file:
                position = Position(**json.loads((file.metadata() or {})[POSITION]))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"this training state cannot be read ({error})",
                where=self.state_path,
                fix="delete it to start again",
            ) from error
        if position.identity != json.loads(json.dumps(identity)):
            changed = sorted(
                key
                for key in {*position.identity, *identity}
                if position.identity.get(key) != _plain(identity.get(key))
            )
            raise InputError(
                f"this folder holds a run with other settings ({', '.join(changed)})",
                where=self.path,
                fix="train in another folder, or delete this one",
            )
        if main:
            self._forget_after(position.step)
        return tensors, position

    def log(self, **values: Any) -> None:
        """Append one line to the journal."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self.journal_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values, sort_keys=True) + "\n")

    def journal(self) -> list[dict[str, Any]]:
        """All journal lines, oldest first."""
        if not self.journal_path.exists():
            return []
        return [json.loads(line) for line in self.journal_path.read_text(encoding="utf-8").splitlines()]

    def _forget_after(self, step: int) -> None:
        """Drop journal lines of steps that were made after the last save and will be made again."""
        kept = [entry for entry in self.journal() if entry.get("step", 0) <= step]
        if self.journal_path.exists():
            self.journal_path.write_text(
                "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in kept), encoding="utf-8"
            )


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
