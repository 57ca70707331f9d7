"""Counting an announcement: asking arXiv's listing pages, and once more for what is missing, and telling the result."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from services.fetcher import completeness, listing
from services.fetcher.completeness import Tally
from services.fetcher.cursor import Ledger
from services.fetcher.download import FEED, Document, Downloader, FetchFailed, feed_url
from services.fetcher.lease import Lease
from services.fetcher.measures import Measures
from services.fetcher.settings import Settings
from services.fetcher.sources.arxiv_rss import Announcement, parse
from services.fetcher.sources.document import UnusableDocument
from shared.bus import Bus

log = logging.getLogger(__name__)

Supplement = Callable[[Ledger, Announcement, Document], Awaitable[None]]


class Checking:
    """Only a check: no failure of it touches what was published, and none holds up the next announcement."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        lease: Lease,
        downloader: Downloader,
        measures: Measures,
        supplement: Supplement,
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._lease = lease
        self._downloader = downloader
        self._measures = measures
        self._supplement = supplement

    async def saw(self, ledger: Ledger, announcement: Announcement) -> None:
        """A feed of a known day came again, with nothing to publish: it may still show more than was counted."""
        if announcement.date in ledger.tallies:
            await ledger.keep(completeness.saw(ledger.tally(announcement.date), announcement.items))

    async def check(
        self, ledger: Ledger, categories: tuple[str, ...], now: datetime, *, failure: str | None = None
    ) -> None:
        """Ask for what is not known yet, and publish every check that has changed.

        With `failure`, why arXiv cannot be asked now, it is not asked.
        """
        for absent in completeness.absences(ledger.history.batches.keys(), now, failure=failure):
            await ledger.keep(ledger.tally(absent.day).model_copy(update={"absent": absent.absent}))
        await self._tell(ledger, categories)
        if failure is None and ledger.cursor.day in ledger.tallies and self._settings.check_listing:
            await self._ask(ledger, ledger.tallies[ledger.cursor.day], categories, now)
            await self._tell(ledger, categories)

    async def _ask(self, ledger: Ledger, tally: Tally, categories: tuple[str, ...], now: datetime) -> None:
        """One round over the listing pages that are due. The first refusal ends it."""
        wanted = completeness.to_ask(tally, categories, now)
        if not wanted:
            return
        retry_after = None
        for category in wanted:
            if not self._lease.held:
                return
            try:
                await self._count(ledger, tally, category)
            except (FetchFailed, UnusableDocument) as error:
                log.warning("cannot count a category", extra={"category": category, "detail": str(error)})
                if isinstance(error, FetchFailed) and (error.reason != "refused" or error.retry_after):
                    retry_after = error.retry_after
                    break
            tally = ledger.tally(tally.day)
        done = completeness.asked(
            ledger.tally(tally.day), now, first=self._settings.poll_interval, retry_after=retry_after
        )
        await ledger.keep(done)

    async def _count(self, ledger: Ledger, tally: Tally, category: str) -> None:
        """The category's listing page, and its own feed when that page counts more papers than have come."""
        if not tally.over:
            page = await self._downloader.fetch(
                listing.address(self._settings.arxiv_site_url, category), accept=listing.ACCEPT, limit=listing.MAX_PAGE
            )
            tally = completeness.listed(tally, category, listing.parse(page.body))
            await ledger.keep(tally)
        if completeness.lacking(tally, category):
            await self._ask_its_feed(ledger, tally, category)

    async def _ask_its_feed(self, ledger: Ledger, tally: Tally, category: str) -> None:
        self._measures.requests.inc()
        document = await self._downloader.fetch(feed_url(self._settings.arxiv_rss_url, (category,)), accept=FEED)
        announcement = parse(document.body, content_type=document.content_type)
        if announcement.date == tally.day:
            await self._supplement(ledger, announcement, document)
            await self.saw(ledger, announcement)
        await ledger.keep(completeness.fed(ledger.tally(tally.day), category, announcement.date))

    async def _tell(self, ledger: Ledger, categories: tuple[str, ...]) -> None:
        """Written down before it is published: whoever comes after a death publishes exactly this again."""
        for day in sorted(ledger.untold):
            tally = ledger.tally(day)
            event = completeness.check(tally, _counted_for(tally, ledger, categories))
            await ledger.keep(tally.model_copy(update={"told": event}))
            await self._bus.publish(event)
            ledger.untold.discard(day)
            if event != tally.told:
                log.info("checked", extra={"day": str(day), "complete": event.complete, "reason": event.reason})
            if day == ledger.cursor.day:
                self._measures.missing_papers = sum(one.missing for one in event.categories)


def _counted_for(tally: Tally, ledger: Ledger, categories: tuple[str, ...]) -> tuple[str, ...]:
    """An earlier day keeps the categories that it was read for, whatever the feeds name by now."""
    if tally.told is None or tally.day == ledger.cursor.day:
        return categories
    return tuple(one.category for one in tally.told.categories)
