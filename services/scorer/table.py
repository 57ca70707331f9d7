"""A hash table that is asked for thousands of numbers at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.scorer.rows import Ints

Words = NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)
ABSENT = 0


class Table:
    """64-bit keys, none twice, to values above 0: one slot for each; keys that find theirs taken stand apart, in order.

    No chain is followed: every step costs the same for one number as for hundreds.
    """

    def __init__(self, keys: Words, values: Ints) -> None:
        bits = max(4, (4 * len(keys)).bit_length())  # from an eighth to a quarter is taken: few stand apart
        self._shift = np.uint64(64 - bits)
        self._keys = np.zeros(1 << bits, np.uint64)
        self._values = np.full(1 << bits, ABSENT, np.int64)  # doubled; odd where others belong, too
        home = self._home(keys)
        slots, first = np.unique(home, return_index=True)
        self._keys[slots], self._values[slots] = keys[first], values[first] << 1
        apart = np.setdiff1d(np.arange(len(keys)), first, assume_unique=True)
        self._values[home[apart]] |= 1
        apart = apart[np.argsort(keys[apart])]
        self._keys_apart, self._values_apart = keys[apart], values[apart]

    def _home(self, keys: Words) -> Ints:
        return (keys * GOLDEN >> self._shift).astype(np.int64)

    def get(self, keys: Words) -> Ints:
        """The values of the keys, `ABSENT` for those that are not there."""
        slots = self._home(keys)
        values = self._values.take(slots)
        differs = self._keys.take(slots) != keys
        elsewhere = np.flatnonzero((values & 1).astype(np.bool_) & differs)
        values >>= 1
        values[differs] = ABSENT
        if len(elsewhere):
            wanted = keys[elsewhere]
            places = self._keys_apart.searchsorted(wanted)
            there = self._keys_apart.take(places, mode="clip") == wanted
            values[elsewhere[there]] = self._values_apart[places[there]]
        return values
