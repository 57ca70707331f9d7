"""Papers as vectors of words, and the index that finds what a paper shares with those that are liked. Pure."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.scorer.words import Statistics, words
from shared.library import LikedPaper

TITLE_COUNTS = 2
SCALE = 1 << 15
"""Weights and cosines are whole numbers of this fraction."""
SAMPLE = 200
"""Of the papers of a large library so many stand for their likeness to each other."""

Ints = NDArray[np.int64]


def weights(title: str, abstract: str, table: Statistics) -> dict[str, int]:
    """The vector of a text in whole numbers of 1/32768."""
    counts: dict[str, int] = {}
    rarities: dict[str, float] = {}
    for text, times in ((title, TITLE_COUNTS), (abstract, 1)):
        for written, count in Counter(words(text)).items():
            word, rarity = table.known(written)
            if rarity:
                counts[word] = counts.get(word, 0) + times * count
                rarities[word] = rarity
    plain = {word: (1 + math.log(count)) * rarities[word] for word, count in counts.items()}
    length = math.sqrt(math.fsum(value * value for value in plain.values()))
    return {word: round(SCALE * value / length) for word, value in plain.items()}


class Vectors:
    """Liked papers as rows of a sparse matrix, one column for each word."""

    def __init__(self, papers: Iterable[LikedPaper], table: Statistics) -> None:
        """Papers without a word are none."""
        self.columns: dict[str, int] = {}
        self.numbers: dict[LikedPaper, int] = {}
        columns, values, sizes = array("i"), array("H"), [0]
        for paper in papers:
            vector = weights(paper.title, paper.abstract, table)
            if vector:
                self.numbers[paper] = len(self.numbers)
                columns.extend(self.columns.setdefault(word, len(self.columns)) for word in vector)
                values.extend(vector.values())
                sizes.append(len(vector))
        self.starts = np.cumsum(sizes)
        self.flat_columns, self.values = np.array(columns, np.int32), np.array(values, np.uint16)

    def spread(self, members: Sequence[int]) -> float:
        """`√ mean_ij cos²(i, j)`: 1 for one paper, small for many subjects; by a sample of a large library."""
        sample = _sample(members)
        places = [slice(self.starts[number], self.starts[number + 1]) for number in sample]
        found, columns = np.unique(np.concatenate([self.flat_columns[p] for p in places]), return_inverse=True)
        matrix = np.zeros((len(sample), len(found)))
        rows = np.repeat(np.arange(len(sample)), [place.stop - place.start for place in places])
        matrix[rows, columns] = np.concatenate([self.values[place] for place in places])
        squares = np.square(np.rint(matrix @ matrix.T / SCALE))  # whole numbers, so exact in any order
        own = float(np.trace(squares))
        pairs = len(sample) * (len(sample) - 1)
        others = (float(squares.sum()) - own) / pairs if pairs else 0.0
        return math.sqrt(own / len(sample) / len(members) + others * (1 - 1 / len(members))) / SCALE


class Index:
    """Liked papers by word: a paper costs what its words find, whatever else there is."""

    def __init__(self, vectors: Vectors) -> None:
        self._columns = vectors.columns
        self.size = len(vectors.numbers)
        order = np.argsort(vectors.flat_columns, kind="stable")
        self._papers = np.repeat(np.arange(self.size, dtype=np.int32), np.diff(vectors.starts))[order]
        self._values = vectors.values[order]
        self._starts = np.zeros(len(self._columns) + 1, np.int64)
        np.cumsum(np.bincount(vectors.flat_columns, minlength=len(self._columns)), out=self._starts[1:])

    def cosines(self, vector: Mapping[str, int]) -> Ints:
        """Of a paper and each liked paper, as whole numbers of 1/32768."""
        summed = np.zeros(self.size, np.int32)  # a cosine of 1 is 2 to the power of 30
        for word, weight in vector.items():
            place = self._place(word)
            if place:  # each paper stands there once
                summed[self._papers[place]] += np.multiply(self._values[place], weight, dtype=np.int32)
        return np.rint(summed / SCALE).astype(np.int64)

    def shared(self, vector: Mapping[str, int], number: int) -> list[str]:
        """The words that add to the cosine with that liked paper, the strongest first."""
        found = []
        for word, weight in vector.items():
            place = self._place(word)
            if place:
                papers = self._papers[place]
                at = int(np.searchsorted(papers, number))
                if at < len(papers) and papers[at] == number:
                    found.append((-weight * int(self._values[place][at]), word))
        return [word for _, word in sorted(found)]

    def _place(self, word: str) -> slice | None:
        column = self._columns.get(word)
        return None if column is None else slice(self._starts[column], self._starts[column + 1])


def _sample(members: Sequence[int]) -> Sequence[int]:
    """Evenly from a library of any size."""
    return members if len(members) <= SAMPLE else [members[i * len(members) // SAMPLE] for i in range(SAMPLE)]
