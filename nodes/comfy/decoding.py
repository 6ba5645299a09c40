"""Decodes latents to images, a few at a time, for the video file and the IMAGE output."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import comfy.model_management as management
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.base.sizes import readable_size
from ...mmgt_core.media.images import to_uint8
from ...mmgt_core.media.portrait_framing import PortraitFraming
from ...mmgt_core.video.autoencoder import decoded_parts
from .node_text import show_message
from .services import host_progress
from .sockets import FRAMING

if TYPE_CHECKING:
    from comfy.sd import VAE

AT_ONCE = 8  # frames
SMALLER = "choose a smaller video, or close other programs that use the GPU"
SCALE = 8  # pixels per latent


def framing_of(latent: dict[str, Any]) -> PortraitFraming | None:
    """How the portrait was fitted to this LATENT; None if it was neither padded nor cropped."""
    framing = latent.get(FRAMING)
    return None if framing is None or framing.is_whole(decoded_size(latent["samples"])) else framing


def decoded_size(samples: Tensor) -> tuple[int, int]:
    """(width, height) in pixels of the images of latents (frames, 4, h, w)."""
    return SCALE * samples.shape[3], SCALE * samples.shape[2]


def decoded_chunks(samples: Tensor, vae: VAE) -> Iterator[Tensor]:
    """IMAGE chunks (a few, height, width, 3) of latents (frames, 4, h, w); see `decoded_parts`."""
    return decoded_parts(
        vae.decode, samples, at_once=AT_ONCE, fix=SMALLER, release=management.soft_empty_cache
    )


def decoded_frames(
    latent: dict[str, Any], vae: VAE, framing: PortraitFraming | None
) -> Iterator[NDArray[np.uint8]]:
    """uint8 RGB chunks (a few, height, width, 3), in the portrait's framing if one is given."""
    for images in decoded_chunks(latent["samples"], vae):
        frames = to_uint8(images)
        yield frames if framing is None else framing.restore(frames)


def decoded_images(latent: dict[str, Any], vae: VAE) -> Tensor:
    """IMAGE (frames, height, width, 3) in the portrait's framing; shows the memory cost before decoding.

    Raises InputError if the images would not fit into free memory.
    """
    samples, framing, progress = latent["samples"], framing_of(latent), host_progress()
    size = decoded_size(samples)
    width, height = size if framing is None else framing.size(size)
    shape = (samples.shape[0], height, width, 3)
    _report_cost(shape)
    images = torch.empty(shape)
    done = 0
    for part in decoded_chunks(samples, vae):
        if framing is not None:
            part = torch.from_numpy(framing.restore(to_uint8(part))).float() / 255
        images[done : done + len(part)] = part
        done += len(part)
        progress(done, shape[0], to_uint8(part[-1]))
    return images


def _report_cost(shape: tuple[int, ...]) -> None:
    size, free = 4 * math.prod(shape), management.get_free_memory(torch.device("cpu"))
    cost = (
        f"{shape[0]} frames of {shape[2]} x {shape[1]} pixels as IMAGE take {readable_size(size)} of memory"
    )
    if size > free:
        raise InputError(
            f"{cost}, but only {readable_size(free)} is free",
            where="decode",
            fix="use MMGT Decode Video, which writes the frames to a file while decoding",
        )
    show_message(f"{cost}.")
