"""Feeds held against papers: what each takes, as rows that a table and JSON are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cli.feeds_marks import marked
from cli.feeds_papers import Papers
from services.scorer.days import Judged, Taken, judge, taken_by, with_seen
from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig

Row = dict[str, Any]


def trial(papers: Papers, feed: FeedConfig, feeds: Sequence[FeedConfig]) -> list[Judged]:
    """What the feed takes of the papers; `feeds` are all of its file, of which it may see what they take."""
    members = with_seen(feed, feeds)
    return judge(papers.of(feed), members, Scorer(members))


def trials(papers: Papers, feeds: Sequence[FeedConfig]) -> dict[str, list[Judged]]:
    """The same for all feeds of a file, by slug."""
    by_mode = {feed.match: feed for feed in feeds}
    scorer = Scorer(feeds)
    judged = {mode: judge(papers.of(feed), feeds, scorer) for mode, feed in by_mode.items()}
    return {feed.slug: judged[feed.match] for feed in feeds}


def rows(judged: Iterable[Judged], feed: FeedConfig, limit: int | None = None) -> list[Row]:
    """What the feed took, by day and rank; of each day no more than `limit`."""
    days: dict[str, list[Row]] = {}
    for taken in taken_by(judged, feed.slug):
        days.setdefault(taken.scored.date.isoformat(), []).append(_row(taken, feed))
    return [row for day in days.values() for row in day[:limit]]


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


def held(judged: Iterable[Judged]) -> int:
    """How many papers were looked at: over several days each once."""
    return len({paper.paper.id for one in judged for paper in one.scored})
