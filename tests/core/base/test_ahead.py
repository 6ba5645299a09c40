"""Items made ahead come in order, one at a time more than is used, and stop with the caller."""

from __future__ import annotations

import threading

import pytest

from mmgt_core.base.ahead import ahead


def test_items_come_in_order_and_one_is_made_ahead():
    made, begun = [], threading.Event()

    def items():
        for number in range(5):
            if number == 1:
                begun.set()
            made.append(number)
            yield number

    iterator = ahead(items())
    assert next(iterator) == 0
    assert begun.wait(10)  # nobody asked for item 1 yet
    assert list(iterator) == [1, 2, 3, 4]
    assert made == [0, 1, 2, 3, 4]


def test_no_more_than_one_item_is_made_ahead():
    made = []

    def items():
        for number in range(9):
            made.append(number)
            yield number

    for number in ahead(items()):
        assert len(made) <= number + 2


def test_an_error_comes_where_its_item_would_have_come():
    def items():
        yield 1
        raise ValueError("broken")

    iterator = ahead(items())
    assert next(iterator) == 1
    with pytest.raises(ValueError, match="broken"):
        next(iterator)


def test_a_caller_that_stops_closes_the_items_and_leaves_no_thread():
    closed = []

    def items():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    iterator = ahead(items())
    next(iterator)
    iterator.close()
    assert closed == [True]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mmgt-ahead")]
