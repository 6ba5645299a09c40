"""Context windows on the host: a long clip is denoised in overlapping pieces, conditions sliced by frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comfy.model_management
import torch
from comfy.context_windows import ContextHandlerABC
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.memory import try_with, windows_that_fit
from ...mmgt_core.video.windows import Fusion, context_windows, window_weights
from .clip_run import RUN, ClipRun
from .window_conds import Cond, window_conds

WINDOW = "mmgt_window"
"""In `transformer_options`: frames of one window, where a batch may hold several windows side by side."""
ACTIVATIONS = 1.5  # of the host's estimate for the plain UNet: reference keys, audio and motion modules
SMALLER = "choose a shorter window or a smaller size, or close other programs that use the GPU"


class ClipWindows(ContextHandlerABC):
    """The host's context handler for frames in the batch axis; it holds settings only.

    Attributes:
        window, overlap, closed_loop: see `context_windows`.
        at_once: windows that one UNet call computes side by side; the same result, more memory; 0: as many
            as free memory holds. Halved when memory runs out.
        fusion: how much each window counts where it overlaps with another.
    """

    dim = 0

    def __init__(
        self, window: int, overlap: int, closed_loop: bool, at_once: int = 1, fusion: Fusion = "flat"
    ):
        super().__init__()
        self.window, self.overlap, self.closed_loop, self.at_once = window, overlap, closed_loop, at_once
        self.fusion: Fusion = fusion

    def should_use_context(self, model: Any, conds: list[Cond | None], x_in: Tensor, *_: Any) -> bool:
        return True  # also of a clip that is one window: its latents may lie in main memory

    def rows(self, frames: int) -> int:
        """Latents in the largest UNet call of a clip, for one side of the guidance."""
        return min(frames, self.window * max(1, self.at_once))

    def get_resized_cond(
        self, cond_in: Cond | None, x_in: Tensor, window: Tensor, device: Any = None
    ) -> Cond | None:
        """The conditions of the frames `window` (n,); what does not go by frames stays whole."""
        return window_conds([cond_in], window, x_in.shape[0])[0]

    def execute(
        self,
        calc_cond_batch: Callable[..., list[Tensor]],
        model: Any,
        conds: list[Cond | None],
        x_in: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any],
    ) -> list[Tensor]:
        """The predictions of all conditions, averaged over the windows that a frame is in.

        Latents in main memory stay there: each window is taken to the device and back.
        """
        windows = context_windows(x_in.shape[0], self.window, self.overlap, self.closed_loop)
        length = len(windows[0])
        for_all = model_options.get("transformer_options", {})
        options = {**model_options, "transformer_options": {**for_all, WINDOW: length}}
        run: ClipRun | None = for_all.get(RUN)
        device = x_in.device if run is None else run.device
        weights = window_weights(length, self.fusion, x_in.device).to(x_in.dtype)
        sums = [torch.zeros_like(x_in) for _ in conds]
        counts = x_in.new_zeros(x_in.shape[0])

        def predict(index: Tensor) -> list[Tensor]:
            parts = window_conds(conds, index, x_in.shape[0])
            x, times = (whole.index_select(0, index).to(device) for whole in (x_in, timestep))
            return calc_cond_batch(model, parts, x, times, options)

        done, at_once = 0, run.at_once if run is not None and run.at_once else self.at_once
        if not at_once:
            sides = sum(cond is not None for cond in conds)
            at_once = windows_by_memory(model, device, (sides * length, *x_in.shape[1:]))
        while done < len(windows):
            comfy.model_management.throw_exception_if_processing_interrupted()
            group = windows[done : done + at_once]
            index = torch.tensor([frame for window in group for frame in window], device=x_in.device)
            outputs = try_with(len(group), "windows at once", lambda index=index: predict(index), SMALLER)
            if outputs is None:
                at_once = len(group) // 2
                comfy.model_management.soft_empty_cache()
                continue
            share = weights.repeat(len(group))
            for total, output in zip(sums, outputs, strict=True):
                total.index_add_(0, index, output.to(total) * share[:, None, None, None])
            counts.index_add_(0, index, share)
            done += len(group)
            if run is not None:
                run.at_once = at_once  # of the steps that follow, too
                run.progress.window(done, len(windows))
        return [total.div_(counts[:, None, None, None]) for total in sums]


def clip_windows(
    config: VideoConfig,
    window: int = 0,
    overlap: int = -1,
    closed_loop: bool | None = None,
    at_once: int = 1,
    fusion: Fusion | None = None,
) -> ClipWindows:
    """The handler for these settings; 0, -1 and None stand for the model's own.

    Raises InputError when the sizes do not fit together or to the model.
    """
    window = window or config.window
    overlap = config.overlap if overlap < 0 else overlap
    if window > config.motion_max_frames:
        raise InputError(
            f"a window of {window} frames is longer than this model's {config.motion_max_frames}",
            where="window",
            fix="choose a shorter window",
        )
    context_windows(window + 1, window, overlap)  # raises on sizes that do not fit together
    closed_loop = config.closed_loop if closed_loop is None else closed_loop
    return ClipWindows(window, overlap, closed_loop, at_once, fusion or config.fusion)


def windows_by_memory(model: Any, device: torch.device, shape: tuple[int, ...]) -> int:
    """Windows side by side that free memory holds, by the host's own estimate for one of this shape.

    On a CPU one: more are not faster there.
    """
    if comfy.model_management.is_device_cpu(device):
        return 1
    one = ACTIVATIONS * model.memory_required(list(shape))
    return windows_that_fit(int(comfy.model_management.get_free_memory(device)), int(one))
