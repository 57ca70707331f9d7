"""A range of days harvested over OAI-PMH: page by page, from where it stood, whoever died in between.

The range is asked for in windows of days, because a list that breaks off (arXiv's tokens expire every night) can
only be begun again, and its records come in no particular order of days. A window grows while it fits few pages.
"""

from __future__ import annotations

import logging
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from services.fetcher import core
from services.fetcher.download import Downloader, FetchFailed
from services.fetcher.measures import Measures
from services.fetcher.orders import Duty, OrderFailed, Report
from services.fetcher.settings import Settings
from services.fetcher.slot import Slot, key_of
from services.fetcher.sources.arxiv_oai import Dates, OaiError, Page, UnusableDocument, parse
from shared.bus import Bus
from shared.messages import FetchRequested, Paper, PaperAnnounced, Value

log = logging.getLogger(__name__)

KIND = "harvest"
ACCEPT = "text/xml, application/xml"
FEW_PAGES, MANY_PAGES = 4, 16
LONGEST_WINDOW = 366  # days
ONE_DAY = timedelta(days=1)
REJECTIONS_SHOWN = 5


class Harvest(Value):
    """How far a range is. Written after a page's papers are in the stream: a page may come twice, none is left out."""

    since: date
    until: date
    set: str | None = None
    form: str
    reached: date | None = None
    """Everything up to this day is done."""
    papers: int = 0
    """Of the days that are done."""
    window: int = 1
    """How many days to ask for at once."""
    token: str | None = None
    """What the rest of the window in hand is asked for with."""
    pages: int = 0
    """Of the window in hand that are done, and their papers."""
    pages_papers: int = 0
    page: int = 0
    """How many pages were read in all."""
    rejected: int = 0
    """Records that could not be read."""
    failures: int = 0
    """In a row."""
    retry_at: datetime | None = None
    """After a failure: no request before this moment."""

    @property
    def begins(self) -> date:
        """The first day that is not done."""
        return self.since if self.reached is None else self.reached + ONE_DAY

    @property
    def ends(self) -> date:
        """The last day of the window in hand."""
        return min(self.until, self.begins + (self.window - 1) * ONE_DAY)

    @property
    def finished(self) -> bool:
        return self.begins > self.until

    @property
    def sent(self) -> int:
        """Papers sent on so far."""
        return self.papers + self.pages_papers


# ---- what happens, as plain functions


def begun(order: FetchRequested) -> Harvest:
    """The harvest that an order asks for."""
    if order.since is None or order.until is None or order.since > order.until:
        raise OrderFailed(f"a backfill needs a first and a last day in this order, not {order.since} and {order.until}")
    return Harvest(since=order.since, until=order.until, set=order.set, form=order.form)


def query(harvest: Harvest) -> dict[str, str]:
    """The request for the next page. A token stands for all other arguments."""
    if harvest.token:
        return {"verb": "ListRecords", "resumptionToken": harvest.token}
    days = {"from": harvest.begins.isoformat(), "until": harvest.ends.isoformat()}
    chosen = {"set": harvest.set} if harvest.set else {}
    return {"verb": "ListRecords", "metadataPrefix": harvest.form, **days, **chosen}


def turned(harvest: Harvest, page: Page) -> Harvest:
    """One page further; at the end of a list, one window further."""
    sent, pages = harvest.pages_papers + len(page.items), harvest.pages + 1
    changes: dict[str, Any] = {
        "token": page.token,
        "page": harvest.page + 1,
        "rejected": harvest.rejected + len(page.rejected),
        "failures": 0,
        "retry_at": None,
    }
    if page.token:
        changes |= {"pages": pages, "pages_papers": sent}
    else:
        changes |= {"reached": harvest.ends, "papers": harvest.papers + sent, "pages": 0, "pages_papers": 0}
        changes |= {"window": window_after(harvest.window, pages)}
    return harvest.model_copy(update=changes)


