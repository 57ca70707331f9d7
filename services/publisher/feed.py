"""What the publisher shows, as values: a feed is a value before it is a format.

Pure: no clock, no database, no bus. `store.py` makes these from rows; `formats/` and the page render them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.messages import Kind, Paper, Reason, StructuredSummary, SummarySource

ARXIV_DAY = ZoneInfo("America/New_York")
LAST_RANK = 1_000  # ranks beyond it share the announcement's own second


def publication_time(day: date, rank: int) -> datetime:
    """When an entry of that announcement counts as published: rank 1 newest, every rank its own second.

    Readers sort by date, so distinct seconds keep the ranking. The base is midnight US Eastern, arXiv's own
    publication date, hence the same for every replica and every replay.
    """
    midnight = datetime.combine(day, time(), ARXIV_DAY).astimezone(UTC)
    return midnight + timedelta(seconds=max(0, LAST_RANK - rank))


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary as shown, with its honesty: who made it."""

    text: StructuredSummary
    made_by: Literal["model", "extraction"]
    model: str | None
    language: str
    source: SummarySource = "abstract"
    """What the model read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper in a feed. Identity is (feed, paper id without version), for ever."""

    feed: str
    paper: Paper
    date: date
    kind: Kind
    rank: int
    candidates: int
    """How many papers the announcement held: "rank 3 of 412"."""
    score: float
    reasons: tuple[Reason, ...]
    published: datetime
    updated: datetime
    summary: Summary | None
    no_summary: str | None
    """Why there is no summary, in words for readers; None also while it is still expected or was never asked for."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A named feed with the entries to show, newest first."""

    slug: str
    title: str
    description: str
    language: str
    public_url: str
    """The site's absolute address without a trailing slash; all links are below it."""
    entries: tuple[Entry, ...]

    @property
    def updated(self) -> datetime:
        """The newest change of any entry; the epoch for an empty feed, so that its bytes stay the same."""
        return max((entry.updated for entry in self.entries), default=datetime(1970, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """An announcement's accounts. Complete when announced = scored + dead and selected = published + dead.

    `selected`, `published` and `waiting` count entries (paper and feed); `announced`, `scored` and `summarised`
    count papers.
    """

    batch: str
    source: str
    date: date
    reason: str | None
    announced: int
    scored: int
    selected: int
    published: int
    waiting: int
    summarised: int
    dead_papers: int
    dead_entries: int

    @property
    def complete(self) -> bool:
        """Whether every paper of it is accounted for."""
        scored = self.announced == self.scored + self.dead_papers
        return scored and self.selected == self.published + self.dead_entries


@dataclass(frozen=True, slots=True)
class Day:
    """One announcement day of a feed (or of all feeds, `slug` None), for the page."""

    slug: str | None
    date: dt.date
    entries: tuple[Entry, ...]
    """In rank order; over all feeds each paper once, under its best rank."""
    batch: BatchStatus | None
    earlier: dt.date | None
    later: dt.date | None
