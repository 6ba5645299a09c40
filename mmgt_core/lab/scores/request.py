"""From paths to a request: systems with their names, the truth, and sound files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...base.errors import InputError
from .clips import SOUNDS, Collection, open_collection, read_index_table
from .networks import load_networks
from .run import TRUTH, Request
from .settings import ScoreSettings


def request_of(
    out: Path,
    pred: Sequence[Path],
    *,
    truth: Path | None = None,
    index: Path | None = None,
    split: str = "validation",
    audio: Path | None = None,
    limit: int | None = None,
    weights: Path | None = None,
    pose_encoder: Path | None = None,
    settings: ScoreSettings | None = None,
) -> Request:
    """Open what the paths mean.

    Args:
        out: folder of the results. pred: a folder for each system, or none with an index.
        truth: folder, or prepared data set. index: table of one system. split: of prepared data.
        audio: folder of sound files. limit: clips at most.
        weights: folder of published networks. pose_encoder: file of `mmgt train pose-encoder`.

    Raises InputError where there is no system, or a path cannot be used.
    """
    if bool(pred) == (index is not None):
        raise InputError(
            "there is nothing to evaluate" if not pred else "there are both folders and an index",
            fix="give --pred FOLDER ..., or --index TABLE",
        )
    if limit is not None and limit < 1:
        raise InputError(f"the limit is {limit}", fix="give at least 1")
    true = None if truth is None else open_collection(truth, split)
    systems: dict[str, Collection] = {}
    recordings: dict[str, Path] = {}
    if index is not None:
        own, of_table, recordings = read_index_table(index)
        systems[index.stem] = own
        true = of_table if true is None else true
    for path, name in zip(pred, _names(pred), strict=True):
        systems[name] = open_collection(path, split)
    if audio is not None:
        recordings = {**_sounds(audio), **recordings}
    settings = settings or ScoreSettings()
    loaded = load_networks(weights, pose_encoder, settings)
    return Request(
        systems,
        out,
        true,
        recordings,
        settings,
        loaded.networks,
        loaded.files,
        loaded.absent,
        limit,
    )


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' own names; with their parents' where two are alike."""
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names) or TRUTH in names:
        names = ["/".join(folder.resolve().parts[-2:]) for folder in folders]
    if len(set(names)) < len(names):
        raise InputError("two systems have the same folder", where=names[0], fix="give each folder once")
    return names


def _sounds(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError("there is no such folder", where=folder, fix="give a folder of sound files")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS)
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}
