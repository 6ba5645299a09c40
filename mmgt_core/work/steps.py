"""The denoiser's part of a work folder: the last two steps' latents, and the windows of the step at hand."""

from __future__ import annotations

import logging
import os
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from ..base.full_disk import explain_full_disk
from ..base.tensor_file import NAMES, bytes_of
from .disk import AppendFile
from .folder import WorkFolder

log = logging.getLogger(__name__)

KEPT_STEPS = 2
STEP = "latents-"
FLUSH_SECONDS = 2.0  # what a power cut may cost within a step; a killed process loses nothing
RECORD = struct.Struct(">4sIIBB")  # magic, first window, windows, dtype, dimensions; then the sizes
TAIL = struct.Struct(">I")  # CRC-32 of the record
MAGIC = b"MMGW"
TYPES = list(NAMES)


class StepStore:
    """Keeps what a denoising loop has finished, so that the same loop continues from there, bit for bit."""

    def __init__(self, work: WorkFolder):
        self._work = work
        self._log: AppendFile | None = None
        self._flushed = time.monotonic()

    def resume(self) -> tuple[int, Tensor] | None:
        """(finished steps, latents) of the newest step that is good, or None; a damaged one is logged."""
        for done in sorted(self._steps(), reverse=True):
            kept = self._work.load(step_name(done))
            if kept is not None and "latents" in kept.tensors:
                return done, kept.tensors["latents"]
            log.warning("%s: the latents of step %d are damaged; going back one step", self._work.path, done)
            self._work.drop(step_name(done))
        return None

    def keep(self, done: int, latents: Tensor) -> None:
        """Keep the latents after `done` steps; of older ones the last stays, and the step's windows go."""
        self._work.save(step_name(done), {"latents": latents}, {"steps": str(done)})
        self._close()
        for old in sorted(self._steps())[:-KEPT_STEPS]:
            self._work.drop(step_name(old))
        for file in self._work.path.glob("*.windows"):
            file.unlink(missing_ok=True)

    def keep_windows(self, step: int, first: int, v: Tensor, count: int) -> None:
        """Keep the predictions `v` of `count` windows from number `first` on, of step `step` (from 0)."""
        data = v.detach().cpu().contiguous()
        head = RECORD.pack(MAGIC, first, count, TYPES.index(data.dtype), data.ndim)
        head += struct.pack(f">{data.ndim}Q", *data.shape)
        body = bytes_of(data)
        sync = time.monotonic() - self._flushed > FLUSH_SECONDS
        with explain_full_disk(self._work.path):
            if self._log is None:
                self._log = AppendFile(self._path(step))
            self._log.append(head, body, TAIL.pack(zlib.crc32(body, zlib.crc32(head))), sync=sync)
        self._flushed = time.monotonic() if sync else self._flushed

    def windows(self, step: int) -> Iterator[tuple[int, int, Tensor]]:
        """(first window, windows, predictions) of each record of this step in order; what is damaged goes.

        Read them all before the next `keep_windows`.
        """
        path, good = self._path(step), 0
        if not path.is_file():
            return
        with open(path, "rb") as file:
            while (record := _read_record(file)) is not None:
                good = file.tell()
                yield record
        if good < path.stat().st_size:
            os.truncate(path, good)

    def batch(self, asked: int | None) -> int | None:
        """The windows at once that a run which asked for as many (None: what fits) came to, None: not yet."""
        noted = self._work.last("batch")
        return noted["windows"] if noted is not None and noted["asked"] == asked else None

    def note_batch(self, asked: int | None, windows: int) -> None:
        """Note how many windows at once fit, so that a resumed run computes the very same batches."""
        with explain_full_disk(self._work.path):
            self._work.note("batch", asked=asked, windows=windows)

    def close(self) -> None:
        """Close the file of the step at hand; what it holds stays."""
        self._close()

    def _steps(self) -> list[int]:
        return [done for name in self._work.names() if (done := steps_of(name)) is not None]

    def _path(self, step: int) -> Path:
        return self._work.path / f"step-{step:04d}.windows"

    def _close(self) -> None:
        file, self._log = self._log, None
        if file is not None:
            file.close()


def step_name(done: int) -> str:
    """The name under which the latents after `done` steps are saved."""
    return f"{STEP}{done:04d}"


def steps_of(name: str) -> int | None:
    """Inverse of `step_name`; None for what is no step."""
    return int(name.removeprefix(STEP)) if name.startswith(STEP) else None


def _read_record(file: IO[bytes]) -> tuple[int, int, Tensor] | None:
    """The next record, or None at the end and where the file is damaged."""
    head = file.read(RECORD.size)
    if len(head) < RECORD.size:
        return None
    magic, first, count, kind, dimensions = RECORD.unpack(head)
    sizes = file.read(8 * dimensions)
    if magic != MAGIC or kind >= len(TYPES) or len(sizes) < 8 * dimensions:
        return None
    shape = struct.unpack(f">{dimensions}Q", sizes)
    length = torch.Size(shape).numel() * torch.empty(0, dtype=TYPES[kind]).element_size()
    if length > os.fstat(file.fileno()).st_size - file.tell():
        return None
    body = bytearray(file.read(length))
    tail = file.read(TAIL.size)
    if len(tail) < TAIL.size or TAIL.unpack(tail)[0] != zlib.crc32(body, zlib.crc32(head + sizes)):
        return None
    return first, count, torch.frombuffer(body, dtype=TYPES[kind]).reshape(shape)
