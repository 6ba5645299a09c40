"""Subcommands of `mmgt` that train and evaluate."""

from __future__ import annotations

from ...cli import Command
from . import demo_model, eval_demo, eval_length, presenter, train

COMMANDS: tuple[Command, ...] = (presenter, train, demo_model, eval_demo, eval_length)
