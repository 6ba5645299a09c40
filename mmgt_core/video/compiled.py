"""The UNet and the attached adapter as one graph of torch.compile, with static shapes.

One graph serves all windows, steps, seeds and clips of one window length and size; guided and unguided steps,
and batches of other sizes, have graphs of their own. What a clip computes once is never part of a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..base.errors import DependencyError
from .state import RunState

FIX = (
    "install a C++ compiler (Linux: g++, Windows: Visual Studio's), on a GPU also Triton, "
    "or leave --compile out"
)


class CompiledUNet:
    """The forward pass of a diffusers UNet, compiled at its first call for each shape of the batch.

    Args:
        unet: with what is attached to it at the time of the call.
        backend: of torch.compile.
    """

    def __init__(self, unet: nn.Module, backend: str | Callable[..., Any] = "inductor"):
        # A graph break would compile the pieces again for every layer; an error says more.
        self._forward: Any = torch.compile(unet.forward, dynamic=False, fullgraph=True, backend=backend)

    def __call__(self, latents: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        """The prediction (n, 4, h, w); see `VideoModel.predict`.

        Raises DependencyError where torch cannot compile here.
        """
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self._forward(latents, timesteps, encoder_hidden_states=context, return_dict=False)[0]
        except TorchDynamoException as error:
            cause = getattr(error, "inner_exception", error)
            line = next((line for line in str(cause).splitlines() if line.strip()), "")
            raise DependencyError(
                f"torch cannot compile the video model here ({type(cause).__name__}: {line.strip()[:200]})",
                where="--compile",
                fix=FIX,
            ) from error


def can_use(state: RunState) -> bool:
    """Whether all that a call with this state computes belongs into the graph of every call: the projected
    reference is computed by the first call of a clip, which therefore runs uncompiled.
    """
    reads = state.bank is not None and any(source is not None for source in state.reading)
    return state.cache is not None and not (reads and state.cache.empty)
