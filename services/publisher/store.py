"""What the publisher writes: every message becomes rows, the same rows in whatever order messages come.

Each function is one transaction, committed when it returns. Rows are written in key order and `changes` last,
so that two publishers never wait for each other in a circle. Messages may come twice, late, or in any order: a
row is only replaced by one that ranks higher by what the messages themselves say (version, date, batch), never
by which came first. Only a licence is put together from all messages about a version: some sources tell none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from services.publisher import sql
from services.publisher.letters import Letter
from services.publisher.postgres import Database
from shared.messages import (
    AnnouncementChecked,
    BatchClosed,
    CategoryCheck,
    Match,
    Message,
    Paper,
    PaperScored,
    PaperSelected,
    Pick,
    Reason,
    SummaryCompleted,
    SummaryKind,
)

if TYPE_CHECKING:
    from services.publisher.postgres import Connection

M = TypeVar("M", bound=Message)
T = TypeVar("T")

_CATEGORIES = TypeAdapter(tuple[CategoryCheck, ...])
_MATCHES = TypeAdapter(tuple[Match, ...])
_REASONS = TypeAdapter(tuple[Reason, ...])
_TEXTS = TypeAdapter(tuple[str, ...])

# Batches of which no account is kept: papers that were ordered, not announced, and feeds filled from the archive.
UNACCOUNTED = ("backfill", "fill")
GIVEN_UP, NONE, EXTRACTION, MODEL = range(4)  # summaries.quality


def without_nul(event: M) -> M:
    """The message without NUL characters, which Postgres does not store."""
    if "\\u0000" not in event.model_dump_json():
        return event
    return type(event).model_validate(_stripped(event.model_dump()))


def _stripped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {_stripped(key): _stripped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_stripped(item) for item in value]
    return value


def wire(kind: SummaryKind) -> str:
    """`structured/en`: a summary's kind in `entries.waits_for`."""
    return f"{kind.style}/{kind.language}"


class Store:
    """The publisher's writes."""

    def __init__(self, database: Database, *, entry_deadline: float) -> None:
        self._database = database
        self._entry_deadline = entry_deadline

    async def scored(self, events: Iterable[PaperScored]) -> None:
        """Papers and their announcements."""
        clean = [without_nul(event) for event in events]
        seen = _best(clean, key=lambda e: (e.paper.id, e.paper.version, e.batch))
        papers = _best(clean, key=lambda e: e.paper.id, rank=lambda e: (e.paper.version, e.date, e.batch))
        licenses = _licenses(clean)
        async with self._database.transaction() as db:
            done = await _open_batches(db, clean)
            done += await _insert(db, sql.ANNOUNCEMENTS, [_announcement_row(event) for event in seen])
            done += await _insert(db, sql.PAPERS, [_paper_row(event, licenses) for event in papers])
            await _changed(db, done)

    async def selected(self, events: Iterable[PaperSelected]) -> None:
        """Entries. The earliest announcement that took a paper counts; its deadline starts when it is first seen."""
        clean = sorted(map(without_nul, events), key=lambda e: (e.date, e.batch, e.version))
        picks = [(event, pick) for event in clean for pick in event.picks]
        first = _best(picks, key=lambda item: (item[0].paper_id, item[1].feed))
        async with self._database.transaction() as db:
            done = await _open_batches(db, clean)
            rows = [_entry_row(event, pick) for event, pick in first]
            done += await _insert(db, sql.ENTRIES, rows, self._entry_deadline)
            await _changed(db, done)

    async def summarised(self, events: Iterable[SummaryCompleted]) -> None:
        """Answers to summary requests; a better one (model, extraction, none) replaces a worse one."""
        rows = [_summary_row(without_nul(event)) for event in events]
        best = _best(rows, key=lambda row: row[:4], rank=lambda row: row[4])
        async with self._database.transaction() as db:
            await _changed(db, await _insert(db, sql.SUMMARIES, best))

    async def closed(self, events: Iterable[BatchClosed]) -> None:
        """Batches, as their source closed them."""
        clean = _best(map(without_nul, events), key=lambda e: e.batch, rank=lambda e: e.papers)
        async with self._database.transaction() as db:
            rows = [(e.batch, e.source, e.date, e.papers, e.reason) for e in clean]
            await _changed(db, await _insert(db, sql.CLOSED_BATCHES, rows))

    async def checked(self, events: Iterable[AnnouncementChecked]) -> None:
        """What is known of the completeness of announcement days; the highest check of a day counts."""
        clean = _best(map(without_nul, events), key=lambda e: (e.source, e.date), rank=lambda e: e.check)
        async with self._database.transaction() as db:
            await _changed(db, await _insert(db, sql.CHECKS, [_check_row(event) for event in clean]))

    async def dead(self, letter: Letter) -> None:
        """A message given up; when it was about a summary, nobody waits for that any longer."""
        async with self._database.transaction() as db:
            done = _count(await db.execute(sql.DEAD_LETTER, *letter.row))
            rest = (GIVEN_UP, None, None, None, None, letter.summary_reason, "abstract", 0, 0, None)
            done += await _insert(db, sql.SUMMARIES, sorted({(*summary, *rest) for summary in letter.summaries}))
            await _changed(db, done)

    async def reveal(self, paper_ids: Iterable[str]) -> dict[str, int]:
        """Make those entries visible that wait for nothing more; how many, by feed.

        Runs after the commit that may have completed them: whichever of two transactions commits last sees both.
        """
        ids = sorted({_stripped(paper_id) for paper_id in paper_ids})
        return await self._reveal(sql.REVEAL, ids) if ids else {}

    async def reveal_due(self) -> dict[str, int]:
        """Make those entries visible whose deadline has passed."""
        return await self._reveal(sql.REVEAL_DUE)

    async def told(self, keys: Iterable[tuple[str, str]]) -> None:
        """Note that `papers.published` is in the stream for these (paper id, feed)."""
        ordered = sorted(keys)
        async with self._database.connection() as db:
            await db.execute(sql.TOLD, [key[0] for key in ordered], [key[1] for key in ordered])

    async def _reveal(self, statement: str, *arguments: object) -> dict[str, int]:
        async with self._database.connection() as db:
            rows = await db.fetch(statement, *arguments)
        return {row["feed"]: row["entries"] for row in rows}


