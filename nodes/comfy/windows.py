"""Context windows on the host: a long clip is denoised in overlapping windows of frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import comfy.model_management as management
import torch
from comfy.context_windows import ContextHandlerABC
from torch import Tensor

from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.memory import Halving, windows_that_fit
from ...mmgt_core.video.windows import WindowSums, context_windows, window_weights
from .clip_run import RUN, ClipRun
from .resumable import WORK, SamplingWork
from .step_caches import check_step_cache
from .window_conds import Cond, window_conds

if TYPE_CHECKING:
    from comfy.model_base import BaseModel

WINDOW = "mmgt_window"
"""Key in `transformer_options`: the frames per window, as a batch may contain several windows."""
ACTIVATIONS = 1.5  # memory relative to the plain UNet: reference keys, audio and motion modules
SMALLER = "reduce context_length (window) or the video size, or close other programs that use the GPU"


class ClipWindows(ContextHandlerABC):
    """The host's context handler for frames in the batch axis; it has no state.

    Args:
        config: the model's configuration with the settings of this clip.
        at_once: windows per UNet call; None for as many as fit into free memory. Halved if memory runs
            out during sampling.
    """

    dim = 0

    def __init__(self, config: VideoConfig, at_once: int | None):
        super().__init__()
        self.config, self.at_once = config, at_once

    def should_use_context(
        self, model: BaseModel, conds: list[Cond | None], x_in: Tensor, *_: object
    ) -> bool:
        return True  # even for a single window, because the latents may be in main memory

    def rows(self, frames: int) -> int:
        """The number of latents in the largest UNet call of a clip, for one side of the guidance."""
        return min(frames, self.config.window * (self.at_once or 1))

    def get_resized_cond(
        self, cond_in: Cond | None, x_in: Tensor, window: Tensor, device: torch.device | None = None
    ) -> Cond | None:
        """The conditions of the frames `window` (n,); see `window_conds`."""
        return window_conds([cond_in], window, x_in.shape[0])[0]

    def execute(
        self,
        calc_cond_batch: Callable[..., list[Tensor]],
        model: BaseModel,
        conds: list[Cond | None],
        x_in: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any],
    ) -> list[Tensor]:
        """The predictions of all conditions, averaged over the windows of each frame.

        Latents in main memory stay there: each window is moved to the device and back. Windows that an
        interrupted run has finished are read from its work folder.
        """
        config = self.config
        windows = context_windows(x_in.shape[0], config.window, config.overlap, config.closed_loop)
        length = len(windows[0])
        shared = model_options.get("transformer_options", {})
        check_step_cache(shared, len(windows))
        options = {**model_options, "transformer_options": {**shared, WINDOW: length}}
        run: ClipRun | None = shared.get(RUN)
        work: SamplingWork | None = shared.get(WORK)
        device = x_in.device if run is None else run.device
        weights = window_weights(length, config.fusion, x_in.device)
        sums = [WindowSums(x_in, weights) for _ in conds]

        def add(first: int, count: int, outputs: Sequence[Tensor]) -> None:
            for total, output in zip(sums, outputs, strict=True):
                total.add(windows[first : first + count], output.unflatten(0, (count, length)))

        def predict(first: int, count: int) -> list[Tensor]:
            frames = [frame for window in windows[first : first + count] for frame in window]
            index = torch.tensor(frames, device=x_in.device)
            parts = window_conds(conds, index, x_in.shape[0])
            x, times = (whole.index_select(0, index).to(device) for whole in (x_in, timestep))
            return calc_cond_batch(model, parts, x, times, options)

        done = 0
        for first, count, outputs in () if work is None else work.windows():
            if first == done and len(outputs) == len(conds):
                add(first, count, list(outputs))
                done += count
        batches = self._batches(run, work, model, device, (_sides(conds) * length, *x_in.shape[1:]))
        drop = _nothing if run is None else run.drop
        while done < len(windows):
            management.throw_exception_if_processing_interrupted()
            before, start = batches.at_once, done
            count, outputs = batches.run(len(windows) - done, lambda n, at=start: predict(at, n), drop)
            add(done, count, outputs)
            if work is not None:
                work.keep_windows(done, count, outputs)
                if batches.at_once != before:
                    work.note_batch(self.at_once, batches.at_once)
            done += count
            if run is not None:
                run.progress.window(done, len(windows))
        return [total.whole_mean() for total in sums]

    def _batches(
        self,
        run: ClipRun | None,
        work: SamplingWork | None,
        model: BaseModel,
        device: torch.device,
        shape: tuple[int, ...],
    ) -> Halving:
        """The number of windows per batch; the same object in all calls of a run."""
        if run is not None and run.batches is not None:
            return run.batches
        known = None if work is None else work.batch(self.at_once)
        at_once = known or self.at_once or windows_by_memory(model, device, shape)
        batches = Halving(at_once, "windows at once", SMALLER, management.soft_empty_cache)
        if work is not None and known is None:
            work.note_batch(self.at_once, at_once)
        if run is not None:
            run.batches = batches
        return batches


def windows_by_memory(model: BaseModel, device: torch.device, shape: tuple[int, ...]) -> int:
    """The number of windows that fit into free memory, by the host's estimate for one of this shape.

    1 on a CPU, where larger batches are not faster.
    """
    if management.is_device_cpu(device):
        return 1
    one = ACTIVATIONS * model.memory_required(list(shape))
    return windows_that_fit(int(management.get_free_memory(device)), int(one))


def _nothing() -> None:
    """Without a run nothing is kept."""


def _sides(conds: list[Cond | None]) -> int:
    return sum(cond is not None for cond in conds)
