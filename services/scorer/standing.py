"""Where a paper stands among those of its day: its rank, who is before it, and what it would have needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from services.scorer.days import Judged, Taken, choose
from shared.feeds import FeedConfig
from shared.messages import Paper

Limit = Literal["max_papers", "max_per_category", "max_per_author", "seen"]

UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A paper's place in what a feed takes of an announcement."""

    rank: int | None
    """Under which the feed took it; None when it did not."""
    place: int | None
    """Its place among all papers that match, best first; None when it does not match."""
    matched: int
    """How many papers of the announcement match."""
    taken: int
    """How many of them the feed took."""
    last: float | None
    """The score of the last one that was taken."""
    kept_out_by: Limit | None
    """The limit but for which it would have been taken."""
    seen_in: tuple[str, ...]
    """The feeds of `seen` that took it."""
    needed: float | None
    """The score that it had to reach, or where a limit kept it out to pass; None when it is in, or none would do."""


def standing(
    judged: Sequence[Judged], batch: str, paper: Paper, feed: FeedConfig, feeds: Sequence[FeedConfig]
) -> Standing:
    """The paper's standing in this batch; `judged` is the whole day, `feeds` are the feed and those in its `seen`."""
    here = _picks(judged, batch, feed.slug)
    taken = sorted(here.values(), key=lambda one: one.pick.rank)
    mine = here.get(paper.id)
    everybody = _picks(_again(judged, feed, feeds, tuple(RELAXED)), batch, feed.slug)
    place = everybody.get(paper.id)
    limit = _limit(judged, batch, paper, feed, feeds) if place and not mine else None
    return Standing(
        rank=mine.pick.rank if mine else None,
        place=_place(everybody, paper.id) if place else None,
        matched=len(everybody),
        taken=len(taken),
        last=taken[-1].pick.score if taken else None,
        kept_out_by=limit,
        seen_in=_seen_in(judged, batch, paper.id, feed) if limit == "seen" else (),
        needed=None if mine else _needed(limit, taken, paper, feed),
    )


RELAXED: dict[Limit, dict[str, object]] = {
    "seen": {"seen": ()},
    "max_per_category": {"max_per_category": None},
    "max_per_author": {"max_per_author": None},
    "max_papers": {"max_papers": UNLIMITED},
}
"""The limits, in the order in which they are lifted one after the other."""


def _again(
    judged: Sequence[Judged], feed: FeedConfig, feeds: Sequence[FeedConfig], without: Sequence[Limit]
) -> list[Judged]:
    """The choice once more, without some limits of the feed."""
    changes: dict[str, object] = {}
    for limit in without:
        changes |= RELAXED[limit]
    free = replace(feed, **changes)  # type: ignore[arg-type]
    others = [free if one.slug == feed.slug else one for one in feeds]
    return choose([(one.announcement, one.scored) for one in judged], others)


def _picks(judged: Sequence[Judged], batch: str, slug: str) -> dict[str, Taken]:
    """What the feed took of the batch, by id."""
    one = next((one for one in judged if one.announcement.batch == batch), None)
    if one is None:
        return {}
    scored = one.by_version
    return {
        selected.paper_id: Taken(scored[selected.paper_id, selected.version], pick)
        for selected in one.selection.selected
        for pick in selected.picks
        if pick.feed == slug
    }


def _place(picks: dict[str, Taken], paper_id: str) -> int:
    ranks = sorted(one.pick.rank for one in picks.values())
    return ranks.index(picks[paper_id].pick.rank) + 1


def _limit(
    judged: Sequence[Judged], batch: str, paper: Paper, feed: FeedConfig, feeds: Sequence[FeedConfig]
) -> Limit | None:
    """The last limit that had to be lifted for it."""
    lifted: list[Limit] = []
    for limit in RELAXED:
        lifted.append(limit)
        if paper.id in _picks(_again(judged, feed, feeds, lifted), batch, feed.slug):
            return limit
    return None


def _seen_in(judged: Sequence[Judged], batch: str, paper_id: str, feed: FeedConfig) -> tuple[str, ...]:
    day = next(one.announcement.date for one in judged if one.announcement.batch == batch)
    same = [one.announcement.batch for one in judged if one.announcement.date == day]
    return tuple(slug for slug in feed.seen if any(paper_id in _picks(judged, other, slug) for other in same))


def _needed(limit: Limit | None, taken: Sequence[Taken], paper: Paper, feed: FeedConfig) -> float | None:
    """To match: the minimum; with a limit reached: the score of the worst paper whose place it would have taken."""
    if limit == "seen":
        return None
    rivals = taken
    if limit == "max_per_category":
        rivals = [one for one in taken if one.scored.paper.categories[:1] == paper.categories[:1]]
    elif limit == "max_per_author":
        rivals = [one for one in taken if not set(paper.authors).isdisjoint(one.scored.paper.authors)]
    elif len(taken) < feed.max_papers:
        rivals = []
    return max([feed.min_score, *([min(one.pick.score for one in rivals)] if rivals else [])])
