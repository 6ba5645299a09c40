"""The progress bar of a long clip's sampling: it moves with every window, not only with every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comfy.utils


class WindowProgress:
    """Fills the host's bar between two steps of its sampler; lives as long as one sampling.

    Samplers call the model once or several times a step, nobody knows how often: the bar never goes back.
    """

    def __init__(self, steps: int):
        self._steps, self._step, self._furthest = steps, 0, 0.0
        self._bar = comfy.utils.ProgressBar(max(1, steps)) if comfy.utils.PROGRESS_BAR_ENABLED else None

    def follow(self, callback: Callable[..., Any] | None) -> Callable[..., Any]:
        """The sampler's callback, which counts the steps from now on."""

        def counted(step: int, *args: Any) -> Any:
            self._step = step + 1
            return None if callback is None else callback(step, *args)

        return counted

    def window(self, done: int, windows: int) -> None:
        """So many windows of one pass over the clip are computed."""
        reached = (self._step + done / windows) / max(1, self._steps)
        if self._bar is None or self._step >= self._steps or reached <= self._furthest or done == windows:
            return
        self._furthest = reached
        self._bar.update_absolute(self._step * windows + done, self._steps * windows)
