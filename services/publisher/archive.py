"""What was announced on past days, for those who hold it against feeds once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg
from pydantic import TypeAdapter

from services.publisher.library import paper_of
from services.publisher.postgres import Database
from shared.messages import Kind, Match, Paper, PaperAnnounced

_MATCHES = TypeAdapter(tuple[Match, ...])

SEARCHES = "arxiv-search"
BACKFILLED = "backfill"

EXTENT = """
SELECT min(date) AS first, max(date) AS last FROM batches
WHERE closed AND papers > 0 AND batch !~ '^(backfill|fill):'
"""

EXTENT_OF_ALL = "SELECT min(date) AS first, max(date) AS last FROM announcements"

BATCHES = """
SELECT batch, source, date, closed, papers, scored + dead_papers AS accounted FROM batch_accounts
WHERE date BETWEEN $1 AND $2 AND batch !~ '^(backfill|fill):' ORDER BY date, batch
"""

COLUMNS = """
SELECT a.batch, a.version AS announced_version, a.date, a.kind, a.position, a.matches,
  p.id AS paper_id, p.version, p.title, p.authors, p.abstract, p.categories, p.doi, p.journal_ref, p.comment,
  p.license, p.source, p.url
FROM announcements a JOIN papers p ON p.id = a.paper_id
"""

OF_BATCHES = f"{COLUMNS} WHERE a.batch = ANY ($1::text[]) ORDER BY a.batch, a.position, a.paper_id, a.version"

OF_BACKFILLS = f"""
{COLUMNS} WHERE a.date BETWEEN $1 AND $2 AND a.batch LIKE 'backfill:%' ORDER BY a.date, a.paper_id, a.version
"""

PAPERS = """
SELECT id AS paper_id, version, title, authors, abstract, categories, doi, journal_ref, comment, license, source, url
FROM papers WHERE id = ANY ($1::text[])
"""

APPEARANCES = """
SELECT date, batch, kind FROM announcements WHERE paper_id = $1 ORDER BY batch LIKE 'backfill:%', date, batch
"""

TAKEN = "SELECT paper_id FROM entries WHERE feed = $1"

ANSWERED = "SELECT paper_id, version, style, language FROM summaries WHERE paper_id = ANY ($1::text[])"


@dataclass(frozen=True, slots=True)
class ArchivedBatch:
    """An announcement as it is kept."""

    batch: str
    source: str
    date: date
    closed: bool
    papers: int
    """How many it held, by its closing; 0 before."""
    missing: int
    """How many of them are neither archived nor given up."""
    announced: tuple[PaperAnnounced, ...]
    """In their order. A paper that has a newer version since has the text of the newest: only that is kept."""
    newest: dict[str, Paper]
    """By id: the papers as they are archived, with their newest version."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """When and how a paper was announced; `backfill:…` is no announcement."""

    date: date
    batch: str
    kind: Kind

    @property
    def backfilled(self) -> bool:
        """Whether the paper was ordered, not announced."""
        return self.batch.startswith(f"{BACKFILLED}:")


class Archive:
    """Reads over past announcements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def extent(self) -> tuple[date, date] | None:
        """The first and the last day with papers: of announcements, else of backfills; None when there is none."""
        for statement in (EXTENT, EXTENT_OF_ALL):
            (row,) = await self._rows(statement)
            if row["first"] is not None:
                return row["first"], row["last"]
        return None

    async def announced(self, first: date, last: date) -> list[ArchivedBatch]:
        """The announcements from one day to another, both included."""
        accounts = await self._rows(BATCHES, first, last)
        rows: dict[str, list[asyncpg.Record]] = {account["batch"]: [] for account in accounts}
        for row in await self._rows(OF_BATCHES, list(rows)):
            rows[row["batch"]].append(row)
        return [_batch(account, rows[account["batch"]]) for account in accounts]

    async def backfilled(self, first: date, last: date) -> list[ArchivedBatch]:
        """What backfills brought of these days, each paper once: a batch for each day."""
        days: dict[date, dict[str, asyncpg.Record]] = {}
        for row in await self._rows(OF_BACKFILLS, first, last):
            days.setdefault(row["date"], {})[row["paper_id"]] = row
        return [_of_day(day, list(rows.values())) for day, rows in days.items()]

    async def appearances(self, paper_id: str) -> list[Appearance]:
        """Every announcement of a paper, the first one first, then the backfills that brought it."""
        rows = await self._rows(APPEARANCES, paper_id)
        return [Appearance(row["date"], row["batch"], row["kind"]) for row in rows]

    async def papers(self, ids: Iterable[str]) -> dict[str, Paper]:
        """Those of these papers that are archived, by id."""
        rows = await self._rows(PAPERS, sorted(set(ids)))
        return {row["paper_id"]: paper_of(row) for row in rows}

    async def taken(self, feed: str) -> frozenset[str]:
        """The ids of the papers in a feed, visible or waiting."""
        return frozenset(row["paper_id"] for row in await self._rows(TAKEN, feed))

    async def answered(self, papers: Iterable[str]) -> set[tuple[str, int, str, str]]:
        """The summary requests about these papers that were answered: (id, version, style, language)."""
        rows = await self._rows(ANSWERED, sorted(set(papers)))
        return {(row["paper_id"], row["version"], row["style"], row["language"]) for row in rows}

    async def _rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        async with self._database.connection() as db:
            return await db.fetch(statement, *arguments)


def _batch(account: asyncpg.Record, rows: Sequence[asyncpg.Record]) -> ArchivedBatch:
    source = account["source"]
    announced = [_announced(row) for row in rows]
    if source == SEARCHES:  # what a search found is looked at by feeds with that search only
        announced = [one for one in announced if one.found_by]
    missing = max(0, account["papers"] - account["accounted"])
    newest = {row["paper_id"]: paper_of(row) for row in rows}
    known = (account["batch"], source, account["date"], account["closed"], account["papers"], missing)
    return ArchivedBatch(*known, tuple(announced), newest)


def _of_day(day: date, rows: Sequence[asyncpg.Record]) -> ArchivedBatch:
    announced = tuple(_announced(row).model_copy(update={"position": place}) for place, row in enumerate(rows))
    newest = {row["paper_id"]: paper_of(row) for row in rows}
    return ArchivedBatch(f"{BACKFILLED}:{day}", BACKFILLED, day, True, len(rows), 0, announced, newest)


def _announced(row: Any) -> PaperAnnounced:
    return PaperAnnounced(
        paper=paper_of(row).model_copy(update={"version": row["announced_version"]}),
        batch=row["batch"],
        date=row["date"],
        kind=row["kind"],
        position=row["position"],
        found_by=_searches(_MATCHES.validate_json(row["matches"])),
    )


def _searches(matches: Iterable[Match]) -> tuple[str, ...]:
    """The searches that found the paper, as far as a feed took it for that."""
    reasons = (reason for match in matches for reason in match.reasons if reason.field == "search")
    return tuple(dict.fromkeys(reason.term for reason in reasons))
