"""Prompts in API form, executed by the host's own executor in this process."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def hooked_bars(hook: Callable[..., None]) -> Iterator[None]:
    """Inside the block `hook` is called for every update of a progress bar, like the host's own hook.

    Newer hosts skip updates within 100 ms; the small test models can be faster than that.
    """
    import comfy.utils

    name = "PROGRESS_THROTTLE_MIN_INTERVAL"
    before = getattr(comfy.utils, name, 0.0)
    comfy.utils.set_progress_bar_global_hook(hook)
    setattr(comfy.utils, name, 0.0)
    try:
        yield
    finally:
        setattr(comfy.utils, name, before)
        comfy.utils.set_progress_bar_global_hook(None)


class Server:
    """Records what the executor sends to a browser."""

    client_id = last_node_id = last_prompt_id = None

    def __init__(self) -> None:
        self.sockets_metadata: dict[str, Any] = {}
        self.sent: list[tuple[str, Any]] = []

    def send_sync(self, event: str, data: Any, sid: Any = None) -> None:
        self.sent.append((event, data))


class Run:
    """One executed prompt.

    Attributes:
        outputs: what each node showed, by node id.
        executed: the nodes that ran, cached ones left out.
        error: the message of the node that failed or was blocked, or None.
    """

    def __init__(self, executor: Any):
        self.success = executor.success
        self.outputs = executor.history_result["outputs"] if executor.success else {}
        sent = executor.server.sent
        errors = [data for event, data in [*executor.status_messages, *sent] if event == "execution_error"]
        self.error = errors[0]["exception_message"] if errors else None
        self.executed = [data["node"] for event, data in sent if event == "executing" and data.get("node")]


class Executor:
    """Keeps the cache between prompts, as the host does."""

    def __init__(self) -> None:
        import execution

        takes = inspect.signature(execution.PromptExecutor.__init__).parameters
        cache = {"cache_args": {"lru": 0, "ram": 0, "ram_inactive": 0}, "cache_size": 0}
        cache = {name: value for name, value in cache.items() if name in takes}  # hosts differ
        kind = execution.CacheType.CLASSIC
        self.executor = execution.PromptExecutor(Server(), cache_type=kind, **cache)

    def run(self, prompt: dict[str, Any]) -> Run:
        """Validate and execute; raises AssertionError with the host's words when validation fails."""
        import execution

        ok, fault, outputs, node_errors = asyncio.run(execution.validate_prompt("test", prompt, None))
        assert ok, (fault, node_errors)
        self.executor.server.sent.clear()
        self.executor.execute(prompt, "test", extra_data={"client_id": "test"}, execute_outputs=outputs)
        return Run(self.executor)


def load_core_nodes(*names: str) -> None:
    """The host's own extra nodes of these files, such as "nodes_video"."""
    import nodes

    folder = Path(nodes.__file__).parent / "comfy_extras"
    for name in names:
        assert asyncio.run(nodes.load_custom_node(str(folder / f"{name}.py"), module_parent="comfy_extras"))


def output_of(executor: Executor, node: str) -> tuple[Any, ...]:
    """The output values of an executed node."""
    cached = (
        executor.executor.caches.outputs.get_local(node)
        if hasattr(executor.executor.caches.outputs, "get_local")
        else None
    )
    cached = cached if cached is not None else executor.executor.caches.outputs.get(node)
    cached = asyncio.run(cached) if asyncio.iscoroutine(cached) else cached
    values = cached.outputs if hasattr(cached, "outputs") else cached  # older hosts keep the bare list
    return tuple(value[0] for value in values)
