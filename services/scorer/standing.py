"""Where a paper stands among those of its day: its rank, who is before it, and what it would have needed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from services.scorer.days import Judged, Outcome, Taken, choose
from services.scorer.probing import DECIMALS
from shared.feeds import FeedConfig
from shared.messages import Match, Paper, PaperScored

Limit = Literal["max_papers", "max_per_category", "max_per_author", "seen"]

UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True)
class Needed:
    """A score that would have been enough."""

    score: float
    enough: bool
    """Whether reaching it is enough; else it has to be passed, for others with this score come first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A paper's place in what a feed takes of an announcement, its supplements until then among it."""

    rank: int | None
    """Under which the feed took it; None when it did not."""
    place: int | None
    """Its place among all papers that match, best first; None when it does not match."""
    matched: int
    """How many papers match."""
    taken: int
    """How many of them the feed took."""
    last: float | None
    """The score of the last one that was taken."""
    kept_out_by: Limit | None
    """The limit but for which it would have been taken."""
    seen_in: tuple[str, ...]
    """The feeds of `seen` that took it."""
    needed: Needed | None
    """The score with which it would have been taken; None when it was, and when no score would have been enough."""


def standing(
    judged: Sequence[Judged], batch: str, paper: Paper, feed: FeedConfig, feeds: Sequence[FeedConfig]
) -> Standing:
    """The paper's standing in this batch; `judged` is all of one day, `feeds` are the feed and those in its `seen`."""
    day = _until(judged, batch)
    mine = _picks(day[-1:], feed.slug).get(paper.id)
    taken = _best_first(_picks(day, feed.slug))
    everybody = _best_first(_picks(_again(day, feed, feeds, tuple(RELAXED)), feed.slug))
    ids = [one.scored.paper.id for one in everybody]
    limit = _limit(day, paper, feed, feeds) if paper.id in ids and not mine else None
    return Standing(
        rank=mine.pick.rank if mine else None,
        place=ids.index(paper.id) + 1 if paper.id in ids else None,
        matched=len(everybody),
        taken=len(taken),
        last=taken[: feed.max_papers][-1].pick.score if taken else None,
        kept_out_by=limit,
        seen_in=_seen_in(judged, paper.id, feed) if limit == "seen" else (),
        needed=None if mine else _needed(day, paper, feed, feeds),
    )


def _until(judged: Sequence[Judged], batch: str) -> list[Judged]:
    """The batches of the same announcement up to this one: a supplement is judged against the whole day."""
    one = next(one for one in judged if one.announcement.batch == batch)
    source = one.announcement.source
    same = [other for other in judged if other.announcement.source == source]
    return same[: same.index(one) + 1]


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


def _picks(judged: Iterable[Judged], slug: str) -> dict[str, Taken]:
    """What the feed took of these batches, by id."""
    return {one.scored.paper.id: one for one in Outcome(judged).taken(slug)}


def _best_first(picks: Mapping[str, Taken]) -> list[Taken]:
    return sorted(picks.values(), key=lambda one: (-one.pick.score, one.pick.rank))


def _limit(day: Sequence[Judged], paper: Paper, feed: FeedConfig, feeds: Sequence[FeedConfig]) -> Limit | None:
    """The last limit that had to be lifted for it."""
    lifted: list[Limit] = []
    for limit in RELAXED:
        lifted.append(limit)
        if paper.id in _picks(_again(day, feed, feeds, lifted)[-1:], feed.slug):
            return limit
    return None


def _seen_in(judged: Sequence[Judged], paper_id: str, feed: FeedConfig) -> tuple[str, ...]:
    return tuple(slug for slug in feed.seen if paper_id in _picks(judged, slug))


def _needed(day: Sequence[Judged], paper: Paper, feed: FeedConfig, feeds: Sequence[FeedConfig]) -> Needed | None:
    """The least of all, by trying; None when no score would have been enough."""
    scores = sorted({feed.min_score, *(one.pick.score for one in Outcome(day).taken(feed.slug))})
    steps = [Needed(score, enough) for score in scores if score >= feed.min_score for enough in (True, False)]
    place = bisect_left(steps, True, key=lambda step: _gets_in(step, day, paper, feed, feeds))
    return steps[place] if place < len(steps) else None


def _gets_in(step: Needed, day: Sequence[Judged], paper: Paper, feed: FeedConfig, feeds: Sequence[FeedConfig]) -> bool:
    """Whether the feed would take the paper with this score."""
    match = Match(feed=feed.slug, score=step.score if step.enough else step.score + 10**-DECIMALS)
    *before, last = day
    scored = tuple(_with(match, one) if one.paper == paper else one for one in last.scored)
    judged = choose([*((one.announcement, one.scored) for one in before), (last.announcement, scored)], feeds)
    return paper.id in _picks(judged[-1:], feed.slug)


def _with(match: Match, scored: PaperScored) -> PaperScored:
    others = tuple(one for one in scored.matches if one.feed != match.feed)
    return scored.model_copy(update={"matches": (*others, match)})