def _best(items: Iterable[T], *, key: Callable[[T], Any], rank: Callable[[T], Any] = lambda _: 0) -> list[T]:
    """One item per key, the highest ranking (the first of equals), in key order."""
    best: dict[Any, T] = {}
    for item in items:
        known = best.get(key(item))
        if known is None or rank(item) > rank(known):
            best[key(item)] = item
    return [best[name] for name in sorted(best)]


async def _insert(db: Connection, statement: str, rows: Sequence[Sequence[Any]], *more: object) -> int:
    """Send rows as one array per column; how many the table took."""
    if not rows:
        return 0
    return _count(await db.execute(statement, *(list(column) for column in zip(*rows, strict=True)), *more))


async def _open_batches(db: Connection, events: Iterable[PaperScored | PaperSelected]) -> int:
    """Make the batches known that messages mention, before they are closed."""
    sources = [(event.batch, event.batch.partition(":")[0], event.date) for event in events]
    batches = [row for row in sources if row[1] not in UNACCOUNTED]
    return await _insert(db, sql.OPEN_BATCHES, _best(batches, key=lambda batch: batch[0]))


async def _changed(db: Connection, rows: int) -> None:
    if rows:
        await db.execute(sql.CHANGED)


def _count(status: str) -> int:
    """Rows from a command status: `INSERT 0 5`."""
    return int(status.rpartition(" ")[2])


def _announcement_row(event: PaperScored) -> tuple[Any, ...]:
    matches = _MATCHES.dump_json(event.matches).decode()
    return (event.batch, event.paper.id, event.paper.version, event.date, event.kind, event.position, matches)


def _licenses(events: Iterable[PaperScored]) -> dict[tuple[str, int], str]:
    """The greatest that is told of each version of a paper, as in `sql.PAPERS`."""
    found: dict[tuple[str, int], str] = {}
    for paper in (event.paper for event in events):
        if paper.license is not None:
            key = (paper.id, paper.version)
            found[key] = max(paper.license, found.get(key, paper.license))
    return found


def _paper_row(event: PaperScored, licenses: Mapping[tuple[str, int], str]) -> tuple[Any, ...]:
    paper: Paper = event.paper
    authors, categories = (_TEXTS.dump_json(texts).decode() for texts in (paper.authors, paper.categories))
    license_of_version = licenses.get((paper.id, paper.version))
    return (
        *(paper.id, paper.version, event.date, event.batch, paper.title, authors, paper.abstract, categories),
        *(paper.doi, paper.journal_ref, paper.comment, license_of_version, paper.source, paper.url),
    )


def _check_row(event: AnnouncementChecked) -> tuple[Any, ...]:
    categories = _CATEGORIES.dump_json(event.categories).decode()
    return (event.source, event.date, event.check, event.complete, event.reason, categories)


def _entry_row(event: PaperSelected, pick: Pick) -> tuple[Any, ...]:
    reasons = _REASONS.dump_json(pick.reasons).decode()
    waits_for = _TEXTS.dump_json(tuple(wire(kind) for kind in pick.waits_for)).decode()
    return (
        *(event.paper_id, pick.feed, event.version, event.batch, event.date, event.kind),
        *(pick.rank, pick.candidates, pick.score, reasons, waits_for),
    )


def _summary_row(event: SummaryCompleted) -> tuple[Any, ...]:
    quality = NONE if event.summary is None else MODEL if event.made_by == "model" else EXTRACTION
    summary = event.summary.model_dump_json() if event.summary else None
    return (
        *(event.paper_id, event.version, event.style, event.language, quality, summary, event.made_by),
        *(event.model, event.prompt_version, event.reason, event.source),
        *(event.prompt_tokens, event.completion_tokens, event.cost),
    )
