"""Slices conditioning to the frames of a window: MMGT's own and that of other packs."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from torch import Tensor

from .conditions import CONDITION

if TYPE_CHECKING:
    from comfy.controlnet import ControlBase

Cond = list[dict[str, Any]]


def window_conds(conds: list[Cond | None], window: Tensor, frames: int) -> list[Cond | None]:
    """Processed conditionings, sliced to the frames `window` (n,) of a clip of `frames`.

    Sliced are MMGT's condition, the hints of ControlNets and T2I adapters, and area masks, if there is one
    per frame; everything else applies to the whole clip and stays unchanged.
    """
    controls: dict[int, ControlBase] = {}  # shared by both sides, otherwise the host does not batch them
    return [cond and [_window_entry(entry, window, frames, controls) for entry in cond] for cond in conds]


def _window_entry(
    entry: dict[str, Any], window: Tensor, frames: int, controls: dict[int, ControlBase]
) -> dict[str, Any]:
    conds = dict(entry.get("model_conds", {}))
    if CONDITION in conds:
        conds[CONDITION] = conds[CONDITION].window(window, frames)
    cut = {**entry, "model_conds": conds}
    control = entry.get("control")
    if control is not None:
        if id(control) not in controls:
            controls[id(control)] = _window_control(control, window, frames)
        cut["control"] = controls[id(control)]
    mask = entry.get("mask")
    if isinstance(mask, Tensor) and frames > 1 and mask.shape[0] == frames:
        cut["mask"] = mask[window.to(mask.device)]
    return cut


def _window_control(control: ControlBase, window: Tensor, frames: int) -> ControlBase:
    """A shallow copy of a chain of ControlNets with the window's hints; networks and settings are shared."""
    cut = copy.copy(control)
    hints = getattr(control, "cond_hint_original", None)
    if isinstance(hints, Tensor) and frames > 1 and hints.shape[0] == frames:
        cut.cond_hint_original = hints[window.to(hints.device)]
    cut.cond_hint = None  # the host's cached, resized hints belong to another window
    if hasattr(cut, "control_input"):
        cut.control_input = None
    for name in ("cond_hints", "control_inputs"):  # newer hosts cache by size, in dicts that copies share
        if isinstance(getattr(cut, name, None), dict):
            setattr(cut, name, {})
    if control.previous_controlnet is not None:
        cut.previous_controlnet = _window_control(control.previous_controlnet, window, frames)
    return cut
