"""A workflow in ComfyUI's API format, and how a job's files and values get into it."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from .jobs import Job, Scalar

MAX_BYTES = 32 * 1024 * 1024
SUBFOLDER = "mmgt_queue"  # of the server's input folder: nothing of the person's own is overwritten there
LOADERS = {"image": "LoadImage", "audio": "LoadAudio"}  # option and input name -> class_type of the node
SEEDS = ("seed", "noise_seed")
CONSENTING = "MMGTDecodeVideo"

IMAGES = frozenset([".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"])
SOUNDS = frozenset({
    ".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma",
    ".mp4", ".mov", ".mkv", ".webm", ".avi",
})  # fmt: skip
# A jobs file of somebody else's must not carry off keys and the like: only media, poses and motions leave.
UPLOADABLE = IMAGES | SOUNDS | {".json", ".safetensors"}


@dataclass(frozen=True)
class Upload:
    """A file that goes to the server before the job: its name there says its content, so none can clash."""

    path: Path
    name: str
    node: str
    input: str


@dataclass(frozen=True)
class Filled:
    """A job's prompt, in which each uploaded file has the name that it requests from the server for."""

    prompt: dict[str, Any]
    uploads: tuple[Upload, ...]

    @property
    def digest(self) -> str:
        """Changes when the workflow, a value, or a byte of an input file does."""
        return hashlib.sha256(json.dumps(self.prompt, sort_keys=True).encode()).hexdigest()

    def with_names(self, names: Mapping[Upload, str]) -> dict[str, Any]:
        """The prompt with the names that the server gave."""
        prompt = copy.deepcopy(self.prompt)
        for upload, name in names.items():
            prompt[upload.node]["inputs"][upload.input] = name
        return prompt


