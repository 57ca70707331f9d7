"""The papers that feeds are tried on: those of recorded documents, or those of past days in the archive."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from cli.feeds_file import Trouble, count
from services.fetcher.sources import forms
from services.fetcher.sources.document import UnusableDocument
from services.fetcher.sources.forms import Reading
from services.scorer.days import Announcement
from services.scorer.probing import Make
from services.scorer.scoring import Scorer
from shared.errors import Unavailable
from shared.feeds import FeedConfig
from shared.messages import Paper, PaperAnnounced

if TYPE_CHECKING:
    from services.publisher.archive import Archive, ArchivedBatch

T = TypeVar("T")

MOST_TOLD = 5
TRIED = "try"
"""The batch of recorded documents."""
UNDATED = date(1970, 1, 1)
NO_ARCHIVE = (
    "{what} needs the archive, which is the publisher's Postgres: set DATABASE_URL (or --database-url), "
    "for example to postgresql://paperwire@localhost/paperwire"
)


@dataclass(frozen=True, slots=True)
class Papers:
    """What feeds are tried on."""

    documents: tuple[Reading, ...] = ()
    archived: tuple[Announcement, ...] = ()
    source: str | None = None
    """Whose the documents' papers are; else they say it themselves."""
    make: Make = Scorer
    """How the feeds that are tried on them are compiled."""
    _merged: dict[bool, list[Announcement]] = field(default_factory=dict)

    def of(self, feed: FeedConfig) -> list[Announcement]:
        """The announcements as this feed sees them.

        Of a paper in several documents of a day the first counts; unless match = "arxiv_rss_bot", `new` in any of
        them makes it new.
        """
        if not self.documents:
            return list(self.archived)
        any_new = feed.match == "words"
        if any_new not in self._merged:
            self._merged[any_new] = merge(self.documents, any_new=any_new, source=self.source)
        return self._merged[any_new]

    @property
    def by_id(self) -> dict[str, Paper]:
        """Every paper by its id, in its newest version."""
        documented = {paper.id: paper for document in self.documents for paper, _ in document.items}
        return documented | papers_in(self.archived)


def tell_searches(papers: Papers, feeds: Sequence[FeedConfig]) -> None:
    """Only arXiv can answer `search`; recorded documents do not hold what it finds."""
    if slugs := [feed.slug for feed in feeds if feed.search and papers.documents]:
        more = f" and {len(slugs) - MOST_TOLD} more" if len(slugs) > MOST_TOLD else ""
        typer.echo(
            f"recorded documents do not have what a search finds: {', '.join(slugs[:MOST_TOLD])}{more}", err=True
        )


# ---- recorded documents


def recorded(files: Iterable[Path], source: str | None = None) -> Papers:
    """The papers in the documents; `Trouble` when one cannot be used. What was left out is told."""
    return Papers(documents=tuple(map(_reading, files)), source=source)


def _reading(file: Path) -> Reading:
    try:
        reading = forms.read(file.read_bytes())
    except OSError as error:
        raise Trouble(f"{file}: cannot be read: {error.strerror}") from None
    except UnusableDocument as error:
        raise Trouble(f"{file}: is no announcement: {error}") from None
    for reason in reading.rejected:
        typer.echo(f"{file}: left out: {reason}", err=True)
    return reading


def merge(documents: Iterable[Reading], *, any_new: bool, source: str | None = None) -> list[Announcement]:
    """Announcements by day, and one of everything that was not announced; every paper once, at its first place."""
    days: dict[date | None, dict[str, PaperAnnounced]] = {}
    for document in documents:
        announced = document.form in (forms.RSS, forms.ATOM)
        for (paper, kind), dates in zip(document.items, document.dates, strict=True):
            told = _day(next(iter(dates.values()), UNDATED))
            day = days.setdefault(told if announced else None, {})
            known = day.get(paper.id)
            if known is None:
                paper = paper.model_copy(update={"source": source}) if source else paper
                day[paper.id] = PaperAnnounced(paper=paper, batch=TRIED, date=told, kind=kind, position=len(day))
            elif any_new and kind == "new":
                day[paper.id] = known.model_copy(update={"kind": kind})
    return [_announcement(tuple(papers.values())) for papers in days.values()]


