"""How much a paper resembles the papers that a feed names.

A paper is a vector of its words: `(1 + ln n) · ln((N + 1) / (d + 1))` for a word that it has n times (in the title
counts twice) and that d of N papers have, divided by the length of all. Words that more than a fifth of all papers
have do not count. With cos(p, i) between paper p and liked paper i of n,

    likeness(p) = ∛( mean_i cos²(p, i) / √ mean_ij cos²(i, j) )          0 to 1, rounded to 4 decimals

which is 1 for the only liked paper itself. Under the root is the cosine with the centre of the liked papers in the
space of pairs of words (https://en.wikipedia.org/wiki/Polynomial_kernel of degree 2): between the plain centre,
which blurs a library of several subjects, and the nearest paper alone, which overlooks what the others agree about.
The root brings values into the range in which people think of likeness. docs/decisions tells what was measured.

All sums are of whole numbers and therefore exact: the order of papers and feeds changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from services.scorer.meaning import Layout, Meaning, text_of
from services.scorer.vectors import SCALE, Index, Ints, Vectors, weights
from services.scorer.words import Statistics, statistics, words
from shared.feeds import FeedConfig
from shared.library import LikedPaper
from shared.messages import Paper

DECIMALS = 4
MOST_REASONS = 5
REMEMBERED = 64  # papers
MOST_CELLS = 1 << 22  # cosines in memory, 32 MB

Floats = NDArray[np.float64]


class Likeness(NamedTuple):
    """Why a paper is like the papers that a feed names."""

    value: float
    """0 to 1."""
    nearest: str
    """The liked paper that is nearest: its id, or its title."""
    words: tuple[str, ...]
    """Up to five words that made the two alike, the strongest first."""


class Judged(NamedTuple):
    """A paper against all that anybody likes."""

    paper: Paper
    vector: dict[str, int]
    cosines: Ints
    values: Floats


class Profiles:
    """What the feeds like, compiled once. The same papers in any order give the same likeness."""

    def __init__(
        self, feeds: Mapping[str, tuple[Sequence[LikedPaper], float]], table: Statistics, *, keep_texts: bool = False
    ) -> None:
        """Feeds by slug: the papers that each likes, and the likeness below which it wants to hear nothing."""
        papers = sorted({paper for liked, _ in feeds.values() for paper in liked}, key=_order)
        vectors = Vectors(papers, table)
        self._table = table
        self._index = Index(vectors)
        self._names = [paper.name for paper in vectors.numbers]
        self.meaning: Meaning | None = None
        """A second opinion, where there is a model for it; its values and those of the words are averaged."""
        self.texts = [text_of(paper.title, paper.abstract) for paper in vectors.numbers] if keep_texts else []
        """Of the liked papers, by number."""
        members = {slug: _members(vectors.numbers, liked) for slug, (liked, _) in sorted(feeds.items())}
        self._slugs = tuple(slug for slug in members if members[slug])
        self._place = {slug: place for place, slug in enumerate(self._slugs)}
        self._members = np.array([number for slug in self._slugs for number in members[slug]], np.int64)
        sizes = np.array([len(members[slug]) for slug in self._slugs], np.int64)
        self._ends = np.cumsum(sizes)
        self._starts = self._ends - sizes
        spreads = {found: vectors.spread(found) for found in set(members.values()) if found}
        self._factors = 1 / (sizes * np.array([spreads[members[slug]] for slug in self._slugs]) * SCALE**2)
        self._least = np.array([feeds[slug][1] for slug in self._slugs], np.float64)
        self._recent: dict[tuple[int, bool], Judged] = {}
        self._most_recent = max(1, min(REMEMBERED, MOST_CELLS // (len(papers) + 1)))

    @classmethod
    def of(
        cls,
        feeds: Iterable[FeedConfig],
        liked: Mapping[str, Sequence[LikedPaper]],
        table: Statistics | None = None,
        *,
        keep_texts: bool = False,
    ) -> Self:
        """Profiles of the feeds, given by slug the papers that each likes; embeddings need their texts."""
        wanted = {feed.slug: (liked.get(feed.slug, ()), feed.min_likeness) for feed in feeds}
        return cls(wanted, table or statistics(), keep_texts=keep_texts)

    @property
    def layout(self) -> Layout:
        """Which liked papers belong to which feed."""
        return Layout(self._members, self._starts, self._ends - self._starts)

    def __bool__(self) -> bool:
        """Whether any feed likes anything that has words."""
        return bool(self._slugs)

    def likeness(self, papers: Sequence[Paper]) -> list[dict[str, float]]:
        """For each paper, by feed, how much it resembles what the feed likes; nothing below its `min_likeness`."""
        if not self:
            return [{} for _ in papers]
        return [self._told(self._judged(paper).values) for paper in papers]

    def why(self, paper: Paper, slug: str) -> Likeness:
        """What makes the paper resemble what the feed likes; `KeyError` for a feed that likes nothing."""
        place = self._place[slug]
        judged = self._judged(paper)
        nearest = self._nearest(judged, place)
        found = self._index.shared(judged.vector, nearest)[:MOST_REASONS]
        written = {self._table.known(text)[0]: text for text in words(f"{paper.abstract}|{paper.title}")}
        return Likeness(float(judged.values[place]), self._names[nearest], tuple(map(written.__getitem__, found)))

    def told(self, paper: Paper, slug: str) -> str:
        """The liked paper that is nearest, for people: its id, or its title."""
        place = self._place[slug]
        return self._names[self._nearest(self._judged(paper), place)]

    def _nearest(self, judged: Judged, place: int) -> int:
        members = self._members[self._starts[place] : self._ends[place]]
        return int(members[np.argmax(judged.cosines[members])])

    def _judged(self, paper: Paper) -> Judged:
        """Whoever asks what papers are like asks soon after for which reason."""
        asked = (id(paper), self.meaning is not None and paper.versioned_id in self.meaning)
        judged = self._recent.get(asked)  # it holds the paper, so no other one has its number
        if judged is None:
            vector = weights(paper.title, paper.abstract, self._table)
            cosines = self._index.cosines(vector)
            squares = np.add.reduceat(np.square(cosines)[self._members], self._starts)
            values = np.minimum(1.0, np.cbrt(squares * self._factors))
            meant = self.meaning.values(paper.versioned_id) if self.meaning else None
            values = np.round(values if meant is None else (values + meant) / 2, DECIMALS)
            judged = self._recent[asked] = Judged(paper, vector, cosines, values)
            if len(self._recent) > self._most_recent:
                del self._recent[next(iter(self._recent))]
        return judged

    def _told(self, values: Floats) -> dict[str, float]:
        (places,) = np.nonzero((values >= self._least) & (values > 0))
        return {self._slugs[place]: float(values[place]) for place in places}


def _members(numbers: Mapping[LikedPaper, int], liked: Iterable[LikedPaper]) -> tuple[int, ...]:
    return tuple(sorted({numbers[paper] for paper in liked if paper in numbers}))


def _order(paper: LikedPaper) -> tuple[str, str, str]:
    return paper.name, paper.title, paper.abstract
