"""Runs of letters looked for in many texts at once, also inside words: an Aho-Corasick automaton."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain, count

import numpy as np
from ahocorasick_rs import AhoCorasick

from services.scorer.rows import NONE, Ints, Rows
from services.scorer.text import SECTION


class Letters:
    """Runs to look for, and the number of what they mean; add everything, then `compile`, then `find`."""

    def __init__(self, numbers: count[int]) -> None:
        self._numbers = numbers
        self._meanings: dict[frozenset[str], int] = {}
        self._asked: dict[str, list[int]] = {}
        self._automaton: AhoCorasick | None = None

    def __bool__(self) -> bool:
        return bool(self._meanings)

    def add(self, runs: frozenset[str]) -> int:
        """Look for any of the runs."""
        meaning = self._meanings.get(runs)
        if meaning is None:
            meaning = self._meanings[runs] = next(self._numbers)
            for run in sorted(runs):
                self._asked.setdefault(run, []).append(meaning)
        return meaning

    def compile(self) -> None:
        """Make the automaton; nothing can be added afterwards."""
        self._told = Rows.from_lists(list(self._asked.values()))
        self._automaton = AhoCorasick(list(self._asked)) if self._asked else None

    def find(self, texts: Sequence[str]) -> tuple[Ints, Ints]:
        """The numbers of the texts, which are in lower case, and the meanings that stand in them."""
        if self._automaton is None:
            return NONE, NONE
        hits = self._automaton.find_matches_as_indexes(SECTION.join(texts), overlapping=True)
        table = np.fromiter(chain.from_iterable(hits), np.int64, 3 * len(hits)).reshape(-1, 3)
        starts = np.fromiter(accumulate((len(text) + 1 for text in texts), initial=0), np.int64)
        many, meanings = self._told.of(table[:, 0])
        return np.repeat(np.searchsorted(starts, table[:, 1], side="right") - 1, many), meanings
