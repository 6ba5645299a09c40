"""The drawing styles that video models were trained on, by name."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from .motion import Motion

ControlStyle = Literal["dwpose", "wan animate", "paper"]
STYLES: tuple[ControlStyle, ...] = get_args(ControlStyle)


def draw_style(motion: Motion, size: tuple[int, int], style: ControlStyle) -> NDArray[np.uint8]:
    """One image per frame on black, uint8 RGB (frames, height, width, 3).

    Args:
        motion: (frames, 134, 3).
        size: (width, height) in pixels.
        style: "dwpose" as the ControlNet preprocessors draw it (VACE, Wan S2V, Fun Control, LTX, ControlNet);
            "wan animate" without face dots; "paper" as MMGT's published code, for its own pose guider.

    Raises InputError for another style.
    """
    from .drawing import draw_pose
    from .wan_animate_style import draw_wan_animate

    if style == "wan animate":
        return draw_wan_animate(motion, size)
    if style == "dwpose":
        return draw_pose(motion, size, "example", legs=True)
    if style == "paper":
        return draw_pose(motion, size, "paper")
    raise InputError(
        f"{style!r} is no drawing style", where="style", fix=f"choose one of {', '.join(STYLES)}"
    )
