"""A hash table that is asked for thousands of numbers at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.scorer.rows import Ints

Words = NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)
ABSENT = 0


class Table:
    """Open addressing with linear probing: 64-bit keys, none twice, to values above 0."""

    def __init__(self, keys: Words, values: Ints) -> None:
        bits = max(4, (4 * len(keys)).bit_length())  # from an eighth to a quarter is taken: few need a second look
        self._shift = np.uint64(64 - bits)
        self._last = (1 << bits) - 1
        self._keys = np.zeros(1 << bits, np.uint64)
        self._values = np.full(1 << bits, ABSENT, np.int32)
        slots = self._home(keys)
        waiting = np.arange(len(keys))
        while len(waiting):
            free = waiting[self._values[slots[waiting]] == ABSENT]
            taken, first = np.unique(slots[free], return_index=True)
            self._keys[taken], self._values[taken] = keys[free[first]], values[free[first]]
            waiting = np.setdiff1d(waiting, free[first], assume_unique=True)
            slots[waiting] = slots[waiting] + 1 & self._last

    def _home(self, keys: Words) -> Ints:
        return (keys * GOLDEN >> self._shift).astype(np.int64)

    def get(self, keys: Words) -> Ints:
        """The values of the keys, `ABSENT` for those that are not there."""
        slots = self._home(keys)
        values = self._values.take(slots).astype(np.int64)
        other = np.flatnonzero((self._keys.take(slots) != keys) & (values != ABSENT))
        while len(other):
            slots[other] = slots[other] + 1 & self._last
            there = slots[other]
            values[other] = self._values.take(there)
            other = other[(self._keys.take(there) != keys[other]) & (values[other] != ABSENT)]
        return values
