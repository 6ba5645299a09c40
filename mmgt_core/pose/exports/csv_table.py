"""A motion as a table: a row a frame, x, y and score of every point in columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import numpy as np
import torch

from ...base.errors import InputError
from ...base.limits import MOTION_FRAMES, PICTURE_SIDE
from ...base.timebase import FPS
from ..motion import Motion
from .point_names import POINT_NAMES
from .points import pixel_points

HEAD = ("frame", "seconds", "width", "height")
COLUMNS = tuple(f"{name}_{value}" for name in POINT_NAMES for value in ("x", "y", "score"))
CSV_FIX = "give a table that `mmgt export --format csv` wrote"


def to_csv(motion: Motion) -> str:
    """The table with a head of names; pixels from the upper left, empty where a point is not visible."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*HEAD, *COLUMNS))
    for frame, points in enumerate(pixel_points(motion)):
        cells: list[str] = []
        for x, y, score in points.tolist():
            cells += [f"{x:.4f}", f"{y:.4f}", f"{score:.4f}"] if score > 0 else ["", "", ""]
        rows.writerow((frame, f"{frame / FPS:.4f}", motion.width, motion.height, *cells))
    return text.getvalue()


def from_csv(lines: Iterable[str]) -> Motion:
    """The motion of such a table. Raises InputError for any other."""
    rows = csv.reader(lines)
    try:
        if tuple(next(rows)) != (*HEAD, *COLUMNS):
            raise ValueError("its head is another")
        points, size = [], (0, 0)
        for row in rows:
            if len(row) != len(HEAD) + len(COLUMNS) or len(points) >= MOTION_FRAMES:
                raise ValueError("a row has another length, or there are too many")
            size = int(row[2]), int(row[3])
            points.append([float(cell) if cell else 0.0 for cell in row[len(HEAD) :]])
        table = np.array(points, np.float64).reshape(-1, len(POINT_NAMES), 3)
        if not len(table) or not 0 < min(size) <= max(size) <= PICTURE_SIDE or not np.isfinite(table).all():
            raise ValueError("it has no frames, no size, or values that are no numbers")
    except (ValueError, StopIteration, csv.Error) as error:
        raise InputError(f"this is not a table of a motion ({error})", fix=CSV_FIX) from error
    table[..., :2] /= size
    return Motion(torch.from_numpy(table.astype(np.float32)), *size)
