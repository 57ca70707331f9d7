"""What the publisher reads: one function per question that a page, a feed or an operator asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg
from pydantic import TypeAdapter

from services.publisher import accounts
from services.publisher.feed import LAST_RANK, BatchStatus, Entry, Summary, publication_time
from services.publisher.postgres import Database
from shared.messages import AnnouncementChecked, Paper, Reason, StructuredSummary

_REASONS = TypeAdapter(tuple[Reason, ...])
_TEXTS = TypeAdapter(tuple[str, ...])

VERSION = "SELECT version, at FROM changes"

SHOWN = "SELECT e.*, (SELECT p.url FROM papers p WHERE p.id = e.paper_id) AS url FROM shown_entries e"

LATEST = f"""
{SHOWN} WHERE feed = $1
ORDER BY date DESC, rank, paper_id LIMIT $2
"""

# A paper that several feeds took counts once: where it appeared first, then under its best rank.
LATEST_OF_ALL = f"""
{SHOWN}
WHERE feed = ANY ($1::text[]) AND NOT EXISTS (
  SELECT FROM entries b WHERE b.paper_id = e.paper_id AND b.visible AND b.feed = ANY ($1::text[])
    AND (b.date, b.rank, b.feed) < (e.date, e.rank, e.feed))
ORDER BY date DESC, rank, feed, paper_id LIMIT $2
"""

OF_DAY = f"""
{SHOWN}
WHERE feed = ANY ($1::text[]) AND date = $2 AND NOT EXISTS (
  SELECT FROM entries b WHERE b.paper_id = e.paper_id AND b.visible AND b.feed = ANY ($1::text[])
    AND (b.date, b.rank, b.feed) < (e.date, e.rank, e.feed))
ORDER BY rank, feed, paper_id
"""

DAYS = """
SELECT
  (SELECT max(date) FROM entries WHERE visible AND feed = ANY ($1::text[])) AS newest,
  (SELECT max(date) FROM entries WHERE visible AND feed = ANY ($1::text[]) AND date < $2) AS earlier,
  (SELECT min(date) FROM entries WHERE visible AND feed = ANY ($1::text[]) AND date > $2) AS later
"""

PAPER = """
SELECT version, id AS paper_id, title, authors, abstract, categories, doi, journal_ref, comment, license, source, url
FROM papers WHERE id = $1
"""

OF_PAPER = f"{SHOWN} WHERE paper_id = $1 ORDER BY date, rank, feed"

UNTOLD = f"{SHOWN} WHERE NOT told ORDER BY date, feed, rank, paper_id LIMIT $1"

COUNTS = """
SELECT
  (SELECT count(*) FROM entries WHERE NOT visible) AS waiting,
  (SELECT count(*) FROM dead_letters) AS dead_letters
"""


@dataclass(frozen=True, slots=True)
class Version:
    """The state of the database: everything up to the change of that number."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Days:
    """Announcement days that have papers, around one of them."""

    newest: date | None
    earlier: date | None
    later: date | None


@dataclass(frozen=True, slots=True)
class Untold:
    """An entry that the world has not been told about, and the batch that it came with."""

    entry: Entry
    batch: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals over everything."""

    waiting: int
    dead_letters: int


class Library:
    """The publisher's reads. An entry that is not visible yet is in none of them but the accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> Version:
        """The newest change. Read it before what it is about: content is then at least as new as its version."""
        row = await self._row(VERSION)
        assert row is not None
        return Version(row["version"], row["at"])

    async def latest(self, feed: str, limit: int) -> tuple[Entry, ...]:
        """A feed's newest entries."""
        return await self._entries(LATEST, feed, limit)

    async def latest_of_all(self, feeds: Sequence[str], limit: int) -> tuple[Entry, ...]:
        """The newest entries over several feeds, each paper once."""
        return await self._entries(LATEST_OF_ALL, list(feeds), limit)

    async def of_day(self, feeds: Sequence[str], day: date) -> tuple[Entry, ...]:
        """One announcement day over one or several feeds, each paper once."""
        return await self._entries(OF_DAY, list(feeds), day)

    async def days(self, feeds: Sequence[str], around: date) -> Days:
        """Which days of these feeds have papers: the newest, and those before and after one."""
        row = await self._row(DAYS, list(feeds), around)
        assert row is not None
        return Days(row["newest"], row["earlier"], row["later"])

    async def paper(self, paper_id: str) -> Paper | None:
        """A paper that was announced, whether or not a feed took it."""
        row = await self._row(PAPER, paper_id)
        return None if row is None else paper_of(row)

    async def of_paper(self, paper_id: str) -> tuple[Entry, ...]:
        """Where a paper appeared, first appearance first."""
        return await self._entries(OF_PAPER, paper_id)

    async def untold(self, limit: int) -> tuple[Untold, ...]:
        """Visible entries whose `papers.published` is not known to be in the stream."""
        return tuple(Untold(_entry(row), row["batch"]) for row in await self._rows(UNTOLD, limit))

    async def counts(self) -> Counts:
        """How many entries wait, and how many messages were given up."""
        row = await self._row(COUNTS)
        assert row is not None
        return Counts(row["waiting"], row["dead_letters"])

    async def statuses(self, days: int) -> tuple[BatchStatus, ...]:
        """The accounts of the announcements of the newest days, newest first."""
        rows = await self._rows(accounts.STATUSES, days)
        return tuple(accounts.status(row) for row in rows)

    async def checks(self, days: int) -> tuple[AnnouncementChecked, ...]:
        """What is known of the completeness of the newest announcement days, newest first."""
        return tuple(accounts.check(row) for row in await self._rows(accounts.CHECKS, days))

    async def status_of(self, day: date) -> BatchStatus | None:
        """The account of a day's announcement."""
        row = await self._row(accounts.STATUS_OF_DAY, day)
        return None if row is None else accounts.status(row)

    async def _entries(self, statement: str, *arguments: object) -> tuple[Entry, ...]:
        return tuple(_entry(row) for row in await self._rows(statement, *arguments))

    async def _rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        async with self._database.connection() as db:
            return await db.fetch(statement, *arguments)

    async def _row(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        async with self._database.connection() as db:
            return await db.fetchrow(statement, *arguments)


def paper_of(row: asyncpg.Record) -> Paper:
    """The paper in a row of `papers`, or of a view that shows them; its id stands under `paper_id`."""
    return Paper(
        id=row["paper_id"],
        version=row["version"],
        title=row["title"],
        authors=_TEXTS.validate_json(row["authors"]),
        abstract=row["abstract"],
        categories=_TEXTS.validate_json(row["categories"]),
        doi=row["doi"],
        journal_ref=row["journal_ref"],
        comment=row["comment"],
        license=row["license"],
        source=row["source"],
        url=row["url"],
    )


def _entry(row: asyncpg.Record) -> Entry:
    published = publication_time(row["date"], row["rank"])
    revised: date | None = row["revised"]
    summary = _summary(row)
    return Entry(
        feed=row["feed"],
        paper=paper_of(row),
        date=row["date"],
        kind=row["kind"],
        rank=row["rank"],
        candidates=row["candidates"],
        score=row["score"],
        reasons=_REASONS.validate_json(row["reasons"]),
        published=published,
        updated=max(published, publication_time(revised, LAST_RANK)) if revised else published,
        summary=summary,
        no_summary=None if summary else row["reason"],
    )


def _summary(row: Any) -> Summary | None:
    if row["summary"] is None:
        return None
    text = StructuredSummary.model_validate_json(row["summary"])
    return Summary(text, row["made_by"] or "extraction", row["model"], row["language"], row["summary_source"])
