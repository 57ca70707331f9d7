"""Which feeds a paper may have satisfied, for many papers at once: a sparse product of finds and points.

The sum is an upper bound (a term that is found in several ways may count for each), so that no feed is missed;
who passes is judged exactly afterwards. Points are whole millionths: their sums are exact in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.scorer.matching import Finds
from services.scorer.rows import Ints, Rows

Mask = NDArray[np.bool_]

MILLIONTH = 1_000_000
FEED_BITS = 20
LAST_FEED = (1 << FEED_BITS) - 1
AT_ONCE = 8  # papers; their sums for 10,000 feeds, 0.6 MB, stay in the processor's cache


class Sieve:
    """The points that feeds give for meanings, as compressed sparse rows: two for every meaning.

    The even row has what it gives in the title, the odd one what it gives elsewhere.
    """

    def __init__(self, meanings: int, needed: Sequence[int], points: Sequence[tuple[int, int, int]]) -> None:
        """`needed` are the scores from which the feeds take a paper; `points` are (row, feed, points); millionths."""
        rows: list[list[int]] = [[] for _ in range(2 * meanings)]
        for row, feed, given in points:
            # feed and points in one number, so that memory, which is what takes the time, is visited once
            rows[row].append(given << FEED_BITS | feed)
        self._given = Rows(rows)
        self._needed = np.array(needed, np.int64)
        self._sums = np.zeros(AT_ONCE * len(needed), np.int64)

    def passing(self, finds: Finds, looks: Sequence[Mask], more: Sequence[Mapping[int, int]]) -> list[list[int]]:
        """For every paper the numbers of the feeds, ascending, that look at it and whose points may suffice.

        `more` are points that feeds give a paper beside those of its terms.
        """
        papers, rows = self._rows(finds)
        bounds = np.searchsorted(papers, np.arange(0, len(looks) + AT_ONCE, AT_ONCE)).tolist()
        passing: list[list[int]] = [[] for _ in looks]
        for first, (start, end) in zip(range(0, len(looks), AT_ONCE), pairwise(bounds), strict=False):
            some = papers[start:end] - first, rows[start:end]
            for paper, feed in self._enough(*some, more[first : first + AT_ONCE]):
                if looks[first + paper][feed]:
                    passing[first + paper].append(feed)
        return passing

    def _enough(self, papers: Ints, rows: Ints, more: Sequence[Mapping[int, int]]) -> Iterable[tuple[int, int]]:
        """The papers, at most `AT_ONCE`, and feeds whose points suffice, ascending."""
        feeds_of_all = len(self._needed)
        many, cells = self._given.of(rows)
        keys = np.repeat(papers * feeds_of_all, many)
        if any(more):
            more_keys, more_cells = _table(more, feeds_of_all)
            keys, cells = np.concatenate((keys, more_keys)), np.concatenate((cells, more_cells))
        feeds = cells & LAST_FEED
        keys += feeds
        np.add.at(self._sums, keys, cells >> FEED_BITS)
        enough = self._sums.take(keys) >= self._needed.take(feeds)
        self._sums[keys] = 0
        return (divmod(key, feeds_of_all) for key in sorted(set(keys[enough].tolist())))

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
