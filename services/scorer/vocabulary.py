"""Words as numbers: the text is cut into words and every word looked up without making a string of it.

A word is read as four 64-bit numbers, its bytes in UTF-8. That is exact up to `LONGEST` bytes; longer ones are told
apart elsewhere. Making and hashing a string for each word costs three times as much.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.scorer.rows import Ints
from services.scorer.table import ABSENT, Table
from services.scorer.text import CLAUSE_END, SECTION

LONGEST = 32
UNKNOWN, MARK = ABSENT, 1
"""The numbers of a word that is none of the vocabulary, and of the mark between texts."""

Bytes = NDArray[np.uint8]

EIGHTS = LONGEST // 8
WORD, SPACE, ALONE = 0, 1, 2
KIND = np.full(256, WORD, np.uint8)
KIND[ord(" ")] = SPACE
KIND[[ord(CLAUSE_END), ord(SECTION)]] = ALONE
MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)  # odd
MASKS = np.array(
    [[(1 << 8 * min(8, max(0, length - 8 * part))) - 1 for part in range(EIGHTS)] for length in range(LONGEST + 1)],
    np.uint64,
)


class Cut(NamedTuple):
    """A text cut into words and marks: where each begins, and its length in bytes."""

    data: bytes
    starts: Ints
    lengths: Ints


def cut(text: str) -> Cut:
    """Between spaces, and round the marks."""
    data = f" {text} ".encode()
    kinds = KIND.take(np.frombuffer(data, np.uint8))
    alone = kinds == ALONE
    new = (kinds[1:] != kinds[:-1]) | alone[1:]
    begins = np.flatnonzero(new & (kinds[1:] != SPACE)) + 1
    ends = np.flatnonzero((new | alone[:-1]) & (kinds[:-1] != SPACE)) + 1
    return Cut(data, begins, ends - begins)


class Vocabulary:
    """Words and their numbers; add everything, then `compile`, then `numbers`."""

    def __init__(self) -> None:
        self.words = {SECTION: MARK}

    def add(self, word: str) -> int:
        """The number of the word, which has no space."""
        return self.words.setdefault(word, len(self.words) + 1)

    def compile(self) -> None:
        """Nothing can be added afterwards."""
        words = cut(" ".join(self.words))
        self._parts = _parts(words)
        self._lengths = words.lengths
        self._table = Table(_mixed(self._parts, words.lengths), np.arange(1, len(self.words) + 1))

    def numbers(self, words: Cut) -> Ints:
        """The numbers of the words, `UNKNOWN` for those that are not in the vocabulary."""
        parts = _parts(words)
        found = self._table.get(_mixed(parts, words.lengths))
        other = self._parts.take(found - 1, axis=0, mode="wrap")  # 0, unknown, is compared with anything
        other ^= parts
        differs = self._lengths.take(found - 1, mode="wrap") != words.lengths
        for part in range(EIGHTS):
            differs |= other[:, part] != 0
        found[differs] = UNKNOWN
        return found


def _parts(words: Cut) -> NDArray[np.uint64]:
    """The words' bytes, eight by eight, with zeros after their end: a row for each word."""
    data = words.data + bytes(LONGEST)
    windows = np.ndarray((len(data) - LONGEST + 1,), f"V{LONGEST}", data, strides=(1,))  # one begins at every byte
    parts: NDArray[np.uint64] = windows[words.starts].view("<u8").reshape(-1, EIGHTS)
    parts &= MASKS.take(np.minimum(words.lengths, LONGEST), axis=0)
    return parts


def _mixed(parts: NDArray[np.uint64], lengths: Ints) -> NDArray[np.uint64]:
    """One number of all; overflow is meant."""
    mixed = lengths.astype(np.uint64)
    for part, factor in enumerate(MIX):
        mixed += parts[:, part] * factor
        mixed ^= mixed >> np.uint64(29)
    return mixed
