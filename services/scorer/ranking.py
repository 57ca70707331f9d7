"""Which papers of a day each feed takes: the best by score, within its caps, without what other feeds took."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nsmallest
from typing import NamedTuple

from shared.feeds import FeedConfig
from shared.messages import Match, Paper, PaperScored

Key = tuple[int, str, int]
"""A paper of a day: the number of its batch, its id and its version."""
SLACK = 8  # candidates beyond half as many again as a feed takes, before the worst are let go


@lru_cache(maxsize=256)
def number(batch: str) -> int:
    """1 for a day's batch (`arxiv:2025-12-10`), 2 and up for its supplements (`arxiv:2025-12-10.2`)."""
    _, dot, suffix = batch.rpartition(".")
    return int(suffix) if dot and suffix.isascii() and suffix.isdigit() else 1


def key_of(paper: PaperScored) -> Key:
    """The paper among all of its day."""
    return number(paper.batch), paper.paper.id, paper.paper.version


class Candidate(NamedTuple):
    """A paper that a feed matches. They sort best first: by score, then by announcement order, then by id."""

    loss: float
    """The score, negative."""
    number: int
    position: int
    paper_id: str
    version: int

    @classmethod
    def of(cls, paper: PaperScored, match: Match) -> Candidate:
        """The paper as this match has it."""
        return cls(-match.score, number(paper.batch), paper.position, paper.paper.id, paper.paper.version)

    @property
    def key(self) -> Key:
        """The paper among all of its day."""
        return self.number, self.paper_id, self.version


class Place(NamedTuple):
    """A feed takes a paper."""

    feed: FeedConfig
    rank: int
    """Among all that the feed takes of the day."""
    nth: int
    """Among those that it takes of this batch: what decides about summaries."""


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier batches of the same day led to."""

    taken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Paper ids that each feed took of the same announcement."""
    elsewhere: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Those that it took of the announcement which this one, the finds of a search, goes beside."""


class Candidates:
    """The papers of a day and who matches them. They may be added in any order, and more than once.

    Of each feed's candidates only as many are kept as may count, so that a day costs what the feeds take of it.
    """

    def __init__(self, feeds: Iterable[FeedConfig], papers: Iterable[PaperScored]) -> None:
        """`papers` are all of the day, whoever matches them; their own matches do not count."""
        self._feeds = {feed.slug: feed for feed in feeds}
        self._papers = {key_of(paper): paper.paper for paper in papers}
        counts = Counter(paper_id for _, paper_id, _ in self._papers)
        self._repeated = {paper_id for paper_id, count in counts.items() if count > 1}
        self._added: set[Key] = set()
        self._entered: dict[str, list[Candidate]] = {}

    def __len__(self) -> int:
        return len(self._papers)

    def add(self, judged: Iterable[PaperScored]) -> None:
        """Enter papers with their matches."""
        for paper in judged:
            key = key_of(paper)
            if key not in self._added:
                self._added.add(key)
                for match in paper.matches:
                    self._enter(match.feed, Candidate.of(paper, match))

    def _enter(self, slug: str, candidate: Candidate) -> None:
        feed = self._feeds.get(slug)
        if feed is None:
            return
        entered = self._entered.setdefault(slug, [])
        entered.append(candidate)
        if len(entered) > feed.max_papers * 3 // 2 + SLACK and _only_the_best_count(feed):
            self._entered[slug] = self._pruned(entered, feed.max_papers)

    def _pruned(self, entered: list[Candidate], most: int) -> list[Candidate]:
        """What may still count. A paper that comes in several versions stays: only at the end is it known which."""
        stay = [candidate for candidate in entered if candidate.paper_id in self._repeated]
        return stay + nsmallest(most, (one for one in entered if one.paper_id not in self._repeated))

    def of(self, feed: FeedConfig) -> list[Candidate]:
        """Best first; of two versions of a paper the newer stands for both, of two announcements the earlier."""
        found = self._entered.get(feed.slug, [])
        if self._repeated:
            by_age = sorted(found, key=lambda one: (one.version, -one.number, -one.position))
            found = list({one.paper_id: one for one in by_age}.values())
        return sorted(found)

    def paper(self, key: Key) -> Paper:
        """One of the papers."""
        return self._papers[key]


def choose(
    candidates: Candidates, feeds: Sequence[FeedConfig], *, batch: int | None = None, before: Before | None = None
) -> dict[Key, list[Place]]:
    """Who takes which paper; the feeds in their order, which matters only to those that name others in `seen`.

    With the number of a `batch`, papers of that batch only, if they are among the best of the whole day. What the
    feeds took before stays taken, and ranks go on after it.
    """
    before = before or Before()
    named = {slug for feed in feeds for slug in feed.seen}
    seen: dict[str, set[str]] = {slug: _all_taken(before, slug) for slug in named}
    chosen: dict[Key, list[Place]] = {}
    for feed in feeds:
        earlier = before.taken.get(feed.slug, ())
        others = set().union(*(seen[slug] for slug in feed.seen if slug != feed.slug))
        best = [one for one in _best(candidates, feed, others) if batch is None or one.number == batch]
        new = [one for one in best if one.paper_id not in earlier]
        for nth, one in enumerate(new, start=1):
            chosen.setdefault(one.key, []).append(Place(feed, len(earlier) + nth, nth))
        if feed.slug in named:
            seen[feed.slug].update(one.paper_id for one in new)
    return chosen


def _all_taken(before: Before, slug: str) -> set[str]:
    return {*before.taken.get(slug, ()), *before.elsewhere.get(slug, ())}


def _best(candidates: Candidates, feed: FeedConfig, left_out: Collection[str]) -> list[Candidate]:
    """From the best down, whatever the feed's caps let in."""
    if _only_the_best_count(feed):
        return candidates.of(feed)[: feed.max_papers]
    caps = _Caps(feed)
    best: list[Candidate] = []
    for candidate in candidates.of(feed):
        if len(best) >= feed.max_papers:
            break
        if candidate.paper_id not in left_out and caps.admit(candidates.paper(candidate.key)):
            best.append(candidate)
    return best


def _only_the_best_count(feed: FeedConfig) -> bool:
    return feed.max_per_category is None and feed.max_per_author is None and not feed.seen


class _Caps:
    """How many papers of a category, and by an author, a feed still takes."""

    def __init__(self, feed: FeedConfig) -> None:
        self._per_category = feed.max_per_category
        self._per_author = feed.max_per_author
        self._categories: Counter[str] = Counter()
        self._authors: Counter[str] = Counter()

    def admit(self, paper: Paper) -> bool:
        """Whether there is room for the paper; then it takes it."""
        category = paper.categories[:1] if self._per_category is not None else ()
        authors = {name_of(author) for author in paper.authors} if self._per_author is not None else set()
        if any(self._categories[one] >= (self._per_category or 0) for one in category):
            return False
        if any(self._authors[one] >= (self._per_author or 0) for one in authors):
            return False
        self._categories.update(category)
        self._authors.update(authors)
        return True


@lru_cache(maxsize=16_384)
def name_of(author: str) -> str:
    """A name without what differs from paper to paper: case, accents, points and hyphens."""
    letters = unicodedata.normalize("NFKD", author).casefold()
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in bare).split()) or author
