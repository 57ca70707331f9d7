"""What a paper is worth to each feed, and why.

A term that is found adds its weight, once, however often it stands in the paper; one found in the title adds half
as much again (1.5 weights in all, also when the term is looked for in titles only). An author who is found adds
the weight. A feed's score is the sum. A paper that the feed's search found is taken whatever its score; the search
adds 1. With `match = "arxiv_rss_bot"` terms are substrings of the title and the
abstract's first line and count by the same rule, so a keyword written twice counts twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import fsum
from typing import NamedTuple

from services.scorer.matching import ABSTRACT, AUTHORS, TITLE, Found, SubstringMatcher, WordMatcher
from shared.feeds import ARXIV, FeedConfig, Term
from shared.messages import Kind, Match, Paper, PaperAnnounced, PaperScored, Place, Reason

TITLE_FACTOR = 1.5
SEARCH_WEIGHT = 1.0
DECIMALS = 6  # enough for any weight a person writes, and 0.1 * 1.5 is 0.15
BIT: dict[Place, int] = {"title": TITLE, "abstract": ABSTRACT, "authors": AUTHORS}
EXCLUDES = -1


class Asker(NamedTuple):
    """A term of a feed."""

    feed: int
    term: int
    """Its number in the feed, or `EXCLUDES`."""
    places: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A feed, ready to judge."""

    config: FeedConfig
    terms: tuple[Term, ...]
    categories: frozenset[str]
    announce: frozenset[Kind]
    sources: frozenset[str]
    reasons: dict[tuple[int, Place], Reason] = field(default_factory=dict)

    @classmethod
    def of(cls, config: FeedConfig) -> Plan:
        """The plan for a feed."""
        terms = (*config.keywords, *config.authors)
        return cls(config, terms, frozenset(config.categories), frozenset(config.announce), frozenset(config.sources))

    def wants(self, kind: Kind, source: str, categories: frozenset[str]) -> bool:
        """Whether the feed looks at such papers at all. Categories are arXiv's: they choose among its papers only."""
        if kind not in self.announce or source not in self.sources:
            return False
        return source != ARXIV or not self.categories or not self.categories.isdisjoint(categories)

    def match(self, found: dict[int, int]) -> Match | None:
        """The feed's judgement, given the places where each of its terms was found."""
        if EXCLUDES in found:
            return None
        reasons = {term: self._reason(term, places) for term, places in found.items()}
        # fsum, because a sum must not depend on the order of the terms
        score = round(fsum(reason.weight for reason in reasons.values()), DECIMALS)
        if score < self.config.min_score:
            return None
        order = sorted(reasons, key=lambda term: (-reasons[term].weight, term))
        return Match(feed=self.config.slug, score=score, reasons=tuple(reasons[term] for term in order))

    def match_by_search(self, found: dict[int, int]) -> Match | None:
        """The judgement on a paper that the feed's search found; the terms add to it."""
        if EXCLUDES in found:
            return None
        reasons = [self._reason(term, places) for term, places in sorted(found.items())]
        reasons.append(Reason(term=self.config.search, field="search", weight=SEARCH_WEIGHT))
        score = round(fsum(reason.weight for reason in reasons), DECIMALS)
        return Match(feed=self.config.slug, score=score, reasons=tuple(sorted(reasons, key=lambda r: -r.weight)))

    def _reason(self, number: int, places: int) -> Reason:
        place: Place = "title" if places & TITLE else "abstract" if places & ABSTRACT else "authors"
        known = self.reasons.get((number, place))
        if known is None:
            term = self.terms[number]
            points = round(term.weight * (TITLE_FACTOR if place == "title" else 1.0), DECIMALS)
            known = self.reasons[number, place] = Reason(term=term.text, field=place, weight=points)
        return known


class Scorer:
    """All feeds, compiled once; then a paper costs what it matches, not how many feeds there are."""

    def __init__(self, feeds: Sequence[FeedConfig]) -> None:
        self._plans = tuple(map(Plan.of, feeds))
        self._categories = frozenset(
            category for plan in self._plans if ARXIV in plan.sources for category in plan.categories
        )
        self._words = WordMatcher[Asker]()
        self._substrings = SubstringMatcher[Asker]()
        for number, plan in enumerate(self._plans):
            for term, asker in _askers(number, plan):
                self._add(plan, term, asker)
        self._words.compile()
        self._substrings.compile()

    def _add(self, plan: Plan, term: Term, asker: Asker) -> None:
        if plan.config.match == "arxiv_rss_bot":
            self._substrings.add_term(term.text, asker)
            return
        if asker.places & (TITLE | ABSTRACT):
            self._words.add_term(term.text, asker._replace(places=asker.places & ~AUTHORS))
        if asker.places & AUTHORS:
            full = asker.term >= len(plan.config.keywords)
            add = self._words.add_name if full else self._words.add_name_part
            add(term.text, asker._replace(places=AUTHORS))

    def matches(self, paper: Paper, kind: Kind) -> tuple[Match, ...]:
        """The feeds that the paper matches, in the order of the configuration."""
        by_feed = self._found(paper)
        if not by_feed:
            return ()
        categories = with_archives(paper.categories)
        plans = ((self._plans[feed], by_feed[feed]) for feed in sorted(by_feed))
        judged = (plan.match(found) for plan, found in plans if plan.wants(kind, paper.source, categories))
        return tuple(match for match in judged if match is not None)

    def matches_by_search(self, paper: Paper, searches: Collection[str]) -> tuple[Match, ...]:
        """The feeds with one of these searches, but for those that the announcement itself gives the paper."""
        by_feed = self._found(paper)
        categories = with_archives(paper.categories)
        announced = not self._categories.isdisjoint(categories)
        matches = []
        for number, plan in enumerate(self._plans):
            found = by_feed.get(number, {})
            if plan.config.search not in searches:
                continue
            if not (announced and found and plan.wants("new", ARXIV, categories) and plan.match(found)):
                matches.append(plan.match_by_search(found))
        return tuple(match for match in matches if match is not None)

    def _found(self, paper: Paper) -> dict[int, dict[int, int]]:
        """Where each term of each feed was found."""
        by_feed: dict[int, dict[int, int]] = {}
        _collect(self._words.find(paper), by_feed)
        _collect(self._substrings.find(paper), by_feed)
        return by_feed

    def score(self, announced: PaperAnnounced) -> PaperScored:
        """The paper with its matches."""
        paper, searches = announced.paper, announced.found_by
        return PaperScored(
            paper=paper,
            batch=announced.batch,
            date=announced.date,
            kind=announced.kind,
            position=announced.position,
            matches=self.matches_by_search(paper, searches) if searches else self.matches(paper, announced.kind),
            found_by=searches,
        )


def _askers(number: int, plan: Plan) -> Iterable[tuple[Term, Asker]]:
    for index, term in enumerate(plan.terms):
        yield term, Asker(number, index, _bits(term))
    for term in plan.config.exclude:
        yield term, Asker(number, EXCLUDES, _bits(term))


def _bits(term: Term) -> int:
    return sum(BIT[place] for place in term.places)


def _collect(found: Found[Asker], by_feed: dict[int, dict[int, int]]) -> None:
    for askers, places in found:
        for feed, term, wanted in askers:
            here = places & wanted
            if here:
                terms = by_feed.setdefault(feed, {})
                terms[term] = terms.get(term, 0) | here


@lru_cache(maxsize=4096)
def with_archives(categories: tuple[str, ...]) -> frozenset[str]:
    """`cs.LG` is also in `cs`, for feeds that take a whole archive."""
    return frozenset(part for category in categories for part in (category, category.partition(".")[0]))
