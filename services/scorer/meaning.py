"""Likeness by embeddings: a second opinion beside that of the words. Pure.

With e(p, i) the cosine between the vectors of paper p and liked paper i, and b the mean cosine between the texts of
`REFERENCES`, which have nothing in common (a model that gives everything 0.7 says with 0.7 nothing),

    r(p, i) = max(0, (e(p, i) - b) / (1 - b))
    E(p)    = √( mean_i r²(p, i) / √ mean_ij r²(i, j) )
    likeness = (words + E) / 2

Vectors are rounded to whole numbers of 1/2048, whose products and sums float32 holds exactly: no value depends on
the order of papers or feeds.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UNIT = 2048
FINE = 1 << 15
SAMPLE = 200
MOST_CHARACTERS = 2_000
"""Of a text; what models of 512 tokens can take."""
REMEMBERED = 5_000
"""Papers whose vectors are kept, so that one can ask later why: 15 MB at 1,536 dimensions."""
REFERENCES = (
    "Rotation curves of dwarf galaxies and the density of their dark matter halos",
    "A lower bound for the rank of matrix multiplication over finite fields",
    "Pricing of American options under stochastic volatility",
    "Neural machine translation for languages with little parallel text",
    "Superconductivity at high pressure in hydrides of rare earths",
    "Spread of malaria under seasonal rainfall: a model of mosquito populations",
    "Leader election in asynchronous networks with crash failures",
    "Segmentation of tumours in magnetic resonance images of the brain",
    "Vertex operator algebras and their modular invariance",
    "Gait of a four-legged robot on uneven ground",
    "Cosmic ray muons as seen by a detector under the ice",
    "Estimating treatment effects with missing covariates",
)

Vector = NDArray[np.float16]
Floats = NDArray[np.float64]


def text_of(title: str, abstract: str) -> str:
    """What of a paper is embedded."""
    return f"{title}\n{abstract}"[:MOST_CHARACTERS]


class Layout(NamedTuple):
    """Which liked papers belong to which feed: `members[starts[f]:starts[f] + sizes[f]]` are the numbers of feed f."""

    members: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]


def baseline(references: NDArray[np.float16]) -> float:
    """The mean cosine between different texts, at most 0.95."""
    whole = _whole(references)
    cosines = _cosines(whole, whole)
    count = len(cosines)
    mean = math.fsum(cosines[~np.eye(count, dtype=bool)]) / (count * (count - 1))
    return round(min(max(mean, 0.0), 0.95), 6)


class Meaning:
    """The vectors of all that is liked, and of the papers to judge."""

    def __init__(self, layout: Layout, liked: NDArray[np.float16], base: float) -> None:
        """`liked` has a row for each liked paper, by number."""
        self._layout = layout
        self._liked = _whole(liked)
        self._base = base
        self._papers: OrderedDict[str, Vector] = OrderedDict()
        ends = layout.starts + layout.sizes
        spreads = [self._spread(layout.members[a:b]) for a, b in zip(layout.starts, ends, strict=True)]
        self._factors = 1 / (layout.sizes * np.array(spreads) * FINE**2)

    def add(self, vectors: Mapping[str, Vector]) -> None:
        """Papers by versioned id; the oldest are forgotten. One of another dimension is none."""
        for name, vector in vectors.items():
            if vector.shape == self._liked.shape[1:]:
                self._papers[name] = vector
        while len(self._papers) > REMEMBERED:
            self._papers.popitem(last=False)

    def __contains__(self, name: str) -> bool:
        return name in self._papers

    def values(self, name: str) -> Floats | None:
        """E of each feed; None for a paper that has no vector."""
        vector = self._papers.get(name)
        if vector is None:
            return None
        alike = self._alike(self._liked, _whole(vector[None, :]))[:, 0]
        squares = np.add.reduceat(np.square(alike)[self._layout.members], self._layout.starts)
        return np.asarray(np.minimum(1.0, np.sqrt(squares * self._factors)), np.float64)

    def _spread(self, members: NDArray[np.int64]) -> float:
        chosen = members if len(members) <= SAMPLE else members[np.arange(SAMPLE) * len(members) // SAMPLE]
        some = self._liked[chosen]
        squares = np.square(self._alike(some, some))
        own = float(np.trace(squares))
        pairs = len(chosen) * (len(chosen) - 1)
        others = (float(squares.sum()) - own) / pairs if pairs else 0.0
        return math.sqrt(own / len(chosen) / len(members) + others * (1 - 1 / len(members))) / FINE

    def _alike(self, some: NDArray[np.float32], others: NDArray[np.float32]) -> Floats:
        """r in whole numbers of 1/32768."""
        above = (_cosines(some, others) - self._base) / (1 - self._base)
        return np.asarray(np.rint(np.maximum(above, 0.0) * FINE), np.float64)


def _whole(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    return np.rint(vectors.astype(np.float32) * UNIT)


def _cosines(some: NDArray[np.float32], others: NDArray[np.float32]) -> Floats:
    products = (some @ others.T).astype(np.float64)
    lengths = [np.sqrt(np.square(each).sum(axis=1, dtype=np.float64)) for each in (some, others)]
    return np.asarray(products / np.maximum(np.outer(*lengths), 1.0), np.float64)
