"""What a paper is worth to each feed, and why.

    score = sum of the points of the terms found + like_weight x likeness + 1 if the feed's search found the paper

A term that is found gives its weight, once, however often it stands in the paper; one found in the title gives half
as much again (1.5 weights in all, also when the term is looked for in titles only). An author, a category and a
word of the comment give their weight. A paper that the feed's search found is taken whatever its score.
With `match = "arxiv_rss_bot"` terms are substrings of the title and the abstract's first line and count by the same
rule, so a keyword written twice counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from operator import attrgetter
from typing import Protocol

import numpy as np

from services.scorer.gates import Gates, with_archives
from services.scorer.matching import Finds, Found, Matcher
from services.scorer.plans import DECIMALS, Plan, Seeker, Sought
from services.scorer.rows import Ints, Rows
from services.scorer.sieve import MILLIONTH, Points, Sieve
from shared.feeds import ARXIV, FeedConfig
from shared.messages import Kind, Match, Paper, PaperAnnounced, PaperScored, Reason

SEARCH_WEIGHT = 1.0
AT_ONCE = 64  # papers: enough that numpy has something to do, few enough for the processor's cache


class Profiles(Protocol):
    """How much papers are like those that the feeds name."""

    def likeness(self, papers: Sequence[Paper]) -> Sequence[Mapping[str, float]]:
        """For every paper the feeds (slugs) that it is like enough, and how much: 0 to 1."""
        ...

    def told(self, paper: Paper, slug: str) -> str:
        """What the paper is like, in words for people."""
        ...


class Scorer:
    """All feeds, compiled once; then a paper costs what it matches, not how many feeds there are."""

    def __init__(self, feeds: Sequence[FeedConfig], profiles: Profiles | None = None) -> None:
        self._matcher = Matcher()
        seek = Seeker(self._matcher)
        self._plans = tuple(Plan.of(feed, seek) for feed in feeds)
        self._matcher.compile()
        self._sieve = _sieve(self._plans, self._matcher.meanings)
        self._gates = Gates(feeds)
        self._profiles = profiles
        self._numbers = {feed.slug: number for number, feed in enumerate(feeds)}
        self._read_anyway = frozenset(
            category for feed in feeds if ARXIV in feed.sources for category in feed.categories
        )
        self._by_search: dict[str, list[int]] = {}
        for number, feed in enumerate(feeds):
            self._by_search.setdefault(feed.search, []).append(number)

    def score(self, announced: PaperAnnounced) -> PaperScored:
        """The paper with its matches."""
        return self.score_all([announced])[0]

    def score_all(self, announced: Sequence[PaperAnnounced]) -> list[PaperScored]:
        """The papers with their matches; many at once cost less than one by one."""
        scored: list[PaperScored] = []
        for start in range(0, len(announced), AT_ONCE):
            scored += self._score(announced[start : start + AT_ONCE])
        return scored

    def matches(self, paper: Paper, kind: Kind) -> tuple[Match, ...]:
        """The feeds that the paper matches, in the order of the configuration."""
        return self._matches([paper], [kind], self._matcher.find([paper]))[0]

    def found(self, paper: Paper) -> Found:
        """Which terms of all feeds stand where."""
        return self._matcher.find([paper]).of(0)

    def plan(self, slug: str) -> Plan:
        """How a feed judges; `KeyError` when there is none of that name."""
        return self._plans[self._numbers[slug]]

    def _score(self, announced: Sequence[PaperAnnounced]) -> Iterable[PaperScored]:
        papers = [one.paper for one in announced]
        finds = self._matcher.find(papers)
        matches = self._matches(papers, [one.kind for one in announced], finds)
        for number, one in enumerate(announced):
            if one.found_by:
                matches[number] = tuple(self._matches_by_search(one.paper, one.found_by, finds.of(number)))
            yield PaperScored(
                paper=one.paper,
                batch=one.batch,
                date=one.date,
                kind=one.kind,
                position=one.position,
                matches=matches[number],
                found_by=one.found_by,
            )

    def _matches(self, papers: Sequence[Paper], kinds: Sequence[Kind], finds: Finds) -> list[tuple[Match, ...]]:
        """The feeds that each paper matches: sieved all at once, and those that pass judged one by one."""
        likeness = self._likeness(papers)
        looks = [
            self._gates.looks(kind, paper.source, paper.categories) for kind, paper in zip(kinds, papers, strict=True)
        ]
        passing = self._sieve.passing(finds, looks, [self._like_points(like) for like in likeness])
        matches: list[tuple[Match, ...]] = []
        for number, (paper, feeds) in enumerate(zip(papers, passing, strict=True)):
            found = finds.of(number) if feeds else None
            judged = (self._judged(feed, paper, found, likeness[number], feeds[feed]) for feed in feeds if found)
            matches.append(tuple(match for match in judged if match))
        return matches

    def _likeness(self, papers: Sequence[Paper]) -> Sequence[Mapping[str, float]]:
        return self._profiles.likeness(papers) if self._profiles else [{}] * len(papers)

    def _like_points(self, likeness: Mapping[str, float]) -> dict[int, int]:
        numbers = self._numbers
        return {
            numbers[slug]: round(self._plans[numbers[slug]].config.like_weight * value * MILLIONTH)
            for slug, value in likeness.items()
        }

    def _judged(
        self, number: int, paper: Paper, found: Found, likeness: Mapping[str, float], among: Iterable[int] | None = None
    ) -> Match | None:
        """The feed's exact judgement on a paper that it looks at; `among` as in `Plan.reasons`."""
        plan = self._plans[number]
        reasons = self._reasons(plan, paper, found, likeness, among)
        if reasons is None:
            return None
        match = _match(plan, reasons)
        return match if match.score >= plan.config.min_score else None

    def _reasons(
        self,
        plan: Plan,
        paper: Paper,
        found: Found,
        likeness: Mapping[str, float],
        among: Iterable[int] | None = None,
    ) -> list[Reason] | None:
        """What the paper is worth to the feed; None when the feed's conditions are not met."""
        if not plan.admits(found):
            return None
        reasons = plan.reasons(found, among)
        slug = plan.config.slug
        if self._profiles and slug in likeness:
            points = round(plan.config.like_weight * likeness[slug], DECIMALS)
            reasons.append(Reason(term=self._profiles.told(paper, slug), field="like", weight=points))
        return reasons

    def _matches_by_search(self, paper: Paper, searches: Iterable[str], found: Found) -> Iterable[Match]:
        """The feeds with one of these searches, but for those that the announcement itself gives the paper."""
        numbers = sorted({number for search in searches for number in self._by_search.get(search, ())})
        if not numbers:
            return
        (likeness,) = self._likeness([paper])
        looks = self._gates.looks("new", ARXIV, paper.categories)
        announced = not self._read_anyway.isdisjoint(with_archives(paper.categories))
        for number in numbers:
            plan = self._plans[number]
            reasons = self._reasons(plan, paper, found, likeness)
            if reasons is None or (
                announced and looks[number] and reasons and self._judged(number, paper, found, likeness)
            ):
                continue
            yield _match(plan, [*reasons, Reason(term=plan.config.search, field="search", weight=SEARCH_WEIGHT)])


