"""Counts for Prometheus, which Ray collects on every node: frames, calls, seconds, and the queue."""

from __future__ import annotations

from collections.abc import Callable

from .outcome import Outcome


def counters() -> Callable[[str, Outcome, float], None]:
    """Function that counts (stage, outcome, seconds) in Ray's metrics, which Prometheus collects."""
    from ray.util.metrics import Counter

    calls = Counter("mmgt_calls", "Finished calls of a stage by what came of them", ("stage", "outcome"))
    frames = Counter("mmgt_frames", "Frames that a stage has made", ("stage",))
    seconds = Counter("mmgt_seconds", "Seconds that the calls of a stage took", ("stage",))

    def count(stage: str, outcome: Outcome, took: float) -> None:
        calls.inc(1, {"stage": stage, "outcome": outcome.kind})
        if outcome.frames:
            frames.inc(outcome.frames, {"stage": stage})
        if took > 0:
            seconds.inc(took, {"stage": stage})

    return count


def gauges() -> Callable[..., None]:
    """Function that shows (running, waiting, left, failed) jobs in Ray's metrics."""
    from ray.util.metrics import Gauge

    names = {
        "mmgt_jobs_running": "Jobs that a worker has",
        "mmgt_jobs_waiting": "Jobs that wait for a worker",
        "mmgt_jobs_left": "Jobs that are not through",
        "mmgt_jobs_failed": "Jobs that failed",
    }
    gauges = [Gauge(name, text) for name, text in names.items()]

    def show(*values: int) -> None:
        for gauge, value in zip(gauges, values, strict=True):
            gauge.set(value)

    return show
