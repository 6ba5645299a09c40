"""Work on the next item while the caller uses the last one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The items in their order, each made in another thread while the caller works on the one before.

    At most two items exist at a time. An error of the items is raised where the item would have come. When
    the caller stops early, the item being made is finished and dropped, and `items` is closed.
    """
    end = object()
    iterator = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="mmgt-ahead") as pool:
        coming = pool.submit(next, iterator, end)
        try:
            while (item := coming.result()) is not end:
                coming = pool.submit(next, iterator, end)
                yield cast(T, item)
        finally:
            if not coming.cancel():
                coming.exception()  # waits for the item at work
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
