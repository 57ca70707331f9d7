"""Feeds held against papers: what each takes, as rows that a table and JSON are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from cli.feeds_papers import Papers
from services.scorer.days import Outcome, Taken, judge, with_seen
from services.scorer.marking import marked
from shared.feeds import FeedConfig

Row = dict[str, Any]


def trial(papers: Papers, feed: FeedConfig, feeds: Sequence[FeedConfig]) -> Outcome:
    """What the feed takes of the papers; `feeds` are all of its file, of which it may see what they take."""
    members = with_seen(feed, feeds)
    return Outcome(judge(papers.of(feed), members, papers.make(members)))


def trials(papers: Papers, feeds: Sequence[FeedConfig]) -> dict[str, Outcome]:
    """The same for all feeds of a file, by slug."""
    by_mode = {feed.match: feed for feed in feeds}
    scorer = papers.make(feeds)
    outcomes = {mode: Outcome(judge(papers.of(feed), feeds, scorer)) for mode, feed in by_mode.items()}
    return {feed.slug: outcomes[feed.match] for feed in feeds}


def rows(outcome: Outcome, feed: FeedConfig, limit: int | None = None) -> list[Row]:
    """What the feed took, by day and rank; of each day no more than `limit`."""
    days: dict[date, list[Taken]] = {}
    for taken in outcome.taken(feed.slug):
        days.setdefault(taken.scored.date, []).append(taken)
    return [_row(taken, feed) for day in days.values() for taken in day[:limit]]


def _row(taken: Taken, feed: FeedConfig) -> Row:
    paper = taken.scored.paper
    return {
        "rank": taken.pick.rank,
        "id": paper.id,
        "version": paper.version,
        "title": paper.title,
        "kind": taken.scored.kind,
        "date": taken.scored.date.isoformat(),
        "score": taken.pick.score,
        "reasons": [reason.model_dump() for reason in marked(paper, feed, taken.pick.reasons)],
    }
