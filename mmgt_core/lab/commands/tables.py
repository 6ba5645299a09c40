"""`mmgt tables`: the paper's tables from one file of models, baselines and switches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ...cli.console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    config: Positional[Path]
    """File (.toml) that names the data, the models and the rows (docs/evaluation.md)."""
    data: Path | None = None
    """Prepared data set, instead of the file's."""
    out: Path | None = None
    """Folder of models, clips and tables, instead of the file's; a run that was begun there continues."""
    only: str | None = None
    """Name of one table. None = all."""
    quick: bool = False
    """A smoke run with the values of the file's table `quick`; do not quote its figures."""
    inputs: Path | None = None
    """Drawn speakers of --save-inputs, where the data are "presenter"; espeak-ng is not needed then."""
    save_inputs: Path | None = None
    """Keep the drawn speakers in a file."""
    dry_run: bool = False
    """List all pieces of work and which are done, and make nothing."""


def run(options: Options, console: Console) -> int:
    """Do what is not done, measure and write; the page's file name goes to stdout.

    The exit code is 1 where a check of the file misses its floor.
    """
    from ..tables.config import read_config
    from ..tables.page import write_tables
    from ..tables.presenter import open_inputs
    from ..tables.run import Tabulation

    config = read_config(
        options.config, options.data, options.out, quick=options.quick, only=options.only or ""
    )
    if options.dry_run:
        for name, done in Tabulation(config).plan():
            print(f"{'done' if done else 'to do':6}{name}")
        return 0
    inputs = None
    if config.data is None:
        drawing = console.stage("drawing speakers")
        inputs = open_inputs(config.presenter, config.frames, options.inputs, options.save_inputs, drawing)
    result = Tabulation(config, inputs, journal=config.out / "work" / "journal.jsonl").run(console.stage)
    console.close()
    print(write_tables(config.out, result))
    return result.gate.exit_code
