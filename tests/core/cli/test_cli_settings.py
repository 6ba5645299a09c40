"""Settings dataclasses as command-line options, and what the console shows."""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.cli.console import Console
from mmgt_core.cli.settings import add_settings, read_settings


@dataclass(frozen=True)
class Inner:
    steps: int = 3
    rate: float = 1.5
    betas: tuple[float, float] = (0.9, 0.99)
    fast: bool = False


@dataclass(frozen=True)
class Outer:
    folder: str
    inner: Inner = field(default_factory=lambda: Inner(steps=7))
    minutes: float | None = None
    mode: Literal["a", "b"] = "a"
    steps: int = 1


def parse(*arguments: str) -> Outer:
    parser = argparse.ArgumentParser()
    add_settings(parser, Outer)
    return read_settings(parser.parse_args(arguments), Outer)


def test_what_is_not_given_keeps_its_default_also_that_of_the_outer_class():
    assert parse("--folder", "f") == Outer("f")
    assert parse("--folder", "f", "--inner.rate", "2").inner == Inner(steps=7, rate=2.0)


@given(st.integers(), st.floats(allow_nan=False), st.booleans(), st.floats(0, 1), st.integers())
def test_every_value_arrives_where_it_belongs(steps, rate, fast, minutes, own):
    settings = parse(
        "--folder=f", f"--inner.steps={steps}", f"--inner.rate={rate!r}",
        "--inner.fast" if fast else "--no-inner.fast",
        f"--minutes={minutes!r}", f"--steps={own}", "--mode=b", "--inner.betas", "0.5", "0.25",
    )  # fmt: skip
    assert settings == Outer("f", Inner(steps, rate, (0.5, 0.25), fast), minutes, "b", own)


@pytest.mark.parametrize(
    "arguments", [(), ("--folder", "f", "--mode", "c"), ("--folder", "f", "--inner.steps", "many")]
)
def test_what_does_not_fit_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        parse(*arguments)
    assert "error" in capsys.readouterr().err


@pytest.mark.parametrize("phase", ["speech-data", "smga", "autoencoder", "image", "video"])
def test_every_phase_of_training_tells_its_options(mmgt, phase):
    outcome = mmgt(["train", phase, "--help"])
    assert outcome.code == 0
    assert "--seed" in outcome.out
    assert phase == "speech-data" or "--loop.steps" in outcome.out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.integers(1, 300))
def test_a_log_gets_a_few_lines_a_stage_and_always_the_last(total):
    stream = io.StringIO()
    console = Console(stream)
    progress = console.stage("work")
    for done in range(total):
        progress(done + 1, total)
    console.close()
    lines = stream.getvalue().splitlines()
    assert 1 <= len(lines) <= 4
    assert lines[-1].startswith(f"work: {total}/{total} ")


def test_a_terminal_gets_a_bar_for_each_stage():
    stream = Terminal()
    console = Console(stream)
    for name in ("first", "second"):
        progress = console.stage(name)
        for done in range(10):
            progress(done + 1, 10)
    console.note("a remark")
    text = stream.getvalue()
    assert text.index("first") < text.index("100%") < text.index("second") < text.index("a remark")
    assert "10/10" in text


def test_the_demo_models_phases_are_those_of_its_training():
    from mmgt_core.lab.commands import demo_model
    from mmgt_core.lab.training.demo_model import PHASES

    assert demo_model.PHASES == PHASES


@pytest.mark.parametrize("budget", ["image", "paint=3", "image=many", "image=-1", "image=nan"])
def test_a_budget_that_is_none_is_refused(mmgt, budget):
    outcome = mmgt(["demo-model", "--minutes", budget])
    assert outcome.code == 2
    assert "is not PHASE=NUMBER" in outcome.err
