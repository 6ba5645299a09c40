"""The connection to Ray: a cluster of one's own on this machine, or one that runs already."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from ..base.errors import DependencyError, InputError

OBJECT_BYTES = 2**28  # of a local cluster: only motions pass through it, 40 kB a second of video


def require_ray() -> Any:
    """The library; raises DependencyError where it is missing."""
    try:
        import ray
    except ImportError as error:
        raise DependencyError("Ray is not installed", fix="pip install 'mmgt[ray]'") from error
    return ray


@contextmanager
def connected(address: str | None, *, dashboard: bool = False, cpus: int | None = None) -> Iterator[Any]:
    """The library `ray`, connected inside the block.

    A local cluster accepts connections of this machine alone, and reports its use to nobody. Standard output
    belongs to those who took hold of it before.

    Args:
        address: "host:port" of a cluster's head, "auto" for the one that this machine belongs to; None: a
            local cluster, which ends with the block or with this process.
        dashboard: whether a local cluster serves Ray's dashboard.
        cpus: of a local cluster; None: those of this machine.

    Raises InputError when no cluster answers.
    """
    # Read by Ray's own processes, too, which this one starts; nothing else in it reads them.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = require_ray()
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=dashboard,
                object_store_memory=OBJECT_BYTES,
                _node_ip_address="127.0.0.1",
                **quiet,
            )
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise InputError(
            f"no connection to the Ray cluster ({' '.join(str(error).split())[:200]})",
            where=address or "--ray",
            fix="check the address with `ray status`",
        ) from error
    try:
        # Ray prints on stdout what it remarks about workers that died, which the run copes with.
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            yield ray
    finally:
        ray.shutdown()
