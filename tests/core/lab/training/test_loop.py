"""The training loop: learning, resuming, budgets, bad batches, saving."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("accelerate")

from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.lab.training.checkpointing import Position, TrainingFolder
from mmgt_core.lab.training.draws import Draws, generator_for, seeded_initialisation
from mmgt_core.lab.training.loop import train_loop
from mmgt_core.lab.training.loop_settings import UNBOUND, LoopSettings, learning_rate_factor
from mmgt_core.lab.training.monitor import Validation

SETTINGS = LoopSettings(
    steps=40, learning_rate=0.05, warmup=4, ema_decay=0.9, log_every=10, precision="fp32", device="cpu"
)


class Mirror(nn.Module):
    """Learns to turn a vector round."""

    def __init__(self) -> None:
        super().__init__()
        with seeded_initialisation(1):
            self.linear = nn.Linear(4, 4)
        self.spoilt: set[int] = set()

    def forward(self, draws: Draws) -> dict[str, Tensor]:
        x = draws.normal(draws.share(16), 4)
        loss = (self.linear(x) - x.flip(1)).square().mean()
        return {"loss": loss * math.nan if draws.step in self.spoilt else loss}


class Stop(Exception):
    pass


def stop_after(count: int):
    calls = []

    def progress(done: int, total: int, preview: object = None, /) -> None:
        calls.append(done)
        if len(calls) == count:
            raise Stop

    return progress


def test_it_learns_and_returns_the_average(tmp_path: Path) -> None:
    module, seen = Mirror(), []
    report = train_loop(
        module, SETTINGS, TrainingFolder(tmp_path), progress=lambda d, t, p=None, /: seen.append(d)
    )
    losses = [entry["loss"] for entry in TrainingFolder(tmp_path).journal()]
    assert report.finished and report.steps == 40 and len(seen) == 40 and seen[-1] == 1000
    assert losses[-1] < losses[0] / 5
    raw = TrainingFolder(tmp_path).load(_identity())
    assert raw is not None
    assert torch.equal(module.linear.weight, raw[0]["ema.linear.weight"])
    assert not torch.equal(module.linear.weight, raw[0]["weights.linear.weight"])


def _identity() -> dict[str, object]:
    return {"loop": {key: value for key, value in asdict(SETTINGS).items() if key not in UNBOUND}}


@pytest.mark.parametrize("stops", [(13,), (1, 7)])
def test_an_interrupted_run_equals_an_uninterrupted_one(tmp_path: Path, stops: tuple[int, ...]) -> None:
    whole = Mirror()
    train_loop(whole, SETTINGS, TrainingFolder(tmp_path / "whole"))
    folder = TrainingFolder(tmp_path / "pieces")
    for count in stops:
        with pytest.raises(Stop):
            train_loop(Mirror(), SETTINGS, folder, progress=stop_after(count))
    pieces = Mirror()
    train_loop(pieces, SETTINGS, folder)
    assert torch.equal(whole.linear.weight, pieces.linear.weight)
    steps = [entry["step"] for entry in folder.journal()]
    assert steps == sorted(set(steps)) and steps[-1] == 40


def test_a_finished_run_does_nothing_more_and_a_larger_budget_goes_on(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    train_loop(Mirror(), SETTINGS, folder)
    again = Mirror()
    report = train_loop(again, SETTINGS, folder, progress=stop_after(1))
    assert report.steps == 40 and not torch.equal(again.linear.weight, Mirror().linear.weight)
    assert train_loop(Mirror(), replace(SETTINGS, steps=45), folder).steps == 45


def test_other_settings_are_refused(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    train_loop(Mirror(), replace(SETTINGS, steps=1), folder)
    with pytest.raises(InputError, match="loop"):
        train_loop(Mirror(), replace(SETTINGS, learning_rate=0.1), folder)


def test_minutes_end_a_run_and_steer_the_rate(tmp_path: Path) -> None:
    report = train_loop(Mirror(), replace(SETTINGS, steps=10**9, minutes=0.002), TrainingFolder(tmp_path))
    assert report.finished and report.seconds >= 0.12
    assert TrainingFolder(tmp_path).journal()[-1]["spent"] >= 1


def test_one_bad_batch_is_passed_over(tmp_path: Path) -> None:
    module = Mirror()
    module.spoilt = {3}
    train_loop(module, SETTINGS, TrainingFolder(tmp_path))
    assert torch.isfinite(module.linear.weight).all()


def test_the_rate_rises_and_falls() -> None:
    rates = [learning_rate_factor(step, step / 100, replace(SETTINGS, warmup=10)) for step in range(101)]
    top = rates.index(max(rates))
    assert rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] == pytest.approx(SETTINGS.final_rate)


def test_generators_differ_by_every_seed_and_repeat() -> None:
    draws = {
        seeds: torch.rand(1, generator=generator_for("cpu", *seeds)).item()
        for seeds in [(0, 0, 0), (0, 1, 0), (1, 0, 0), (0, 0, 1)]
    }
    assert len(set(draws.values())) == 4
    assert draws[(0, 1, 0)] == torch.rand(1, generator=generator_for("cpu", 0, 1, 0)).item()


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    folder.state_path.write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match="state.safetensors"):
        folder.load({})


def test_a_save_that_fails_keeps_the_state_before(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    train_loop(Mirror(), replace(SETTINGS, steps=2), folder)
    before = folder.state_path.read_bytes()
    with pytest.raises(AttributeError):
        folder.save({"broken": "no tensor"}, Position(3, 0.0, False, {}))  # type: ignore[dict-item]
    assert folder.state_path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".part")] == []


def test_accumulated_micro_batches_equal_one_batch(tmp_path: Path) -> None:
    whole, parts = Mirror(), Mirror()
    train_loop(whole, SETTINGS, TrainingFolder(tmp_path / "whole"))
    train_loop(parts, replace(SETTINGS, accumulate=4), TrainingFolder(tmp_path / "parts"))
    torch.testing.assert_close(whole.linear.weight, parts.linear.weight, rtol=1e-3, atol=1e-4)
    losses = [[e["loss"] for e in TrainingFolder(tmp_path / n).journal()] for n in ("whole", "parts")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.parametrize("optimizer,betas", [("adan", (0.98, 0.92, 0.99)), ("adamw", (0.9, 0.99))])
def test_every_optimizer_resumes(tmp_path: Path, optimizer, betas) -> None:
    if optimizer == "adan":
        pytest.importorskip("pytorch_optimizer")
    chosen = replace(SETTINGS, optimizer=optimizer, betas=betas, schedule="constant", clip_norm=0.0)
    whole, pieces = Mirror(), Mirror()
    train_loop(whole, chosen, TrainingFolder(tmp_path / "whole"))
    with pytest.raises(Stop):
        train_loop(Mirror(), chosen, TrainingFolder(tmp_path / "pieces"), progress=stop_after(17))
    train_loop(pieces, chosen, TrainingFolder(tmp_path / "pieces"))
    assert torch.equal(whole.linear.weight, pieces.linear.weight)
    losses = [entry["loss"] for entry in TrainingFolder(tmp_path / "whole").journal()]
    assert losses[-1] < losses[0] / 2


def test_without_warm_up_the_average_moves_by_its_decay_alone(tmp_path: Path) -> None:
    chosen = replace(SETTINGS, steps=1, ema_decay=0.75, ema_warmup=False, warmup=1)
    module, start = Mirror(), Mirror().linear.weight.detach().clone()
    train_loop(module, chosen, TrainingFolder(tmp_path))
    saved = TrainingFolder(tmp_path).load({"loop": _plain(chosen)})
    assert saved is not None
    expected = start + 0.25 * (saved[0]["weights.linear.weight"] - start)
    torch.testing.assert_close(module.linear.weight, expected)


def _plain(settings: LoopSettings) -> dict[str, object]:
    return {key: value for key, value in asdict(settings).items() if key not in UNBOUND}


def test_a_loss_that_is_never_finite_ends_the_run_and_keeps_the_weights(tmp_path: Path) -> None:
    module = Mirror()
    module.spoilt = set(range(10, 1000))
    with pytest.raises(InputError, match="not finite"):
        train_loop(module, replace(SETTINGS, steps=200), TrainingFolder(tmp_path))
    saved = TrainingFolder(tmp_path).load({"loop": _plain(SETTINGS)})
    assert saved is not None and torch.isfinite(saved[0]["weights.linear.weight"]).all()
    assert saved[1].step < 60


class Scores:
    """Validation scores from a list, and what the weights were at each of them."""

    def __init__(self, module: Mirror, scores: list[float]):
        self.module, self.scores, self.seen = module, scores, []

    def __call__(self) -> dict[str, float]:
        self.seen.append(self.module.linear.weight.detach().clone())
        return {"score": self.scores[len(self.seen) - 1]}


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    module = Mirror()
    scores = Scores(module, [3.0, 1.0, 2.0, 4.0])
    chosen = replace(SETTINGS, validate_every=10, keep="best")
    report = train_loop(module, chosen, TrainingFolder(tmp_path), validation=Validation(scores))
    assert report.best == {"step": 20, "score": 1.0}
    assert torch.equal(module.linear.weight, scores.seen[1])
    assert not torch.equal(module.linear.weight, scores.seen[3])


def test_a_run_without_progress_ends_early(tmp_path: Path) -> None:
    module = Mirror()
    scores = Scores(module, [3.0, 1.0, 2.0, 4.0])
    chosen = replace(SETTINGS, validate_every=5, patience=2)
    assert train_loop(module, chosen, TrainingFolder(tmp_path), validation=Validation(scores)).steps == 20


def test_looking_does_not_change_the_training(tmp_path: Path) -> None:
    plain, watched = Mirror(), Mirror()
    train_loop(plain, SETTINGS, TrainingFolder(tmp_path / "plain"))
    validation = Validation(Scores(watched, [1.0] * 8), lambda path: path.write_text("sample"))
    chosen = replace(SETTINGS, validate_every=5, sample_every=20)
    train_loop(watched, chosen, TrainingFolder(tmp_path / "watched"), validation=validation)
    assert torch.equal(plain.linear.weight, watched.linear.weight)
    assert [p.name for p in sorted((tmp_path / "watched/samples").iterdir())] == [
        "step_0000020",
        "step_0000040",
    ]


def test_half_precision_learns_with_a_loss_scale(tmp_path: Path) -> None:
    module = Mirror()
    train_loop(module, replace(SETTINGS, precision="fp16"), TrainingFolder(tmp_path))
    losses = [entry["loss"] for entry in TrainingFolder(tmp_path).journal()]
    assert losses[-1] < losses[0] / 5