class Workflow:
    """An API-format workflow: node id -> {class_type, inputs, _meta}.

    Raises InputError where `nodes` is something else.
    """

    def __init__(self, nodes: object, where: object = "workflow"):
        if isinstance(nodes, dict) and isinstance(nodes.get("nodes"), list):
            raise InputError(
                "this is the editor's format, not the API format that a server runs",
                where=where,
                fix='in ComfyUI choose "Export (API)" in the Workflow menu; the bundled workflows have '
                "their API twins in example_workflows/api/",
            )
        if not isinstance(nodes, dict) or not nodes or not all(map(_is_node, nodes.values())):
            raise InputError(
                "not a workflow in ComfyUI's API format (node id -> class_type and inputs)",
                where=where,
                fix='in ComfyUI choose "Export (API)" in the Workflow menu',
            )
        self._nodes: dict[str, Any] = nodes

    @staticmethod
    def load(path: Path) -> Workflow:
        """Read a workflow file; raises InputError where it is none."""
        if not path.is_file():
            raise InputError("no such file", where=path, fix="give a workflow in ComfyUI's API format")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"larger than {MAX_BYTES >> 20} MiB, no workflow is", where=path)
        try:
            nodes = json.loads(path.read_text(encoding="utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise InputError(f"not JSON: {str(error)[:120]}", where=path) from error
        return Workflow(nodes, path)

    def filled(self, job: Job, hashes: dict[Path, str] | None = None) -> Filled:
        """The job's prompt; `hashes` keeps the digests of files that many jobs share.

        Raises InputError for a file that is missing or of a wrong kind, a node or input that is not there,
        and for an image or recording that could go into several nodes.
        """
        nodes = copy.deepcopy(self._nodes)
        uploads: dict[tuple[str, str], Upload] = {}
        hashes = {} if hashes is None else hashes
        for key, value in job.sets.items():
            node, name = self._target(key)
            if isinstance(value, str) and value.startswith("@") and not value.startswith("@@"):
                path = _checked(job.folder / value[1:], UPLOADABLE, key)
                uploads[node, name] = _upload(path, node, name, hashes)
            else:
                text = value[1:] if isinstance(value, str) and value.startswith("@@") else value
                nodes[node]["inputs"][name] = _like(text, nodes[node]["inputs"][name], key)
                uploads.pop((node, name), None)
        taken = {self._target(key) for key in job.sets}
        for name, path, kinds in (("image", job.image, IMAGES), ("audio", job.audio, SOUNDS)):
            if path is not None:
                node = self._loader(name, taken)
                uploads[node, name] = _upload(_checked(path, kinds, name), node, name, hashes)
        if job.seed is not None:
            self._seed(nodes, job.seed, taken)
        if job.consent is not None:
            self._consent(nodes, job.consent, taken)
        for upload in uploads.values():
            nodes[upload.node]["inputs"][upload.input] = f"{SUBFOLDER}/{upload.name}"
        return Filled(nodes, tuple(uploads.values()))

    def _target(self, key: str) -> tuple[str, str]:
        """Node id and input of "NODE.INPUT"; NODE is an id, or a title or class that only one node has."""
        node, _, name = key.rpartition(".")
        if node in self._nodes:
            matches = [node]
        else:
            matches = [id for id, data in self._nodes.items() if node in (_title(data), data["class_type"])]
        if not matches:
            raise InputError(f'no node "{node}"', where=key, fix=f"the nodes are {self._list(self._nodes)}")
        if len(matches) > 1:
            raise InputError(
                f'several nodes are called "{node}"', where=key, fix=f"use the id: {self._list(matches)}"
            )
        inputs = self._nodes[matches[0]]["inputs"]
        if name not in inputs:
            raise InputError(
                f'node {matches[0]} has no input "{name}"',
                where=key,
                fix=f"its inputs are {', '.join(inputs) or 'none'}",
            )
        if isinstance(inputs[name], list):
            raise InputError(
                f"the input is fed by node {inputs[name][0]}",
                where=key,
                fix="set a value of that node instead",
            )
        return matches[0], name

    def _loader(self, name: str, taken: set[tuple[str, str]]) -> str:
        """The one node that an image or recording is meant for, those left out that --set has filled."""
        kind = LOADERS[name]
        nodes = [
            id for id, data in self._nodes.items() if data["class_type"] == kind and (id, name) not in taken
        ]
        nodes = [id for id in nodes if isinstance(self._nodes[id]["inputs"].get(name, ""), str)]
        if not nodes:
            raise InputError(
                f"the workflow has no {kind} node left to fill",
                where=name,
                fix=f"add one to the workflow, or name another node's input with --set NODE.{name}=@FILE",
            )
        if len(nodes) > 1:
            raise InputError(
                f"the workflow has {len(nodes)} {kind} nodes: {self._list(nodes)}",
                where=name,
                fix=f"say which: --set {nodes[0]}.{name}=@FILE",
            )
        return nodes[0]

    def _seed(self, nodes: dict[str, Any], seed: int, taken: set[tuple[str, str]]) -> None:
        found = [
            (id, name)
            for id, data in nodes.items()
            for name in SEEDS
            if isinstance(data["inputs"].get(name), int | float)
        ]
        if not found:
            raise InputError("no node of the workflow has a seed", where="seed", fix="leave it out")
        for id, name in found:
            if (id, name) not in taken:
                nodes[id]["inputs"][name] = seed

    def _consent(self, nodes: dict[str, Any], consent: str, taken: set[tuple[str, str]]) -> None:
        found = [
            id
            for id, data in nodes.items()
            if data["class_type"] == CONSENTING and isinstance(data["inputs"].get("consent", ""), str)
        ]
        if not found:
            raise InputError(
                f"the workflow has no {CONSENTING} node, whose videos carry it",
                where="consent",
                fix="leave it out, or decode with that node",
            )
        for id in found:
            if (id, "consent") not in taken:
                nodes[id]["inputs"]["consent"] = consent

    def _list(self, ids: Any) -> str:
        shown = [f"{id} ({_title(self._nodes[id]) or self._nodes[id]['class_type']})" for id in ids]
        return ", ".join(shown[:12]) + (", ..." if len(shown) > 12 else "")


def _is_node(node: object) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), dict)
    )


def _title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return title if isinstance(title, str) else ""


def _like(value: Scalar, current: object, key: str) -> Scalar:
    """The value as what stands there now is: the command line knows only texts."""
    try:
        if isinstance(current, bool):
            return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
        if isinstance(current, int | float):
            if isinstance(value, bool):
                raise ValueError
            return value if isinstance(value, int | float) else _number(value)
    except (KeyError, ValueError) as error:
        kind = "true or false" if isinstance(current, bool) else "a number"
        raise InputError(
            f'"{str(value)[:60]}" is not {kind}', where=key, fix=f"it is {current} now"
        ) from error
    return str(value) if isinstance(current, str) and not isinstance(value, bool) else value


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not math.isfinite(number):
            raise
        return number


def _checked(path: Path, kinds: frozenset[str], where: str) -> Path:
    if path.suffix.lower() not in kinds:
        raise InputError(
            f"not a file that goes here: {path}", where=where, fix=f"give one of {' '.join(sorted(kinds))}"
        )
    if not path.is_file():
        raise InputError(f"no such file: {path}", where=where, fix="check the path")
    if path.stat().st_size == 0:
        raise InputError(f"the file is empty: {path}", where=where)
    return path


def _upload(path: Path, node: str, input: str, hashes: dict[Path, str]) -> Upload:
    if path not in hashes:
        with path.open("rb") as stream:
            digest = hashlib.sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
        hashes[path] = digest.hexdigest()
    stem = re.sub(r"[^A-Za-z0-9]+", "_", path.stem).strip("_")[:40] or "file"
    return Upload(path, f"{stem}-{hashes[path][:16]}{path.suffix.lower()}", node, input)