def _match(plan: Plan, reasons: Sequence[Reason]) -> Match:
    # fsum, because a sum must not depend on the order of the terms
    score = round(fsum([reason.weight for reason in reasons]), DECIMALS)
    by_weight = sorted(reasons, key=attrgetter("weight"), reverse=True)  # equals stay in the order of the terms
    return Match(feed=plan.config.slug, score=score, reasons=tuple(by_weight))


def _sieve(plans: Sequence[Plan], meanings: int) -> Sieve:
    return Sieve(meanings, [round(plan.config.min_score * MILLIONTH) for plan in plans], _points(plans))


def _points(plans: Sequence[Plan]) -> Points:
    """What each meaning gives to each feed. Feeds share their terms, so these are read once and then multiplied."""
    numbers: dict[Sought, int] = {}
    used = np.array([numbers.setdefault(sought, len(numbers)) for plan in plans for sought in plan.sought], np.int64)
    terms = Rows.from_lists([range(len(plan.sought)) for plan in plans])
    meanings = Rows.from_lists([tuple(sought.meanings) for sought in numbers])
    many, rows = meanings.of(used)
    most, least = (_millionths(map(value, numbers)) for value in (attrgetter("most"), attrgetter("term.weight")))
    feeds = np.repeat(np.repeat(np.arange(len(plans)), terms.counts), many)
    return Points(
        rows=np.concatenate((2 * rows, 2 * rows + 1)),
        feeds=np.tile(feeds, 2),
        terms=np.tile(np.repeat(terms.cells, many), 2),
        given=np.concatenate((np.repeat(most[used], many), np.repeat(least[used], many))),
    )


def _millionths(values: Iterable[float]) -> Ints:
    return np.array([round(value * MILLIONTH) for value in values], np.int64)
