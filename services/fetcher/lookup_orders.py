"""Orders for papers by id and by search: what is found goes out as backfilled, what is not is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from services.fetcher.core import eastern_day
from services.fetcher.download import FetchFailed
from services.fetcher.lookup import Lookup, missing
from services.fetcher.orders import Duty, OrderFailed, Report
from services.fetcher.patience import Patience
from services.fetcher.sources.arxiv_api import Page, UnusableDocument
from services.fetcher.text import read_id
from shared.bus import Bus
from shared.messages import FetchRequested, Paper, PaperAnnounced

MOST_TOLD = 500  # ids, or entries, that an order's answer names


class LookupOrders:
    """Carries out `ids` and `search` orders. One that is begun again sends the same messages again."""

    def __init__(self, lookup: Lookup, bus: Bus, duty: Duty, *, first: float) -> None:
        self._lookup = lookup
        self._bus = bus
        self._duty = duty
        self._first = first

    async def ids(self, order: FetchRequested, report: Report) -> None:
        """The papers of a list of ids."""
        with ending():
            await self._duty.during(self._ids(order, report))

    async def search(self, order: FetchRequested, report: Report) -> None:
        """The papers that a search finds, the newest submissions first."""
        with ending():
            await self._duty.during(self._search(order, report))

    async def _ids(self, order: FetchRequested, report: Report) -> None:
        read = {text: read_id(text) for text in order.ids}
        wanted = tuple(dict.fromkeys(identifier for identifier in read.values() if identifier))
        places = {identifier: place for place, identifier in enumerate(wanted)}
        left, sent, rejected = wanted, 0, list[str]()
        async for page in self._patient(report).ids(wanted):
            events = announcements(order, page, lambda paper: place_of(paper, places))
            await self._bus.publish(*events)
            left = missing(left, [event.paper for event in events])
            sent += len(events)
            rejected += page.rejected
            await report(papers=sent, total=len(wanted))
        unread = [text for text, identifier in read.items() if identifier is None]
        problems = {"not found": left, "no arXiv id": unread, "not readable": rejected}
        await report(papers=sent, total=len(wanted), detail=told(problems))

    async def _search(self, order: FetchRequested, report: Report) -> None:
        if not order.query:
            raise OrderFailed("a search needs a query")
        sent, total, rejected = dict[str, int](), 0, list[str]()
        async for page in self._patient(report).search(order.query, most=order.limit):
            # A page repeats the end of the one before when papers came in between.
            events = announcements(order, page, lambda paper: sent.setdefault(paper.versioned_id, len(sent)))
            await self._bus.publish(*events)
            total = page.total
            rejected += page.rejected
            await report(papers=len(sent), total=min(total, order.limit or total))
        problems = {"not readable": rejected, "not given": beyond(total, order.limit, self._lookup.most)}
        await report(papers=len(sent), detail=told(problems))

    def _patient(self, report: Report) -> Lookup:
        """Whoever waits for the order learns why it takes so long."""

        async def wait(seconds: float, why: str) -> None:
            await report(detail=f"{why}; again in {seconds:.0f} s")
            await self._duty.pause(seconds)

        return self._lookup.with_patience(Patience(self._first, wait))


@contextmanager
def ending() -> Iterator[None]:
    """What is left after all patience ends the order."""
    try:
        yield
    except (FetchFailed, UnusableDocument) as error:
        raise OrderFailed(str(error)) from error


def announcements(order: FetchRequested, page: Page, place: Callable[[Paper], int | None]) -> list[PaperAnnounced]:
    """The page's papers as messages; those that have no place were not asked for.

    The day is that of the version's submission, so an announcement of the same version, which is never earlier,
    stays what is known of the paper.
    """
    return [
        PaperAnnounced(
            paper=item.paper,
            batch=f"backfill:{order.order}",
            date=eastern_day(dates.updated),
            kind=item.kind,
            position=position,
        )
        for item, dates in zip(page.items, page.dates, strict=True)
        if (position := place(item.paper)) is not None
    ]


def place_of(paper: Paper, places: Mapping[str, int]) -> int | None:
    """Where in the list the paper stands, with or without its version."""
    return places.get(paper.versioned_id, places.get(paper.id))


def beyond(total: int, limit: int | None, most: int) -> Iterable[str]:
    """What arXiv holds back from whoever wants more than it gives."""
    if total > most and (limit is None or limit > most):
        yield f"{total - most:,} of {total:,} results: arXiv gives {most:,}, so narrow the search"


def told(problems: Mapping[str, Iterable[str]]) -> str | None:
    """`not found: 0808.05394; no arXiv id: abc`; None when all is well."""
    lines = []
    for problem, names in problems.items():
        if names := list(names):
            more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
            lines.append(f"{problem}: {', '.join(names[:MOST_TOLD])}{more}")
    return "; ".join(lines) or None
