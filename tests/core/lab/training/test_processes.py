"""Training on two processes: equal to one process with the same batch, also when it is killed and resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("accelerate")
pytest.importorskip("webdataset")

from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.lab.training.checkpointing import TrainingFolder

from .prepared import make

STEPS = 4
SIZES = ("--model.width", "32", "--model.ffn", "32", "--model.layers", "2", "--model.heads", "2")
SETTINGS = (
    *SIZES, "--model.audio-channels", "35", "--model.dropout", "0", "--batch", "4",
    "--loop.steps", str(STEPS),
    "--loop.optimizer", "adamw", "--loop.betas", "0.9", "0.99", "--loop.learning-rate", "1e-3",
    "--loop.log-every", "1", "--loop.device", "cpu", "--loop.validate-every", "2", "--validation-steps", "2",
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("data"))


def train(data: Path, folder: Path, processes: int, *options: str) -> list[dict]:
    """The journal of a run of `mmgt train smga`."""
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += ["-m", "mmgt_core", "train", "smga", "--data", str(data), "--folder", str(folder)]
    run = subprocess.run(
        [*command, *SETTINGS, *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return TrainingFolder(folder).journal()


def losses(journal: list[dict]) -> list[float]:
    return [entry["loss"] for entry in journal if "loss" in entry]


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict]]:
    folder = tmp_path_factory.mktemp("alone")
    return folder, train(data, folder, 1)


@pytest.mark.parametrize(
    "options",
    [
        (),
        pytest.param(("--loop.accumulate", "2"), marks=pytest.mark.slow),
        ("--loop.sharding", "fsdp"),
    ],
)
def test_two_processes_equal_one(data: Path, tmp_path: Path, alone, options: tuple[str, ...]) -> None:
    """Each process computes half of the batch; gradients are averaged, so that losses and weights agree."""
    if "fsdp" in options and not hasattr(pytest.importorskip("torch.distributed.fsdp"), "fully_shard"):
        pytest.skip("needs torch 2.6")
    journal = train(data, tmp_path, 2, *options)
    assert len(losses(journal)) == STEPS
    assert losses(journal) == pytest.approx(losses(alone[1]), rel=1e-5)
    scores = [
        [e["validation"]["score"] for e in entries if "validation" in e] for entries in (journal, alone[1])
    ]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    ours, theirs = (load_smga(folder / "motion.safetensors").state_dict() for folder in (tmp_path, alone[0]))
    # A step moves a weight by up to the learning rate: a wrong gradient would show as a multiple of this.
    # A bias on all keys changes no attention: its gradient is rounding noise, which the optimizer scales up.
    compared = [name for name in ours if not name.endswith("in_proj_bias")]
    assert all(float((ours[name] - theirs[name]).abs().max()) < 2e-4 for name in compared)
    assert json.loads((tmp_path / "run.json").read_text())["steps"] == STEPS


@pytest.mark.slow
def test_a_run_on_two_processes_goes_on_where_it_was(data: Path, tmp_path: Path, alone) -> None:
    first = train(data, tmp_path, 2, "--loop.steps", "2", "--loop.schedule", "constant")
    assert len(losses(first)) == 2
    journal = train(data, tmp_path, 2, "--loop.schedule", "constant")
    assert losses(journal) == pytest.approx(losses(alone[1]), rel=1e-5)


@pytest.mark.slow
def test_a_batch_that_two_processes_cannot_share_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="batch of 3 cannot be shared"):
        train(data, tmp_path, 2, "--batch", "3")
