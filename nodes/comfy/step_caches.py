"""The host's EasyCache: where it would mix up windows, an error in place of wrong images.

It keeps one difference for each side of the guidance, not for each window: that of the window computed last.
The host's LazyCache keeps that of the whole clip, which is right for any number of windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...mmgt_core.base.errors import InputError

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

CACHE = "easycache"
"""In `transformer_options`: the state of either node, whose `name` says which."""
BY_CALL = "EasyCache"


def check_step_cache(options: Mapping[str, Any], windows: int) -> None:
    """Raise InputError if EasyCache is on and a step consists of several windows.

    Args:
        options: the `transformer_options` of a sampling.
        windows: of the clip.
    """
    if windows > 1 and getattr(options.get(CACHE), "name", None) == BY_CALL:
        raise InputError(
            f"EasyCache would mix up the {windows} windows of this clip",
            where="model",
            fix="use LazyCache in its place, or remove it",
        )


def has_step_cache(model: ModelPatcher) -> bool:
    """Whether either node is on: then a step depends on more than the latents before it."""
    return CACHE in model.model_options.get("transformer_options", {})
