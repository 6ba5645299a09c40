"""Sampling in half precision, with the rest in fp32 (or bf16) where half precision overflows."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from ..base.notes import Note, unnoted
from ..checkpoints.speaker_adapter import Speaker
from ..checkpoints.video import load_video_model
from ..video.conditions import ClipConditions
from ..video.denoise import Observer, denoise
from ..video.memory import is_out_of_memory
from ..video.model import VideoModel
from ..video.overflow import OverflowedError, Unfinished
from ..video.sampling import Sampling
from ..video.window_calls import Helper

OVERFLOWED = (
    "fp16 overflowed in step {step} of {steps}; that step was continued and the rest computed in {dtype}, "
    "nothing that was computed is lost. Give --dtype {dtype} to save the attempt"
)
SHORT = {torch.float32: "fp32", torch.bfloat16: "bf16"}


def precise_model(
    model: VideoModel, path: str | os.PathLike[str], speaker: Speaker | None = None
) -> VideoModel:
    """The same file and speaker in fp32, in place of `model`, whose memory is freed; its VAE is kept.

    Where fp32 does not fit (the published model takes 8.6 GiB), it is bf16, which has the range of fp32.
    """
    device, autoencoder = model.device, model.autoencoder
    model.autoencoder = None
    model.to("meta")
    precise = _in_fp32(path, device, speaker)
    precise = load_video_model(path, device, torch.bfloat16, speaker) if precise is None else precise
    precise.autoencoder = autoencoder
    return precise


def _in_fp32(
    path: str | os.PathLike[str], device: torch.device, speaker: Speaker | None
) -> VideoModel | None:
    try:
        return load_video_model(path, device, torch.float32, speaker)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return None


def denoised(
    model: VideoModel,
    conditions: ClipConditions,
    conditions_of: Callable[[VideoModel], ClipConditions],
    sampling: Sampling,
    observer: Observer,
    precise: Callable[[VideoModel], VideoModel] | None = None,
    note: Note = unnoted,
    others: Sequence[tuple[VideoModel, ClipConditions]] = (),
    helpers: Sequence[Helper] = (),
) -> tuple[VideoModel, Tensor]:
    """The model that finished, and the latents; see `denoise`.

    Args:
        conditions: the clip's; conditions_of: the same for another model.
        precise: takes a model whose numbers overflowed and gives the one to go on with; None: no other try.
        note: receives one remark about it.
        others, helpers: see `denoise`; after an overflow the first device goes on alone.
    """
    attempt = partial(denoise, model, conditions, sampling, observer=observer)
    unfinished = _tried(partial(attempt, others=others, helpers=helpers), again=precise is not None)
    if isinstance(unfinished, Tensor):
        return model, unfinished
    assert precise is not None
    del conditions, attempt
    steps = sampling.applied_to(model.config).steps
    model = precise(model)
    dtype = SHORT.get(model.dtype, str(model.dtype))
    note(OVERFLOWED.format(step=unfinished.step + 1, steps=steps, dtype=dtype))
    # Reference features and tokens may have overflowed too, so they are computed again.
    return model, denoise(model, conditions_of(model), sampling, observer=observer, unfinished=unfinished)


def _tried(attempt: Callable[[], Tensor], *, again: bool) -> Tensor | Unfinished:
    """The latents, or what is finished; the error itself would keep the conditions in memory."""
    try:
        return attempt()
    except OverflowedError as error:
        if not again:
            raise
        return error.unfinished
