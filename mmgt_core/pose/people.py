"""The one person that a motion is of, among the people of each frame."""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.notes import Note

log = logging.getLogger(__name__)

Person = int | Literal["largest"]


def follow(people: list[list[NDArray[np.float64]]], person: Person, note: Note) -> NDArray[np.float64]:
    """(frames, 134, 3) of the chosen person, who is followed by nearness.

    A frame without anybody repeats the one before, or the first with somebody, with score 0.

    Args:
        people: of each frame, (134, 3) each; at least one frame has somebody.
        person: "largest" in the first frame that shows somebody, or an index into its people.
        note: receives one remark where frames show nobody.

    Raises InputError where there is no person of that index.
    """
    first = next(index for index, crowd in enumerate(people) if crowd)
    if person == "largest":
        current = max(people[first], key=_area)
    else:
        if not 0 <= person < len(people[first]):
            raise InputError(
                f"there is no person {person}; people are counted from 0 to {len(people[first]) - 1}",
                fix="choose another",
            )
        current = people[first][person]
    track, empty = [], 0
    for index, crowd in enumerate(people):
        if not crowd:
            empty += 1
            absent = current.copy()
            absent[:, 2] = 0
            track.append(absent)
            continue
        if index > first:
            place = _centre(current)
            current = min(crowd, key=lambda points: float(np.abs(_centre(points) - place).sum()))
        track.append(current)
    if empty:
        text = f"{empty} of {len(people)} frames show nobody; their points count as not visible"
        log.warning(text)
        note(text)
    return np.stack(track)


def _visible(points: NDArray[np.float64]) -> NDArray[np.float64]:
    seen = points[points[:, 2] > 0, :2]
    return seen if len(seen) else np.zeros((1, 2))


def _area(points: NDArray[np.float64]) -> float:
    return float(np.prod(np.ptp(_visible(points), axis=0)))


def _centre(points: NDArray[np.float64]) -> NDArray[np.float64]:
    seen = _visible(points)
    return (seen.min(axis=0) + seen.max(axis=0)) / 2
