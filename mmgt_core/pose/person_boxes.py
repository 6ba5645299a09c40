"""The box of one person through a video, without looking for people on every frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from .openpose import Person
from .tracking import Tracker, intersection_over_union

Image = NDArray[np.uint8]
Box = NDArray[np.float32]

EVERY = 5  # frames from one search for people to the next, 0.2 s
STEADY_IOU = 0.7  # shared by the boxes of two searches; less is drift, and the frames between are searched


class PersonBoxes:
    """Finds one person's box in frame after frame.

    People are looked for on the last of the frames that `of` gets. Where the person's box has hardly moved
    since the last search, the boxes between are interpolated; where it drifts, or the person was not seen at
    one of the ends, every frame is searched.

    Args:
        look: image -> boxes (n, 4) of all people in it.
        choose: boxes -> index of the person; asked once, in the first image that shows somebody.
    """

    def __init__(self, look: Callable[[Image], Box], choose: Callable[[Box], int]):
        self._look, self._choose = look, choose
        self._tracker: Tracker | None = None
        self._box: Box | None = None

    @property
    def found(self) -> bool:
        """Whether somebody was seen at all."""
        return self._tracker is not None

    def of(self, images: Sequence[Image]) -> list[Box | None]:
        """The box in each of the next images, None where the person is not seen."""
        people = self._look(images[-1])
        tracker, start = copy(self._tracker), self._box
        end = self._follow(people)
        if len(images) == 1:
            return [end]
        if (
            start is not None
            and end is not None
            and intersection_over_union(start, end[None])[0] >= STEADY_IOU
        ):
            steps = np.arange(1, len(images) + 1, dtype=np.float32) / len(images)
            return [(start + (end - start) * step).astype(np.float32) for step in steps]
        self._tracker = tracker
        return [*(self._follow(self._look(image)) for image in images[:-1]), self._follow(people)]

    def again(self, image: Image, box: Box) -> Box | None:
        """The person's box in an image whose interpolated box shows nobody."""
        return Tracker(box).follow(self._look(image))

    def _follow(self, people: Box) -> Box | None:
        if self._tracker is None and len(people):
            self._tracker = Tracker(people[self._choose(people)])
        self._box = None if self._tracker is None else self._tracker.follow(people)
        return self._box


def parts(images: Iterable[Image], every: int) -> Iterator[list[Image]]:
    """The first image alone, then `every` at a time; the last part may be shorter."""
    part: list[Image] = []
    wanted = 1
    for image in images:
        part.append(image)
        if len(part) == wanted:
            yield part
            part, wanted = [], max(1, every)
    if part:
        yield part


def checked_sizes() -> Callable[[Image], Image]:
    """Passes images on; raises InputError for one of another size than the first."""
    seen: list[tuple[int, ...]] = []

    def check(image: Image) -> Image:
        if seen and image.shape[:2] != seen[0]:
            raise InputError(f"frame {len(seen)} has another size than the frames before it")
        seen.append(image.shape[:2])
        return image

    return check


def chosen_person(boxes: Box, person: Person) -> int:
    """Index of the largest person, or of the one with that index; raises InputError if there is none."""
    if person == "largest":
        return int(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).argmax())
    if not 0 <= person < len(boxes):
        raise InputError(
            f"there is no person {person}; {len(boxes)} were found, counted from 0", fix="choose another"
        )
    return person
