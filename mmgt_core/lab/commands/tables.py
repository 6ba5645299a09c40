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
    dry_run: bool = False
    """List all pieces of work and which are done, and make nothing."""


def run(options: Options, console: Console) -> int:
    """Do what is not done, measure and write; the page's file name goes to stdout."""
    from ..tables.config import read_config
    from ..tables.page import write_tables
    from ..tables.run import Tabulation

    tabulation = Tabulation(read_config(options.config, options.data, options.out))
    if options.dry_run:
        for name, done in tabulation.plan():
            print(f"{'done' if done else 'to do':6}{name}")
        return 0
    result = tabulation.run(console.stage)
    console.close()
    print(write_tables(tabulation.config.out, result))
    return 0
