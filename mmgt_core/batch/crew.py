"""How many workers a run has, and which part of the cluster each of them holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..base.errors import InputError


@dataclass(frozen=True)
class CrewSettings:
    """Workers of the cluster; see docs/batches.md."""

    actors: int | None = None
    """Workers of Stage II, each with the model in memory; more than GPUs share them. None = one a GPU, or one
    without GPUs.
    """
    helpers: int = 0
    """Further workers for each of Stage II, which compute windows of its clip; for long clips."""
    finishers: int = 0
    """Workers that decode and encode on CPUs. 0 = each worker of Stage II does so itself, on its device."""
    motion_actors: int | None = None
    """Workers of Stage I. None = one for four of Stage II."""
    motion_gpu: float = 0.0
    """Share of a GPU for each worker of Stage I, 0 to 1. 0 = Stage I on the CPU."""
    threads: int | None = None
    """Threads of each worker, and the CPUs it reserves. None = 1, or this machine's CPUs shared out."""
    retries: int = 5
    """How often a job whose worker or node died is tried again."""


@dataclass(frozen=True)
class Crew:
    """The workers of a run.

    Attributes:
        videos, motions: workers of Stage II and of Stage I. helpers: of each worker of Stage II.
        finishers: workers that decode and encode; 0: those of Stage II do.
        video_options, motion_options, finish_options: Ray's resources of one worker.
        threads: of each worker.
        motion_device: of Stage I, as in `Settings.device`.
        retries: how often a job is tried again whose worker died.
    """

    videos: int
    motions: int
    video_options: dict[str, Any]
    motion_options: dict[str, Any]
    threads: int = 1
    motion_device: str = "cpu"
    retries: int = 5
    helpers: int = 0
    finishers: int = 0
    finish_options: dict[str, Any] = field(default_factory=dict)


def crew_of(wanted: CrewSettings, resources: Mapping[str, float], *, device: str, local: bool) -> Crew:
    """The workers for a cluster.

    Args:
        resources: "CPU" and "GPU" of the whole cluster.
        device: of Stage II; "cpu" leaves GPUs alone.
        local: whether the cluster is this machine, all of which may be used.

    Raises InputError for numbers that are not possible.
    """
    _check(wanted)
    gpus = 0.0 if device == "cpu" else resources.get("GPU", 0.0)
    together = 1 + wanted.helpers
    videos = wanted.actors or max(1, int(gpus) // together)
    motions = wanted.motion_actors or math.ceil(videos / 4)
    cpus = int(resources.get("CPU", 1))
    workers = videos * together + motions + wanted.finishers
    threads = wanted.threads or (max(1, cpus // workers) if local else 1)
    reserved = _reserved(threads, cpus / workers) if local else threads
    share = 1 / math.ceil(videos * together / gpus) if gpus else 0.0
    on_gpu = wanted.motion_gpu > 0 and gpus > 0
    return Crew(
        videos,
        motions,
        {"num_cpus": reserved, "num_gpus": share},
        {"num_cpus": reserved, "num_gpus": wanted.motion_gpu if on_gpu else 0.0},
        threads,
        device if on_gpu else "cpu",
        wanted.retries,
        wanted.helpers,
        wanted.finishers,
        {"num_cpus": reserved, "num_gpus": 0.0},
    )


def _reserved(threads: int, share: float) -> float:
    """The CPUs that a worker reserves on a machine of its own, where more threads than CPUs must not wait.

    Ray takes parts of a CPU, and whole ones above.
    """
    if threads <= share:
        return threads
    return share if share < 1 else int(share)


def _check(wanted: CrewSettings) -> None:
    for name, value, least in (
        ("--actors", wanted.actors, 1),
        ("--helpers", wanted.helpers, 0),
        ("--finishers", wanted.finishers, 0),
        ("--motion-actors", wanted.motion_actors, 1),
        ("--threads", wanted.threads, 1),
        ("--retries", wanted.retries, 0),
    ):
        if value is not None and value < least:
            raise InputError(f"{value} is not possible", where=name, fix=f"choose {least} or more")
    if not 0 <= wanted.motion_gpu <= 1:
        raise InputError(
            f"{wanted.motion_gpu:g} is no share of a GPU", where="--motion-gpu", fix="choose 0 to 1"
        )
