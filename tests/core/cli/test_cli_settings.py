"""Dataclasses as command-line options, and what the console shows."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import io
import re
import textwrap
import typing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.cli.command import Command, parse
from mmgt_core.cli.console import Console
from mmgt_core.pipeline.request import VideoRequest
from mmgt_core.pipeline.settings import MotionSettings
from mmgt_core.video.sampling import Sampling

ENGINE = ["generate", "motion", "demo", "work", "queue", "doctor", "models", "download", "convert"]
LAB = ["presenter", "demo-model", "eval-demo", "eval-length", "side-by-side"]
PHASES = ["speech-data", "smga", "autoencoder", "image", "video"]


@pytest.mark.parametrize("command", [*ENGINE, *LAB, *(f"train {phase}" for phase in PHASES)])
def test_every_command_shows_each_option_with_its_help_and_default_once(mmgt, command):
    outcome = mmgt([*command.split(), "--help"])
    assert outcome.code == 0
    text = " ".join(line.strip("│╭╰─╮╯ ") for line in outcome.out.splitlines())
    assert text.startswith(f"usage: mmgt {command} ")
    options = {
        name for name in re.findall(r"(?<![\w-])(--[a-z][\w.-]*)", text) if not name.startswith("--no-")
    }
    assert len(options) > 1
    defaults = len(re.findall(r"\(default: ", text)) + len(re.findall(r"\(required\)", text))
    assert 0 < defaults <= len(options), "each default once"
    assert not command.startswith("train") or command.endswith("speech-data") or "--loop.steps" in text


@pytest.mark.parametrize("command", [*ENGINE, *LAB])
def test_every_option_of_a_command_has_a_help_text(command):
    from mmgt_core.__main__ import commands

    (found,) = [one for one in commands() if one.name == command]
    assert _without_text(found.load()[0]) == []


def _without_text(kind) -> list[str]:
    """Fields whose dataclass says nothing below them, nested ones included."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    body, missing = tree.body[0].body, []
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign):
            name = statement.target.id
            hint = typing.get_type_hints(kind)[name]
            if dataclasses.is_dataclass(hint):
                missing += _without_text(hint)
            elif not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
                missing.append(f"{kind.__name__}.{name}")
    return missing


@given(
    steps=st.integers(1, 1000),
    cfg=st.floats(0, 50),
    gate=st.booleans(),
    ends=st.sampled_from(["open", "closed loop"]),
    seed=st.integers(0, 2**63 - 1),
)
def test_every_value_arrives_where_it_belongs(steps, cfg, gate, ends, seed):
    command = Command("generate", "", "mmgt_core.cli.generate")
    kind, _ = command.load()
    options = parse(
        command,
        kind,
        ["--image=i.png", "--out=o.mp4", f"--steps={steps}", f"--cfg={cfg!r}", f"--seed={seed}"]
        + ["--silence-gate" if gate else "--no-silence-gate", "--window-ends", ends, "--motion-steps", "7"],
    )
    assert options.files == VideoRequest(Path("i.png"), Path("o.mp4"))
    assert options.sampling == Sampling(seed=seed, steps=steps, cfg=cfg, window_ends=ends)
    assert options.settings.motion == MotionSettings(motion_steps=7, silence_gate=gate)


@pytest.mark.parametrize(
    "arguments",
    [["generate"], ["generate", "--framing", "zoom"], ["work", "dance"], ["train", "smga", "--x"]],
)
def test_what_does_not_fit_is_refused(mmgt, arguments):
    outcome = mmgt(arguments)
    assert outcome.code == 2 and "Required options" in outcome.err + outcome.out or "mmgt" in outcome.err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["train", "--help"], ["dance"]])
def test_the_overview_lists_the_commands(mmgt, arguments):
    outcome = mmgt(arguments)
    text = outcome.out + outcome.err
    assert outcome.code == (0 if "--help" in arguments else 2)
    assert "train smga" in text and ("generate" in text or arguments[:1] == ["train"])


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