def window_after(days: int, pages: int) -> int:
    """How many days to ask for next: fewer requests for a small set, not too much to repeat for a large one."""
    if pages <= FEW_PAGES:
        return min(LONGEST_WINDOW, days * 2)
    return max(1, days // 2) if pages > MANY_PAGES else days


def begun_anew(harvest: Harvest) -> Harvest:
    """From the last finished day on, in a smaller bite: the token is no longer known."""
    return harvest.model_copy(
        update={"token": None, "pages": 0, "pages_papers": 0, "window": max(1, harvest.window // 2)}
    )


def announced(order: str, harvest: Harvest, page: Page) -> list[PaperAnnounced]:
    """The page's messages. Their keys depend on the paper alone, so a page may be sent again."""
    return [
        PaperAnnounced(
            paper=paper,
            batch=f"backfill:{order}",
            date=submitted(paper, dates),
            kind="backfill",
            position=harvest.sent + place,
        )
        for place, ((paper, _), dates) in enumerate(zip(page.items, page.dates, strict=True))
    ]


def submitted(paper: Paper, dates: Dates) -> date:
    """The day of this version. It is before the day of its announcement, whose description ranks higher."""
    return dates.created if paper.version == 1 else dates.updated or dates.created


def total(harvest: Harvest, page: Page) -> int | None:
    """How many papers there will be: known when the source counts the list and the list reaches to the end."""
    if page.complete_size is None or harvest.ends < harvest.until:
        return None
    return harvest.papers + page.complete_size


# ---- the work


class Harvester:
    """Carries out `backfill` orders."""

    def __init__(self, settings: Settings, bus: Bus, downloader: Downloader, duty: Duty, measures: Measures) -> None:
        self._settings = settings
        self._bus = bus
        self._downloader = downloader
        self._duty = duty
        self._measures = measures

    async def handle(self, order: FetchRequested, report: Report) -> None:
        """Go on where the harvest stands, to its end."""
        slot = await Slot[Harvest].open(self._bus, key_of(KIND, order.order), Harvest)
        harvest = slot.value or begun(order)
        while not harvest.finished:
            await self._duty.pause(_embargo(harvest, datetime.now(UTC)))
            try:
                page = await self._duty.during(self._ask(harvest))
            except (FetchFailed, UnusableDocument) as error:
                harvest = await self._failed(harvest, error, slot, report)
                continue
            await self._bus.publish(*announced(order.order, harvest, page))
            total_known, harvest = total(harvest, page), turned(harvest, page)
            await slot.write(harvest)
            await report(papers=harvest.sent, total=total_known, reached=harvest.reached, detail=_unread(harvest))
        await report(papers=harvest.papers, total=harvest.papers, reached=harvest.reached, detail=_unread(harvest))

    async def _ask(self, harvest: Harvest) -> Page:
        """The next page; an empty list is a page without records."""
        self._measures.requests.inc()
        try:
            page = await self._page(f"{self._settings.arxiv_oai_url}?{urlencode(query(harvest))}")
        except OaiError as error:
            if error.code == "noRecordsMatch":
                return Page(None, None)
            if error.code == "badResumptionToken" and harvest.token:
                raise
            raise OrderFailed(f"the source refuses the order: {error}") from error
        if page.token and page.token == harvest.token:
            raise UnusableDocument("the resumption token leads to itself")
        self._report(page)
        return page

    async def _page(self, url: str) -> Page:
        try:
            document = await self._downloader.fetch(url, accept=ACCEPT)
        except FetchFailed as error:
            if error.body.lstrip().startswith(b"<?xml"):  # an error of the protocol under an HTTP error
                parse(error.body)
            raise
        return parse(document.body, content_type=document.content_type)

    def _report(self, page: Page) -> None:
        if page.rejected:
            self._measures.rejected.inc(len(page.rejected))
            shown = list(page.rejected[:REJECTIONS_SHOWN])
            log.warning("records could not be read", extra={"count": len(page.rejected), "first": shown})

    async def _failed(
        self, harvest: Harvest, error: FetchFailed | UnusableDocument, slot: Slot[Harvest], report: Report
    ) -> Harvest:
        """The source's failure: write down since when and how long to wait, and tell."""
        reason = error.reason if isinstance(error, FetchFailed) else "unusable document"
        failures = harvest.failures + 1
        delay = core.retry_delay(
            failures,
            first=self._settings.retry_delay,
            jitter=random.SystemRandom().random(),
            retry_after=error.retry_after if isinstance(error, FetchFailed) else None,
        )
        self._measures.failures.labels(reason).inc()
        log.warning("harvest waits", extra={"reason": reason, "detail": str(error), "again_in": round(delay, 1)})
        anew = begun_anew(harvest) if isinstance(error, OaiError) else harvest
        harvest = anew.model_copy(
            update={"failures": failures, "retry_at": datetime.now(UTC) + timedelta(seconds=delay)}
        )
        await slot.write(harvest)
        await report(papers=harvest.sent, detail=f"{reason}: {error}; again in {delay:.0f} s")
        return harvest


def _embargo(harvest: Harvest, now: datetime) -> float:
    """Seconds left of the wait that the source is owed, also when it began before a restart."""
    return 0.0 if harvest.retry_at is None else min(core.DAY, max(0.0, (harvest.retry_at - now).total_seconds()))


def _unread(harvest: Harvest) -> str | None:
    return f"{harvest.rejected} records could not be read" if harvest.rejected else None
