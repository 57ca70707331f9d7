"""The publisher: stores what the others say, shows what is complete, and tells the world."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from services.publisher import letters, outbox
from services.publisher.catalogue import Catalogue
from services.publisher.fetcher import FetcherWatch
from services.publisher.gauges import Gauges
from services.publisher.library import Library
from services.publisher.postgres import Database
from services.publisher.settings import Settings
from services.publisher.store import Store
from services.publisher.web import site
from shared.bus import Bus, DeadLetter, Received
from shared.errors import Unavailable
from shared.feeds import FeedsError
from shared.messages import AnnouncementChecked, BatchClosed, PaperScored, PaperSelected, SummaryCompleted
from shared.metrics import Metrics
from shared.service import Service, Web
from shared.settings import stop

log = logging.getLogger(__name__)

NAME = "publisher"
SWEEP_SECONDS = 1.0
OUTBOX_SECONDS = 5.0
ACCOUNT_SECONDS = 2.0
STATUS_DAYS = 14


def build(settings: Settings) -> Service:
    """The whole service."""
    metrics = Metrics(NAME)
    bus = Bus(settings, NAME, metrics)
    catalogue = _catalogue(settings)
    gauges = Gauges(metrics, catalogue.slugs)
    database = Database(settings.database_url)
    library = Library(database)
    fetcher = FetcherWatch(bus)
    publisher = Publisher(
        bus, Store(database, entry_deadline=settings.entry_deadline), library, gauges, settings.public_url
    )
    bus.on_batch(PaperScored, "publisher-scored", publisher.scored, size=500)
    bus.on_batch(PaperSelected, "publisher-selected", publisher.selected, size=200)
    bus.on_batch(SummaryCompleted, "publisher-summaries", publisher.summarised, size=200)
    bus.on_batch(BatchClosed, "publisher-batches", publisher.closed, size=50)
    bus.on_batch(AnnouncementChecked, "publisher-checked", publisher.checked, size=50)
    bus.on_dead("publisher-dead", publisher.dead)
    return Service(
        NAME,
        settings,
        bus,
        metrics,
        resources=[database],
        loops=[publisher.sweep, publisher.tell, publisher.account, fetcher.follow],
        checks={"postgres": database.ready},
        web=Web(
            site(library, catalogue, gauges, lambda: fetcher.state, public_url=settings.public_url),
            settings.web_host,
            settings.web_port,
        ),
    )


def _catalogue(settings: Settings) -> Catalogue:
    try:
        return Catalogue(settings.feeds_file)
    except FeedsError as error:
        stop([f"FEEDS_FILE: {line}" for line in str(error).splitlines()])
    except OSError as error:
        stop([f"FEEDS_FILE: cannot read {settings.feeds_file}: {error.strerror}"])


class Publisher:
    """The handlers and loops. Every handler commits before it returns, then shows what that completed."""

    def __init__(self, bus: Bus, store: Store, library: Library, gauges: Gauges, public_url: str) -> None:
        self._bus = bus
        self._store = store
        self._library = library
        self._gauges = gauges
        self._public_url = public_url
        self._appeared = asyncio.Event()

    async def scored(self, batch: Sequence[Received[PaperScored]]) -> None:
        with self._gauges.store.labels("scored").time():
            await self._store.scored(received.event for received in batch)
        await self._reveal(received.event.paper.id for received in batch)

    async def selected(self, batch: Sequence[Received[PaperSelected]]) -> None:
        with self._gauges.store.labels("selected").time():
            await self._store.selected(received.event for received in batch)
        await self._reveal(received.event.paper_id for received in batch)

    async def summarised(self, batch: Sequence[Received[SummaryCompleted]]) -> None:
        with self._gauges.store.labels("summarised").time():
            await self._store.summarised(received.event for received in batch)
        await self._reveal(received.event.paper_id for received in batch)

    async def closed(self, batch: Sequence[Received[BatchClosed]]) -> None:
        with self._gauges.store.labels("closed").time():
            await self._store.closed(received.event for received in batch)

    async def checked(self, batch: Sequence[Received[AnnouncementChecked]]) -> None:
        with self._gauges.store.labels("checked").time():
            await self._store.checked(received.event for received in batch)

    async def dead(self, dead: DeadLetter) -> None:
        letter = letters.read(dead)
        with self._gauges.store.labels("dead").time():
            await self._store.dead(letter)
        if letter.paper_id:
            await self._reveal([letter.paper_id])

    async def _reveal(self, paper_ids: Iterable[str]) -> None:
        self._note(await self._store.reveal(paper_ids))

    def _note(self, revealed: dict[str, int]) -> None:
        if revealed:
            self._gauges.revealed(revealed)
            self._appeared.set()

    async def sweep(self) -> None:
        """Show entries whose deadline has passed."""

        async def once() -> None:
            self._note(await self._store.reveal_due())

        await _again_and_again(once, lambda: asyncio.sleep(SWEEP_SECONDS))

    async def tell(self) -> None:
        """Send `papers.published`: at once when entries appear here, soon when another publisher died over it."""

        async def once() -> None:
            self._appeared.clear()
            sent = await outbox.tell(self._library, self._store, self._bus.publish, self._public_url)
            if sent:
                log.info("published", extra={"entries": sent})

        await _again_and_again(once, self._until_something_appears)

    async def _until_something_appears(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._appeared.wait(), OUTBOX_SECONDS)

    async def account(self) -> None:
        """Keep the gauges at the newest accounts."""

        async def once() -> None:
            self._gauges.accounts(await self._library.statuses(STATUS_DAYS), await self._library.counts())

        await _again_and_again(once, lambda: asyncio.sleep(ACCOUNT_SECONDS))


async def _again_and_again(step: Callable[[], Awaitable[None]], pause: Callable[[], Awaitable[None]]) -> None:
    """Run a step for ever. While something is away it is tried again each second, and said once."""
    away = False
    while True:
        try:
            await step()
        except Unavailable as error:
            if not away:
                log.warning("waiting", extra={"reason": str(error)})
            away = True
            await asyncio.sleep(1)
        else:
            away = False
            await pause()
