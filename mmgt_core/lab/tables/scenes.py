"""What a row is made from: one clip of a data set, or one drawn speaker."""

from __future__ import annotations

from .clips import PreparedScene
from .presenter import PresenterScene

Scene = PreparedScene | PresenterScene
"""Both have the same attributes and methods; `PreparedScene` describes them."""
