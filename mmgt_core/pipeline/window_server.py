"""A clip on several processes: one makes the video, and others compute windows of it.

The windows of a step do not depend on each other, so any process may compute any of them; their sums are
added by the one that makes the video, in their order, so the video is the same. For each batch of windows
its latents travel there and its prediction back: at 512 pixels 64 kB a frame, with guidance twice that back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from ..video.denoise import sampling_with
from ..video.window_calls import Helper, predict_windows
from .conditions import ClipInputs

if TYPE_CHECKING:
    from ..audio.features import Encoder
    from ..video.conditions import ClipConditions
    from ..video.model import VideoModel


class ClipHelper(Helper, Protocol):
    """A helper that takes one clip after the other."""

    def begin(self, inputs: ClipInputs) -> None:
        """Prepare for a clip; returns at once."""
        ...


class WindowServer:
    """What a helper runs: windows of one clip after the other, with the model of the run.

    Args:
        model: in evaluation mode; it belongs to this object until `close`.
        encoders: the speech encoders by name, for a model that needs one.
    """

    def __init__(self, model: VideoModel, encoders: Mapping[str, Encoder] | None = None):
        self._model, self._encoders = model, encoders
        self._stack = ExitStack()
        self._clip: tuple[ClipInputs, ClipConditions] | None = None

    def begin(self, inputs: ClipInputs) -> None:
        """Compute the conditions of a clip, in place of the one before."""
        self.close()
        with torch.no_grad():
            self._clip = inputs, inputs.conditions(self._model, encoders=self._encoders)
            self._stack.enter_context(sampling_with(self._model))

    def predict(
        self, windows: Sequence[Sequence[int]], timestep: int, latents: Tensor, conditional: tuple[bool, ...]
    ) -> Tensor:
        """As `predict_windows`, of the clip that was begun last."""
        assert self._clip is not None, "begin comes first"
        inputs, conditions = self._clip
        with torch.no_grad():
            return predict_windows(
                self._model, conditions, inputs.config, windows, timestep, latents, conditional
            )

    def close(self) -> None:
        """Let the clip go; the model is as it was."""
        self._stack.close()
        self._clip = None
