"""How selective each term of a feed is: how often it is found, and what the feed would be without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.scorer.days import Judged, Outcome
from services.scorer.probing import DECIMALS, Asked, Make, Probe, Role, looks_at
from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig
from shared.messages import Match, Paper, PaperAnnounced, Reason


@dataclass(frozen=True, slots=True)
class TermCount:
    """One term over many papers. All numbers are papers."""

    term: str
    role: Role
    group: int | None
    """Of `any`: the number of its group, from 0."""
    weight: float
    found: int
    share: float
    """Of the papers that the feed looks at, 0 to 1, rounded to 4 places."""
    title: int
    """Found in the title."""
    decides: int
    """Papers that match only thanks to it; of an exclusion those that match but for it."""
    taken: int
    """Papers that the feed took, found among other terms or alone."""


@dataclass(frozen=True, slots=True)
class Selectivity:
    """A feed's terms over the papers that it looks at."""

    feed: str
    announced: int
    looked_at: int
    matched: int
    taken: int
    terms: tuple[TermCount, ...]
    """The most frequent first, exclusions last; equal ones in the order of the configuration."""


@dataclass(frozen=True, slots=True)
class Held:
    """A paper that the feed looks at, and what it made of it."""

    paper: Paper
    match: Match | None
    found: Mapping[int, Reason]
    """By the number of the term."""
    free: bool
    """Whether it would match if the feed had no exclusions."""


def selectivity(feed: FeedConfig, outcome: Outcome, make: Make = Scorer) -> Selectivity:
    """The counts over all papers of these announcements, each paper once."""
    probe = Probe(feed)
    announced = {paper.paper.id: paper for one in outcome.judged for paper in one.announcement.announced}
    held = _held(feed, probe, [paper for paper in announced.values() if looks_at(paper, feed)], outcome.judged, make)
    taken = frozenset(one.scored.paper.id for one in outcome.taken(feed.slug))
    counts = [_count(number, one, probe.asked, held, taken, feed) for number, one in enumerate(probe.asked)]
    return Selectivity(
        feed=feed.slug,
        announced=len(announced),
        looked_at=len(held),
        matched=sum(one.match is not None for one in held),
        taken=len(taken),
        terms=tuple(sorted(counts, key=lambda one: (one.role == "exclude", -one.found))),
    )


def _held(
    feed: FeedConfig, probe: Probe, papers: Sequence[PaperAnnounced], judged: Iterable[Judged], make: Make
) -> list[Held]:
    scored = [paper for one in judged for paper in one.scored]
    matches = {paper.paper.id: match for paper in scored for match in paper.matches if match.feed == feed.slug}
    free = make([replace(feed, exclude=())]) if feed.exclude else None
    found = probe.find(paper.paper for paper in papers)
    return [
        Held(one.paper, matches.get(one.paper.id), terms, bool(free and free.score(one).matches))
        for one, terms in zip(papers, found, strict=True)
    ]


def _count(
    number: int, one: Asked, asked: Sequence[Asked], held: Sequence[Held], taken: frozenset[str], feed: FeedConfig
) -> TermCount:
    has = [paper for paper in held if number in paper.found]
    return TermCount(
        term=one.term.text,
        role=one.role,
        group=one.group,
        weight=0.0 if one.role == "exclude" else one.term.weight,
        found=len(has),
        share=round(len(has) / len(held), 4) if held else 0.0,
        title=sum(paper.found[number].field == "title" for paper in has),
        decides=sum(_decides(number, asked, paper, feed.min_score) for paper in has),
        taken=sum(paper.paper.id in taken for paper in has),
    )


def _decides(number: int, asked: Sequence[Asked], paper: Held, min_score: float) -> bool:
    one = asked[number]
    if one.role == "exclude":
        return paper.free and sum(asked[other].role == "exclude" for other in paper.found) == 1
    if paper.match is None:
        return False
    group = [other for other in paper.found if asked[other].role == "any" and asked[other].group == one.group]
    if one.role == "require" or (one.role == "any" and len(group) == 1):
        return True
    rest = round(paper.match.score - paper.found[number].weight, DECIMALS)
    return rest <= 0 or rest < min_score
