"""Phrases looked for in many texts at once: a trie of words that is walked from every word at the same time.

An Aho-Corasick automaton reads letter by letter and tells every find one by one, and the interpreter has to take each
into its hands; here numpy takes all words of many papers together. docs/decisions/0012-matching.md has the measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import count

import numpy as np
from numpy.typing import NDArray

from services.scorer.rows import NONE, Ints, Rows
from services.scorer.table import ABSENT, Table
from services.scorer.vocabulary import MARK, Cut, Vocabulary

Spellings = frozenset[str]


class Phrases:
    """Spellings to look for, and the number of what they mean; add everything, then `compile`, then `find`."""

    def __init__(self, numbers: count[int]) -> None:
        self._numbers = numbers
        self._meanings: dict[tuple[Spellings, Spellings | None], int] = {}
        self._vocabulary = Vocabulary()
        self._steps: dict[tuple[int, int], int] = {}
        self._ends: list[list[tuple[int, Spellings | None]]] = [[]]

    def __bool__(self) -> bool:
        return len(self._vocabulary.words) > 1

    def add(self, spelled: Spellings, exact: Spellings | None = None) -> int:
        """Look for any of the spellings; with `exact`, only where the text has it written in one of these ways."""
        meaning = self._meanings.get((spelled, exact))
        if meaning is None:
            meaning = self._meanings[spelled, exact] = next(self._numbers)
            for text in sorted(spelled):
                self._ends[self._state(text.split())].append((meaning, exact))
        return meaning

    def _state(self, words: Iterable[str]) -> int:
        state = 0
        for word in words:
            step = state, self._vocabulary.add(word)
            state = self._steps.setdefault(step, len(self._ends))
            if state == len(self._ends):
                self._ends.append([])
        return state

    def compile(self) -> None:
        """Make the tables; nothing can be added afterwards."""
        self._exact = {
            state: [(meaning, exact) for meaning, exact in ends if exact]
            for state, ends in enumerate(self._ends)
            if any(exact for _, exact in ends)
        }
        self._is_exact = np.zeros(len(self._ends), np.bool_)
        self._is_exact[list(self._exact)] = True
        self._told = Rows.from_lists([[meaning for meaning, exact in ends if exact is None] for ends in self._ends])
        self._tells = (self._told.counts > 0) | self._is_exact
        self._vocabulary.compile()
        table = np.array([(state, word, after) for (state, word), after in self._steps.items()], np.int64)
        states, words, after = table.reshape(-1, 3).T
        begins = states == 0
        self._first = np.zeros(len(self._vocabulary.words) + 1, np.int64)
        self._first[words[begins]] = after[begins]
        self._after = Table(_step(states, words)[~begins], after[~begins])
        self._goes_on = np.zeros(len(self._ends), np.bool_)
        self._goes_on[states] = True
        self._steps, self._ends, self._meanings = {}, [], {}

    def find(self, words: Cut, written: Callable[[int], Sequence[str]]) -> tuple[Ints, Ints]:
        """The numbers of the texts and the meanings that stand in them, as often as they do.

        `words` are all texts one after the other, in lower case, with the mark `SECTION` between them; `written` gives
        the words of one text in their own case.
        """
        ids = self._vocabulary.numbers(words)
        places, states, lengths = self._walk(ids)
        many, meanings = self._told.of(states)
        marks = np.flatnonzero(ids == MARK)
        texts = np.searchsorted(marks, places)
        found = np.repeat(texts, many)
        in_question = np.flatnonzero(self._is_exact.take(states))
        if not len(in_question):
            return found, meanings
        begins = np.concatenate((NONE, (0,), marks + 1))
        rows = np.stack((texts, states, places - begins.take(texts), lengths))[:, in_question].T.tolist()
        exact = np.array(list(self._written(rows, written)), np.int64).reshape(-1, 2)
        return np.concatenate((found, exact[:, 0])), np.concatenate((meanings, exact[:, 1]))

    def _written(
        self, rows: Iterable[Sequence[int]], written: Callable[[int], Sequence[str]]
    ) -> Iterable[tuple[int, int]]:
        """The texts and meanings of what must be written as it is, and is."""
        words = lru_cache(maxsize=1)(written)
        for text, state, start, length in rows:
            there = " ".join(words(text)[start : start + length])
            yield from ((text, meaning) for meaning, exact in self._exact[state] if there in exact)

    def _walk(self, ids: Ints) -> tuple[Ints, Ints, Ints]:
        """Every end of a phrase: where it began, the state, and its length in words."""
        states = self._first.take(ids)
        places = np.flatnonzero(states)
        states = states[places]
        found: list[tuple[Ints, Ints, Ints]] = []
        length = 1
        while len(places):
            ends = self._tells.take(states)
            found.append((places[ends], states[ends], np.full(np.count_nonzero(ends), length)))
            on = self._goes_on.take(states)
            on &= places + length < len(ids)
            places = places[on]
            states = self._after.get(_step(states[on], ids.take(places + length)))
            places, states = places[states != ABSENT], states[states != ABSENT]
            length += 1
        if not found:
            return NONE, NONE, NONE
        all_places, all_states, lengths = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return all_places, all_states, lengths


def _step(states: Ints, words: Ints) -> NDArray[np.uint64]:
    return (states << 32 | words).astype(np.uint64)
