"""A feed's terms taken singly: which of them stand in a paper, where, and what each would add."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from services.scorer.scoring import Scorer
from shared.feeds import ARXIV, FeedConfig, Term
from shared.messages import Paper, PaperAnnounced, Reason

Role = Literal["keyword", "author", "require", "any", "exclude"]

Make = Callable[[Sequence[FeedConfig]], Scorer]
"""How feeds are compiled: `Scorer`, or one that knows which papers they like."""
DECIMALS = 6
"""To which scores are rounded."""
NOTHING: dict[str, object] = {
    "keywords": (),
    "authors": (),
    "require": (),
    "any_of": (),
    "exclude": (),
    "like": (),
    "search": "",
    "seen": (),
    "categories": (),
    "sources": (ARXIV,),
    "announce": ("new",),
}
"""What makes a feed look at every paper and want nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A term of a feed, and what it is there for."""

    term: Term
    role: Role
    group: int | None = None
    """Of `any`: the number of its group, from 0."""


def asked(feed: FeedConfig) -> list[Asked]:
    """Every term of the feed, in the order of the configuration's keys, exclusions last."""
    groups = [Asked(term, "any", number) for number, group in enumerate(feed.any_of) for term in group]
    return [
        *(Asked(term, "keyword") for term in feed.keywords),
        *(Asked(term, "author") for term in feed.authors),
        *(Asked(term, "require") for term in feed.require),
        *groups,
        *(Asked(term, "exclude") for term in feed.exclude),
    ]


def looks_at(announced: PaperAnnounced, feed: FeedConfig) -> bool:
    """Whether the feed judges such papers at all: by search, kind, source and category."""
    paper = announced.paper
    if announced.found_by:
        return feed.search in announced.found_by
    if announced.kind not in feed.announce or paper.source not in feed.sources:
        return False
    return paper.source != ARXIV or not feed.categories or bool(categories_of(feed, paper))


def categories_of(feed: FeedConfig, paper: Paper) -> list[str]:
    """Those of the feed's categories that the paper is in; `cs` has all of `cs.LG`."""
    there = {*paper.categories, *(category.partition(".")[0] for category in paper.categories)}
    return [category for category in feed.categories if category in there]


class Probe:
    """Each term as a feed of its own, so that the rules of finding stand in one place only."""

    def __init__(self, feed: FeedConfig) -> None:
        self.asked = asked(feed)
        self.feeds = [_alone(feed, one, number) for number, one in enumerate(self.asked)]
        self._scorer = Scorer(self.feeds)

    def find(self, papers: Iterable[Paper]) -> list[dict[int, Reason]]:
        """For each paper the terms that it has, by their number in `asked`, as reasons with points."""
        return [self._found(paper) for paper in papers]

    def _found(self, paper: Paper) -> dict[int, Reason]:
        matches = self._scorer.matches(paper.model_copy(update={"source": ARXIV}), "new")
        return {int(match.feed): match.reasons[0] for match in matches if match.reasons}


def _alone(feed: FeedConfig, one: Asked, number: int) -> FeedConfig:
    key = "authors" if one.role == "author" else "keywords"
    alone: dict[str, object] = {**NOTHING, key: (one.term,), "min_score": one.term.weight / 2}
    return replace(feed, slug=str(number), **alone)  # type: ignore[arg-type]


def open_to_all(feed: FeedConfig, source: str, kinds: Sequence[str]) -> FeedConfig:
    """The feed without anything that keeps a paper out: what it makes of a paper then is its whole score."""
    conditions = (*feed.require, *(term for group in feed.any_of for term in group))
    changes: dict[str, object] = {"require": (), "any_of": (), "exclude": (), "seen": (), "categories": ()}
    changes |= {"keywords": (*feed.keywords, *conditions), "sources": (source,), "announce": tuple(kinds)}
    return replace(feed, min_score=0.0, **changes)  # type: ignore[arg-type]
