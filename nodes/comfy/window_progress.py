"""Progress of a long clip's sampling: the bar advances with every window, not only with every step."""

from __future__ import annotations

from collections.abc import Callable

import comfy.utils


class WindowProgress:
    """Advances the host's bar between two steps of a sampler, for one sampling run.

    Samplers may call the model several times per step; the bar never moves backward.
    """

    def __init__(self, steps: int):
        self._steps, self._step, self._furthest = steps, 0, 0.0
        self._bar = comfy.utils.ProgressBar(max(1, steps)) if comfy.utils.PROGRESS_BAR_ENABLED else None

    def follow(self, callback: Callable[..., None] | None) -> Callable[..., None]:
        """The sampler's callback, extended to count steps."""

        def counted(step: int, *args: object) -> None:
            self._step = step + 1
            if callback is not None:
                callback(step, *args)

        return counted

    def window(self, done: int, windows: int) -> None:
        """Report that `done` of `windows` in one pass over the clip are computed."""
        reached = (self._step + done / windows) / max(1, self._steps)
        if self._bar is None or self._step >= self._steps or reached <= self._furthest or done == windows:
            return
        self._furthest = reached
        self._bar.update_absolute(self._step * windows + done, self._steps * windows)
