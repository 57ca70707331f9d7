"""Compressed sparse rows: lists of numbers of different lengths in one array."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NONE: Ints = np.zeros(0, np.int64)


class Rows:
    """For every row some numbers."""

    def __init__(self, counts: Ints, cells: Ints) -> None:
        """How many numbers each row has, and all numbers, row after row."""
        self.counts = counts
        self.ends = counts.cumsum()
        self.cells = cells

    @classmethod
    def from_lists(cls, rows: Sequence[Sequence[int]]) -> Rows:
        """The rows as lists."""
        return cls(np.array([len(row) for row in rows], np.int64), np.fromiter(chain.from_iterable(rows), np.int64))

    def of(self, rows: Ints) -> tuple[Ints, Ints]:
        """How many numbers each of these rows has, and all of them, row after row."""
        many, places = self.places(rows)
        return many, self.cells.take(places)

    def places(self, rows: Ints) -> tuple[Ints, Ints]:
        """How many numbers each of these rows has, and where in `cells` they are, row after row."""
        many = self.counts.take(rows)
        places = np.repeat(self.ends.take(rows) - many.cumsum(), many)
        places += np.arange(len(places))
        return many, places
