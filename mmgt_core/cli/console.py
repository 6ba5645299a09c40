"""What a person sees of long work: a bar on a terminal, a few plain lines in a log.

Once a run has announced its plan, one bar goes through all its stages, with the stage, the frames done, the
seconds per frame and the time left; before that, and for commands without a plan, each stage has its own bar.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, TextIO

from ..base.progress import Plan, Progress
from .eta import Eta

LINES_PER_STAGE = 4  # of a log: one at every quarter,
SECONDS_PER_LINE = 60.0  # and one a minute
PREVIEW_SECONDS = 1.0  # between two images in the preview file


class Console:
    """Writes to `stream` (stderr): the results of a command go to stdout, so that they can be piped."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._terminal = stream.isatty()
        self._open: _Stage | None = None
        self._bar: Any = None
        self._eta: Eta | None = None
        self._preview: Path | None = None
        self._previewed = 0.0

    def show_frames_in(self, path: Path | None) -> None:
        """Keep the newest image that a stage shows in this file, for any viewer that reloads it."""
        self._preview = path

    def plan(self, plan: Plan) -> None:
        """Receive the stages of a run before they begin."""
        self.close()
        self._eta = Eta(plan)

    def stage(self, name: str) -> Progress:
        """Begin a stage; the progress callable that it returns draws it. The stage before is closed."""
        if self._open is not None:
            self._open.close()
        if self._eta is not None and self._eta.begin(name):
            self._open = self._planned(name, self._eta)
        else:
            self._open = _Bar(_own_bar(name, self._stream)) if self._terminal else _Lines(name, self._stream)
        stage = self._open

        def progress(done: int, total: int, preview: Any = None, /) -> None:
            stage(done, total)
            self._show(preview)

        return progress

    def note(self, text: str) -> None:
        """One line for the person, between the stages."""
        self.close()
        print(text, file=self._stream, flush=True)

    def above(self, text: str, stream: TextIO) -> None:
        """One line to any stream while a stage runs: above its bar where both are on the terminal."""
        if self._open is not None:
            self._open.clear()
        print(text, file=stream, flush=True)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._eta = None

    def _planned(self, name: str, eta: Eta) -> _Stage:
        if not self._terminal:
            return _Lines(name, self._stream, eta)
        if self._bar is None:
            self._bar = _whole_bar(self._stream)
        return _Part(name, self._bar, eta)

    def _show(self, preview: Any) -> None:
        if preview is None or self._preview is None:
            return
        if time.monotonic() - self._previewed >= PREVIEW_SECONDS:
            from ..media.images import save_image

            save_image(self._preview, preview)
            self._previewed = time.monotonic()


class _Stage:
    def __call__(self, done: int, total: int, /) -> None:
        raise NotImplementedError

    def clear(self) -> None:
        """Leave the line of the bar to somebody else; the next step draws it again."""

    def close(self) -> None:
        raise NotImplementedError


class _Bar(_Stage):
    """A bar of the stage's own."""

    def __init__(self, bar: Any):
        self._bar = bar

    def __call__(self, done: int, total: int, /) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def clear(self) -> None:
        self._bar.clear()

    def close(self) -> None:
        self._bar.refresh()
        self._bar.close()


class _Part(_Stage):
    """The stage's part of the bar of the whole run."""

    def __init__(self, name: str, bar: Any, eta: Eta):
        self._name, self._bar, self._eta = name, bar, eta
        bar.set_description_str(name, refresh=False)

    def __call__(self, done: int, total: int, /) -> None:
        part = self._eta.step(done, total)
        self._bar.set_postfix_str(self._eta.text(), refresh=False)
        self._bar.update(part - self._bar.n)

    def clear(self) -> None:
        self._bar.clear()

    def close(self) -> None:
        self._bar.refresh()


class _Lines(_Stage):
    def __init__(self, name: str, stream: TextIO, eta: Eta | None = None):
        self._name, self._stream, self._eta = name, stream, eta
        self._quarter, self._start = 0, time.monotonic()
        self._written = self._start

    def __call__(self, done: int, total: int, /) -> None:
        if self._eta is not None:
            self._eta.step(done, total)
        quarter, now = LINES_PER_STAGE * done // max(total, 1), time.monotonic()
        if quarter > self._quarter or now - self._written >= SECONDS_PER_LINE:
            self._quarter, self._written = quarter, now
            more = "" if self._eta is None else f"; {self._eta.text()}"
            line = f"{self._name}: {done}/{total} ({now - self._start:.1f} s{more})"
            print(line, file=self._stream, flush=True)

    def close(self) -> None: ...


def _own_bar(name: str, stream: TextIO) -> Any:
    from tqdm import tqdm

    layout = "{desc} {percentage:3.0f}% |{bar:30}| {n_fmt}/{total_fmt} {elapsed}<{remaining}"
    return tqdm(desc=f"{name:<24}", total=1, file=stream, bar_format=layout, leave=True)


def _whole_bar(stream: TextIO) -> Any:
    from tqdm import tqdm

    layout = "{desc:<18} {percentage:3.0f}% |{bar:24}| {postfix}"
    return tqdm(total=1.0, file=stream, bar_format=layout, leave=True)