def _day(told: date) -> date:
    """Some forms tell the moment."""
    return told.date() if isinstance(told, datetime) else told


def _announcement(papers: tuple[PaperAnnounced, ...]) -> Announcement:
    newest = max(paper.date for paper in papers)
    batch = f"{TRIED}:{newest}"
    announced = tuple(paper.model_copy(update={"date": newest, "batch": batch}) for paper in papers)
    return Announcement(batch, TRIED, newest, len(papers), announced)


# ---- the archive


def database_of(given: str | None) -> str | None:
    """The address of the publisher's Postgres, if anybody has said it."""
    url = given or os.environ.get("DATABASE_URL") or ""
    if not url and (file := os.environ.get("DATABASE_URL_FILE")):
        url = Path(file).read_text(encoding="utf-8").strip()
    if url and not url.startswith(("postgres://", "postgresql://")):
        raise Trouble("DATABASE_URL: must start with postgresql://")
    return url or None


def database_url(given: str | None, what: str) -> str:
    """The same; `what` needs it."""
    url = database_of(given)
    if url is None:
        raise Trouble(NO_ARCHIVE.format(what=what))
    return url


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Archive]:
    """The archive; `Trouble` when it does not answer."""
    try:
        from services.publisher.archive import Archive
        from services.publisher.postgres import Database
    except ModuleNotFoundError as error:
        raise Trouble(f"the archive needs {error.name}: install paperwire[publisher]") from None
    try:
        async with Database(url) as database:
            yield Archive(database)
    except Unavailable as error:
        raise Trouble(f"DATABASE_URL: {error}") from None


def asked(url: str, question: Callable[[Archive], Awaitable[T]]) -> T:
    """The archive's answer."""

    async def ask() -> T:
        async with opened(url) as archive:
            return await question(archive)

    return asyncio.run(ask())


async def period(archive: Archive, days: int) -> tuple[date, date]:
    """The first and last of the newest days in the archive; as many as there are, and told when they are fewer."""
    first, last = await extent(archive)
    wanted = last - timedelta(days=days - 1)
    if wanted < first:
        typer.echo(f"the archive begins on {first}: {count((last - first).days + 1, 'day')}, not {days}", err=True)
    return max(first, wanted), last


async def extent(archive: Archive) -> tuple[date, date]:
    """The archive's first and last day."""
    found = await archive.extent()
    if found is None:
        raise Trouble("the archive is empty: no announcement has been read yet; `paperwire status` says why")
    return found


async def announced(archive: Archive, first: date, last: date) -> Papers:
    """The announcements of these days; where there was none, what backfills brought of them."""
    batches = [batch for batch in await archive.announced(first, last) if batch.announced]
    batches = batches or await archive.backfilled(first, last)
    if not batches:
        begins, ends = await extent(archive)
        days = str(first) if first == last else f"{first} to {last}"
        raise Trouble(f"the archive has no papers of {days}; it reaches from {begins} to {ends}")
    return Papers(archived=tuple(map(announcement, batches)))


def announcement(batch: ArchivedBatch) -> Announcement:
    """The batch as the scorer knows it; one that is still being read holds what has come so far."""
    papers = batch.papers if batch.closed else len(batch.announced)
    return Announcement(batch.batch, batch.source, batch.date, papers, batch.announced)


def papers_in(announcements: Sequence[Announcement]) -> dict[str, Paper]:
    """Every paper by its id, in its newest version."""
    found: dict[str, Paper] = {}
    for one in announcements:
        for announced in one.announced:
            known = found.get(announced.paper.id)
            if known is None or known.version < announced.paper.version:
                found[announced.paper.id] = announced.paper
    return found
