"""Which feeds a paper may have satisfied, for many papers at once: a sparse product of finds and points.

The sum is an upper bound (a term that is found in several ways may count for each), so that no feed is missed;
who passes is judged exactly afterwards. Points are whole millionths: their sums are exact in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.scorer.matching import Finds
from services.scorer.rows import Ints, Rows

Mask = NDArray[np.bool_]
Passing = dict[int, list[int]]
"""Feeds, ascending, and of each the places of its terms that gave points, ascending."""

MILLIONTH = 1_000_000
FEED_BITS = 20
LAST_FEED = NO_TERM = (1 << FEED_BITS) - 1
AT_ONCE = 8  # papers; their sums for 10,000 feeds, 0.6 MB, stay in the processor's cache


class Points(NamedTuple):
    """What feeds give, as columns: in row `2 * meaning` for it in the title, in `2 * meaning + 1` for it elsewhere."""

    rows: Ints
    feeds: Ints
    terms: Ints
    """The places of the terms among those of their feed."""
    given: Ints
    """Millionths."""


class Sieve:
    """The points that feeds give for meanings, as compressed sparse rows: two for every meaning."""

    def __init__(self, meanings: int, needed: Sequence[int], points: Points) -> None:
        """`needed` are the scores from which the feeds take a paper, in millionths."""
        order = np.argsort(points.rows, kind="stable")
        # feed and points in one number, so that memory, which is what takes the time, is visited once
        cells = (points.given << FEED_BITS | points.feeds)[order]
        self._given = Rows(np.bincount(points.rows, minlength=2 * meanings), cells)
        self._terms = points.terms[order].astype(np.int32)
        self._needed = np.array(needed, np.int64)
        self._sums = np.zeros(AT_ONCE * len(needed), np.int64)

    def passing(self, finds: Finds, looks: Sequence[Mask], more: Sequence[Mapping[int, int]]) -> list[Passing]:
        """For every paper the feeds that look at it and whose points may suffice.

        `more` are points that feeds give a paper beside those of its terms.
        """
        papers, rows = self._rows(finds)
        bounds = np.searchsorted(papers, np.arange(0, len(looks) + AT_ONCE, AT_ONCE)).tolist()
        passing: list[Passing] = [{} for _ in looks]
        for first, (start, end) in zip(range(0, len(looks), AT_ONCE), pairwise(bounds), strict=False):
            some = papers[start:end] - first, rows[start:end]
            for paper, feed, term in self._enough(*some, more[first : first + AT_ONCE]):
                if looks[first + paper][feed]:
                    terms = passing[first + paper].setdefault(feed, [])
                    if term != NO_TERM:
                        terms.append(term)
        return passing

    def _enough(self, papers: Ints, rows: Ints, more: Sequence[Mapping[int, int]]) -> Iterable[tuple[int, int, int]]:
        """The papers, at most `AT_ONCE`, feeds whose points suffice, and what gave the points; ascending."""
        feeds_of_all = len(self._needed)
        many, places = self._given.places(rows)
        cells, terms = self._given.cells.take(places), None
        keys = np.repeat(papers * feeds_of_all, many)
        if any(more):
            more_keys, more_cells = _table(more, feeds_of_all)
            keys, cells = np.concatenate((keys, more_keys)), np.concatenate((cells, more_cells))
            terms = np.concatenate((self._terms.take(places), np.full(len(more_keys), NO_TERM)))
        feeds = cells & LAST_FEED
        keys += feeds
        np.add.at(self._sums, keys, cells >> FEED_BITS)
        enough = np.flatnonzero(self._sums.take(keys) >= self._needed.take(feeds))
        self._sums[keys] = 0
        terms = self._terms.take(places[enough]) if terms is None else terms[enough]
        for number in sorted(set((keys[enough] << FEED_BITS | terms).tolist())):
            key, term = number >> FEED_BITS, number & NO_TERM
            yield *divmod(key, feeds_of_all), term

    def _rows(self, finds: Finds) -> tuple[Ints, Ints]:
        """The papers and rows of all meanings that were found, each once: where it gives most, which comes first."""
        again = np.zeros(len(finds.papers), np.bool_)
        again[1:] = (finds.meanings[1:] == finds.meanings[:-1]) & (finds.papers[1:] == finds.papers[:-1])
        rows = 2 * finds.meanings + (finds.places != 0)
        return finds.papers[~again], rows[~again]


def _table(more: Sequence[Mapping[int, int]], feeds_of_all: int) -> tuple[Ints, Ints]:
    rows = [
        (paper * feeds_of_all, points << FEED_BITS | feed)
        for paper, feeds in enumerate(more)
        for feed, points in feeds.items()
    ]
    table = np.array(rows, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
