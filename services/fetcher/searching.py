"""The feeds' searches: once for each announcement day, after its batch is closed, as a batch of their own."""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Sequence
from datetime import date, timedelta

from nats.js.api import ObjectMeta, ObjectMetaOptions
from nats.js.errors import KeyNotFoundError, ObjectNotFoundError
from pydantic import Field

from services.fetcher import core
from services.fetcher.core import Cursor
from services.fetcher.cursor import CHUNK, CURSOR
from services.fetcher.download import FetchFailed
from services.fetcher.lease import AWAY, Lease, stopping
from services.fetcher.lookup import Lookup
from services.fetcher.orders import OrderFailed
from services.fetcher.settings import Settings
from services.fetcher.sources.arxiv_api import Page, UnusableDocument
from shared import feeds
from shared.bus import Bus
from shared.messages import BatchClosed, Paper, PaperAnnounced, Value
from shared.provision import ANNOUNCEMENTS_BUCKET, FETCHER_BUCKET

log = logging.getLogger(__name__)

SOURCE = "arxiv-search"
SEARCHED = "searched"
MOST = 1_000  # results of one search on one day
REMEMBERED = 5_000  # ids of one search: what stood before these never comes among the newest again
RECENT = timedelta(days=7)  # how far a search looks back when it is made for the first time


class Plan(Value):
    """What a day's searches found, written down before it is published; and the memory for the next day's."""

    day: date
    papers: tuple[PaperAnnounced, ...] = ()
    seen: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By search: the ids that it has found so far, the newest first."""


def batch_of(day: date) -> str:
    """`arxiv-search:2025-12-10`, also the name of the plan in the object store."""
    return f"{SOURCE}:{day}"


# ---- what is decided


class Findings:
    """What the searches of one day find that they did not find before."""

    def __init__(self, day: date, before: Plan | None) -> None:
        self._day = day
        self._before = before.seen if before else {}
        self._seen: dict[str, tuple[str, ...]] = {}
        self._papers: dict[str, tuple[Paper, list[str]]] = {}

    def add(self, search: str, page: Page) -> bool:
        """Count a page in; whether the next one may have something new, too."""
        known = self._known(search)
        fresh = [
            item.paper
            for item, dates in zip(page.items, page.dates, strict=True)
            if item.paper.id not in known
            and (search in self._before or core.eastern_day(dates.published) >= self._day - RECENT)
        ]
        for paper in fresh:
            self._papers.setdefault(paper.id, (paper, []))[1].append(search)
        found = self._seen.get(search, ()) + tuple(item.paper.id for item in page.items)
        self._seen[search] = tuple(dict.fromkeys(found))
        return bool(fresh)

    def _known(self, search: str) -> Collection[str]:
        return frozenset(self._seen.get(search, ()) + self._before.get(search, ()))

    def plan(self) -> Plan:
        """The day's batch. A search that could not be made today keeps what it has seen."""
        papers = tuple(
            PaperAnnounced(
                paper=paper,
                batch=batch_of(self._day),
                date=self._day,
                kind="new",
                position=position,
                found_by=tuple(searches),
            )
            for position, (paper, searches) in enumerate(self._papers.values())
        )
        seen = {
            search: tuple(dict.fromkeys(self._seen.get(search, ()) + self._before.get(search, ())))[:REMEMBERED]
            for search in self._seen | self._before
        }
        return Plan(day=self._day, papers=papers, seen=seen)


def closed(plan: Plan, *, first_sequence: int) -> BatchClosed:
    """The batch's last message."""
    return BatchClosed(
        batch=batch_of(plan.day),
        source=SOURCE,
        date=plan.day,
        papers=len(plan.papers),
        first_sequence=first_sequence,
    )


# ---- the work


class Searching:
    """The loop: when a day's batch is closed and its searches were not made yet, make them."""

    def __init__(self, settings: Settings, bus: Bus, lease: Lease, lookup: Lookup) -> None:
        self._settings = settings
        self._bus = bus
        self._lease = lease
        self._lookup = lookup
        self._failures = 0

    async def run(self) -> None:
        """Look again and again while the lease is held. No failure ends it."""
        while not stopping():
            await self._lease.wait()
            delay = await self._round()
            if not stopping():
                await self._lease.lost(delay)

    async def _round(self) -> float:
        try:
            await self.search_if_due()
        except (FetchFailed, UnusableDocument, feeds.FeedsError, *AWAY) as error:
            self._failures += 1
            delay = core.retry_delay(
                self._failures,
                first=self._settings.retry_delay,
                jitter=random.SystemRandom().random(),
                retry_after=error.retry_after if isinstance(error, FetchFailed) else None,
            )
            log.warning("searches failed", extra={"detail": str(error) or repr(error), "again_in": round(delay, 1)})
            return delay
        self._failures = 0
        return self._settings.poll_interval

    async def search_if_due(self) -> None:
        """Make the newest closed day's searches, unless they are made, or there are none."""
        searches = feeds.load(self._settings.feeds_file).searches
        if not searches:
            return
        day, made = await self._cursor_day(), await self._made()
        if day is None or (made is not None and made >= day):
            return
        plan = await self._stored(day)
        if plan is None:
            plan = await self._decide(day, await self._stored(made) if made else None, searches)
            if not self._lease.held:
                return
            await self._store(plan)
        await self._publish(plan)

    async def _decide(self, day: date, before: Plan | None, searches: Sequence[str]) -> Plan:
        findings = Findings(day, before)
        for search in searches:
            try:
                async for page in self._lookup.search(search, most=MOST):
                    if page.rejected:
                        log.warning("entries could not be read", extra={"search": search, "first": page.rejected[:5]})
                    if not findings.add(search, page):
                        break
            except OrderFailed as error:  # one bad search must not cost the others their day
                log.error("a search cannot be made", extra={"search": search, "detail": str(error)})  # noqa: TRY400
        return findings.plan()

    async def _publish(self, plan: Plan) -> None:
        """All of it is repeated after a death half-way: same plan, same messages. An empty day sends none."""
        if plan.papers:
            sequences = await self._bus.publish(*plan.papers)
            await self._bus.publish(closed(plan, first_sequence=min(sequences)))
        kv = await self._bus.key_value(FETCHER_BUCKET)
        await kv.put(SEARCHED, plan.day.isoformat().encode())
        log.info("searches made", extra={"batch": batch_of(plan.day), "papers": len(plan.papers)})

    # ---- what is remembered

    async def _cursor_day(self) -> date | None:
        value = await self._value(CURSOR)
        return Cursor.model_validate_json(value).day if value else None

    async def _made(self) -> date | None:
        value = await self._value(SEARCHED)
        return date.fromisoformat(value.decode()) if value else None

    async def _value(self, key: str) -> bytes | None:
        kv = await self._bus.key_value(FETCHER_BUCKET)
        try:
            return (await kv.get(key)).value
        except KeyNotFoundError:
            return None

    async def _stored(self, day: date) -> Plan | None:
        documents = await self._bus.object_store(ANNOUNCEMENTS_BUCKET)
        try:
            return Plan.model_validate_json((await documents.get(batch_of(day))).data or b"")
        except ObjectNotFoundError:  # not made, or so long ago that it is no longer kept
            return None

    async def _store(self, plan: Plan) -> None:
        documents = await self._bus.object_store(ANNOUNCEMENTS_BUCKET)
        meta = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=CHUNK))
        await documents.put(batch_of(plan.day), plan.model_dump_json().encode(), meta)
