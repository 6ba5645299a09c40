"""What a ComfyUI server answers, read: refusals, the state of a run, its files, and how far it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..base.errors import MMGTError

LONGEST = 400  # characters of a node's error that are shown
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")


class JobError(MMGTError):
    """The server refuses a job, or one of its nodes failed; other jobs are not concerned."""


class State(Enum):
    WAITING = "queued or running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "interrupted"
    UNKNOWN = "the server knows nothing of it"


@dataclass(frozen=True)
class RemoteFile:
    """A result as the server names it."""

    filename: str
    subfolder: str
    type: str

    @property
    def suffix(self) -> str:
        """With its dot; a server's word never becomes more of a local file name than this."""
        dot = self.filename.rfind(".")
        suffix = self.filename[dot:] if dot > 0 else ""
        return suffix.lower() if SUFFIX.fullmatch(suffix) else ".bin"


@dataclass(frozen=True)
class RunStatus:
    state: State
    files: tuple[RemoteFile, ...] = ()
    error: str = ""


def one_line(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def refusal(reply: object, prompt: Mapping[str, Any]) -> str:
    """The sentence of a refused prompt: its first node errors, or the error of the whole."""
    reply = reply if isinstance(reply, dict) else {}
    lines = list(_node_errors(reply.get("node_errors"), prompt))
    if not lines:
        error = reply.get("error")
        error = error if isinstance(error, dict) else {"message": error or "the server refuses the workflow"}
        lines = [_joined(error)]
    return one_line("; ".join(lines[:3]) + (f"; and {len(lines) - 3} more" if len(lines) > 3 else ""))


def _node_errors(errors: object, prompt: Mapping[str, Any]) -> Iterator[str]:
    for id, node in errors.items() if isinstance(errors, dict) else ():
        kind = prompt.get(id, {}).get("class_type") or (
            node.get("class_type") if isinstance(node, dict) else "?"
        )
        found = node.get("errors") if isinstance(node, dict) else None
        texts = [_joined(error) for error in found or () if isinstance(error, dict)]
        if texts:
            yield f"node {id} ({kind}): {', '.join(texts)}"


def _joined(error: Mapping[str, Any]) -> str:
    message, details = (str(error.get(key) or "").strip() for key in ("message", "details"))
    return f"{message}: {details}" if details and details not in message else message


def run_status(entry: object) -> RunStatus:
    """The state of a run from its entry in the server's history."""
    if not isinstance(entry, dict):
        return RunStatus(State.UNKNOWN)
    status = entry.get("status")
    status = status if isinstance(status, dict) else {}
    messages = {m[0]: m[1] for m in status.get("messages") or () if isinstance(m, list) and len(m) == 2}
    if "execution_interrupted" in messages:
        return RunStatus(State.STOPPED, error="it was interrupted on the server")
    if status.get("status_str") == "error":
        data = messages.get("execution_error", {})
        text = data.get("exception_message") or data.get("exception_type") or "the run failed"
        return RunStatus(
            State.FAILED,
            error=one_line(f"node {data.get('node_id', '?')} ({data.get('node_type', '?')}): {text}"),
        )
    return RunStatus(State.DONE, tuple(_files(entry.get("outputs"))))


def _files(outputs: object) -> Iterator[RemoteFile]:
    """What output nodes saved, in the order of the nodes; previews (type "temp") are no results."""
    seen: set[RemoteFile] = set()
    for _, output in sorted(outputs.items()) if isinstance(outputs, dict) else ():
        for items in output.values() if isinstance(output, dict) else ():
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict) and item.get("type") == "output" and item.get("filename"):
                    file = RemoteFile(str(item["filename"]), str(item.get("subfolder") or ""), "output")
                    if file not in seen:
                        seen.add(file)
                        yield file


@dataclass
class Advance:
    """How far a run is, 0..1, from the messages of the server's websocket."""

    nodes: int
    _cached: set[str] = field(default_factory=set)
    _parts: dict[str, float] = field(default_factory=dict)
    fraction: float = 0.0

    def read(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "execution_cached":
            self._cached |= {str(id) for id in data.get("nodes") or ()}
        elif kind == "progress_state":
            for id, node in (data.get("nodes") or {}).items():
                self._parts[id] = min(node.get("value", 0) / max(node.get("max", 1), 1e-9), 1.0)
        done = len(self._cached - self._parts.keys()) + sum(self._parts.values())
        # A node that grows into several would count beyond what there is; a bar never goes back.
        self.fraction = max(self.fraction, min(done / max(self.nodes, 1), 1.0))
