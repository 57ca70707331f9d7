"""The sources beside arXiv: each is asked in its own loop, under the same lease and with a memory of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import Counter, Gauge

from services.fetcher import core, polled, sources
from services.fetcher.core import Cursor, Plan
from services.fetcher.cursor import Ledger, Overtaken
from services.fetcher.download import Document, Downloader
from services.fetcher.lease import Lease, stopping
from services.fetcher.sources import Source
from services.fetcher.sources.arxiv_rss import Announcement
from services.fetcher.sources.document import MAX_DOCUMENT, UnusableDocument
from shared import feeds
from shared.bus import Bus
from shared.feeds import FeedsFile, SourceConfig
from shared.metrics import Metrics

log = logging.getLogger(__name__)

PUBLISHED, SAME = "published", core.SAME.reason
REJECTIONS_SHOWN = 5


def configuration(feeds_file: Path) -> FeedsFile:
    """The file as it is now; `FeedsError` also for sources of an unknown type or with wrong options."""
    found = feeds.load(feeds_file)
    if problems := sources.problems(found.sources):
        raise feeds.FeedsError(problems)
    return found


class Sources:
    """Runs a loop for every source of the configuration, also for those that are written into it later."""

    def __init__(self, feeds_file: Path, interval: float, loop_of: Callable[[str], Callable[[], Awaitable[None]]]):
        self._feeds_file = feeds_file
        self._interval = interval
        self._loop_of = loop_of
        self._running: dict[str, asyncio.Task[None]] = {}

    def wanted(self, name: str) -> bool:
        """Whether it is configured; when the file cannot be read, its loop goes on and tells so."""
        try:
            return name in feeds.load(self._feeds_file).source_names
        except feeds.FeedsError:
            return True

    async def run(self) -> None:
        """Start what is not running, again and again."""
        async with asyncio.TaskGroup() as group:
            while not stopping():
                for name in self._missing():
                    self._running[name] = group.create_task(self._loop(name), name=f"source {name}")
                await asyncio.sleep(self._interval)

    def _missing(self) -> list[str]:
        try:
            names = configuration(self._feeds_file).source_names
        except feeds.FeedsError as error:
            log.warning("sources stay as they are", extra={"detail": str(error)})
            return []
        return [name for name in names if name not in self._running or self._running[name].done()]

    async def _loop(self, name: str) -> None:
        await self._loop_of(name)()


class Polled:
    """What a replica does about one source while it holds the lease; the counterpart of `Fetching` for arXiv."""

    def __init__(
        self, name: str, feeds_file: Path, bus: Bus, lease: Lease, downloader: Downloader, measures: SourceMeasures
    ) -> None:
        self._name = name
        self._feeds_file = feeds_file
        self._bus = bus
        self._lease = lease
        self._downloader = downloader
        self._measures = measures

    async def look(self, ledger: Ledger) -> str:
        """Ask for what may be new, and publish what is."""
        config = self._config()
        source = sources.load(config.type)
        today = datetime.now(UTC).date()
        published = False
        for url in source.requests(sources.options(config), *polled.window(ledger.cursor.day, today)):
            published |= await self._answer(ledger, config, source, url)
        if source.BY_DAY:  # other feeds may show a post for years, and it must not become new again
            await ledger.prune(today)
        return PUBLISHED if published else SAME

    async def recover(self, ledger: Ledger) -> None:
        """Finish the batch that was begun and not closed: same pages, same ids, same messages."""
        plan = ledger.open
        if plan is None:
            return
        log.info("finishing a batch that was begun", extra={"batch": plan.batch})
        documents = await ledger.documents(plan)
        config = self._config()
        try:
            if not documents:
                raise UnusableDocument("it is no longer stored")
            announcement = _read(sources.load(config.type), config, documents, plan.content_type)
            if len(core.announced(announcement, plan)) < len(plan.kinds):
                raise UnusableDocument("it lacks papers of the plan: a replica without the lease has put its own")
        except (UnusableDocument, ValueError) as error:
            # Nothing is lost: its papers do not count as announced, so the next look decides about them anew.
            log.error("a batch cannot be finished", extra={"batch": plan.batch, "detail": str(error)})  # noqa: TRY400
            await ledger.drop()
            return
        await self._publish(ledger, plan, announcement)

    async def check(self, ledger: Ledger, failure: str | None = None) -> None:
        """Only arXiv lists what it has announced."""
        del ledger, failure

    def _config(self) -> SourceConfig:
        found = {source.name: source for source in configuration(self._feeds_file).sources}
        if self._name not in found:
            raise feeds.FeedsError([f"{self._feeds_file}: the source {self._name} is no longer there"])
        return found[self._name]

    async def _answer(self, ledger: Ledger, config: SourceConfig, source: Source, url: str) -> bool:
        """One answer with all its pages; whether anything in it was new."""
        pages = await self._pages(source, url, ledger.cursor)
        if not pages:
            return False
        bodies, content_type = [page.body for page in pages], pages[0].content_type
        announcement = _read(source, config, bodies, content_type)
        self._report(announcement.rejected)
        today = datetime.now(UTC).date()
        decision = polled.decide(
            announcement, name=self._name, cursor=ledger.cursor, history=ledger.history, today=today
        )
        if decision is None:
            return False
        if not self._lease.held:
            raise Overtaken(f"the lease was lost while {self._name} was being asked")
        plan = _noted(decision, url, pages)
        await ledger.begin(plan, *bodies)
        await self._publish(ledger, plan, announcement)
        return True

    async def _pages(self, source: Source, url: str, cursor: Cursor) -> list[Document]:
        """All pages; none when the first is still the one that the cursor knows."""
        pages: list[Document] = []
        address: str | None = url
        while address:
            self._measures.requests.inc()
            page = await self._downloader.get(address, cursor if not pages else Cursor())
            if page is None:
                return []
            pages.append(page)
            if sum(len(page.body) for page in pages) > MAX_DOCUMENT:
                raise UnusableDocument(f"the pages of {self._name} are larger than {MAX_DOCUMENT} bytes together")
            address = source.following(address, page.body)
        return pages

    async def _publish(self, ledger: Ledger, plan: Plan, announcement: Announcement) -> None:
        """As for arXiv: the batch is closed when all papers are in the stream, remembered when it is closed."""
        events = core.announced(announcement, plan)
        sequences = await self._bus.publish(*events) if events else []
        closed = core.closed(plan, len(events), sequences)
        await self._bus.publish(closed.model_copy(update={"source": self._name}))
        await ledger.finish(plan)
        self._measures.papers.inc(len(events))
        log.info("batch closed", extra={"batch": plan.batch, "papers": len(events)})

    def _report(self, rejected: Sequence[str]) -> None:
        if rejected:
            extra = {"source": self._name, "count": len(rejected), "first": list(rejected[:REJECTIONS_SHOWN])}
            log.warning("items could not be read", extra=extra)


def _read(source: Source, config: SourceConfig, bodies: Sequence[bytes], content_type: str | None) -> Announcement:
    pages = [source.parse(body, content_type=content_type) for body in bodies]
    return polled.named(polled.joined(pages), config, global_ids=source.GLOBAL_IDS)


def _noted(plan: Plan, url: str, pages: Sequence[Document]) -> Plan:
    """The plan, with what the next conditional request needs; the first of several pages says nothing of the rest."""
    update: dict[str, object] = {"content_type": pages[0].content_type}
    if len(pages) == 1:
        validators = {"url": url, "etag": pages[0].etag, "last_modified": pages[0].last_modified}
        update["after"] = plan.after.model_copy(update=validators)
    return plan.model_copy(update=update)


# ---- what is measured


class Series:
    """The Prometheus series of the other sources, by their configured names."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self.requests = Counter(
            "paperwire_source_requests", "Requests to a source beside arXiv.", ("source",), registry=registry
        )
        self.papers = Counter(
            "paperwire_source_papers", "Papers announced from a source beside arXiv.", ("source",), registry=registry
        )
        self.failures = Counter(
            "paperwire_source_failures", "Looks that failed, by reason.", ("source", "reason"), registry=registry
        )
        self.success = Gauge(
            "paperwire_source_last_success_timestamp_seconds",
            "When a source beside arXiv last gave a usable answer.",
            ("source",),
            registry=registry,
        )


class SourceMeasures:
    """One source's part of them, with the names that `Watch` knows."""

    def __init__(self, series: Series, name: str) -> None:
        self._series = series
        self._name = name
        self.requests = series.requests.labels(name)
        self.papers = series.papers.labels(name)

    def failed(self, reason: str) -> None:
        """A look came to nothing."""
        self._series.failures.labels(self._name, reason).inc()

    def newest_is(self, day: object) -> None:
        """A blog may be silent for months: that is no sign of trouble."""

    def succeeded(self, now: datetime, *, stale: bool) -> None:
        """The source gave a usable answer."""
        del stale
        self._series.success.labels(self._name).set(now.timestamp())
