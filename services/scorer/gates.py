"""Which feeds look at a paper at all: by its kind of announcement, its source and its categories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shared.feeds import ARXIV, FeedConfig
from shared.messages import Kind

Mask = NDArray[np.bool_]
REMEMBERED = 1024  # of 10 kB each with 10,000 feeds


class Gates:
    """For every kind of paper, which feeds look at it."""

    def __init__(self, feeds: Sequence[FeedConfig]) -> None:
        self._feeds = feeds
        self._any_category = self._mask(lambda feed: not feed.categories)
        self._categories: dict[str, Mask] = {}
        for number, feed in enumerate(feeds):
            for category in feed.categories:
                self._categories.setdefault(category, np.zeros(len(feeds), np.bool_))[number] = True
        # not lru_cache, whose hold on this object would keep feeds that are no longer used
        self._known: dict[tuple[str, str, tuple[str, ...]], Mask] = {}
        self._of_kind: dict[tuple[str, str], Mask] = {}

    def looks(self, kind: Kind, source: str, categories: tuple[str, ...]) -> Mask:
        """By the feeds' numbers. Categories are arXiv's: they choose among its papers only."""
        asked = kind, source, categories
        if asked not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
                self._of_kind.clear()
            self._known[asked] = self._looks(kind, source, categories)
        return self._known[asked]

    def _looks(self, kind: Kind, source: str, categories: tuple[str, ...]) -> Mask:
        if (kind, source) not in self._of_kind:
            wants = self._mask(lambda feed: kind in feed.announce and source in feed.sources)
            self._of_kind[kind, source] = wants
        mask = self._of_kind[kind, source]
        if source != ARXIV:
            return mask
        chosen = self._any_category.copy()
        for category in with_archives(categories):
            if category in self._categories:
                chosen |= self._categories[category]
        return mask & chosen

    def _mask(self, wants: Callable[[FeedConfig], bool]) -> Mask:
        return np.fromiter(map(wants, self._feeds), np.bool_, len(self._feeds))


@lru_cache(maxsize=4096)
def with_archives(categories: tuple[str, ...]) -> frozenset[str]:
    """`cs.LG` is also in `cs`, for feeds that take a whole archive."""
    return frozenset(part for category in categories for part in (category, category.partition(".")[0]))
