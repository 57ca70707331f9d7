"""The publisher's messages and its store, for tests that need a real Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from services.publisher import letters
from services.publisher.library import Library
from services.publisher.postgres import Database
from services.publisher.store import Store
from shared.bus import DeadLetter
from shared.messages import (
    AnnouncementChecked,
    BatchClosed,
    Message,
    PaperScored,
    PaperSelected,
    Pick,
    Reason,
    StructuredSummary,
    SummaryCompleted,
    SummaryKind,
)

FEEDS = ("gpu", "llm")
ENGLISH = SummaryKind()
NEXT_DAY: dict[str, Any] = {"batch": "arxiv:2025-12-11", "date": date(2025, 12, 11)}


def a_pick(feed: str = "gpu", rank: int = 1, *, waits_for: Sequence[SummaryKind] = (ENGLISH,)) -> Pick:
    reasons = (Reason(term="GPU", field="title", weight=1.5),)
    return Pick(feed=feed, rank=rank, candidates=40, score=1.5, reasons=reasons, waits_for=tuple(waits_for))


def a_selected(paper_id: str, *picks: Pick, **changes: Any) -> PaperSelected:
    values: dict[str, Any] = {
        "paper_id": paper_id,
        "version": 1,
        "batch": "arxiv:2025-12-10",
        "date": date(2025, 12, 10),
        "kind": "new",
        "picks": picks or (a_pick(),),
    }
    return PaperSelected(**values | changes)


def a_summary(paper_id: str, **changes: Any) -> SummaryCompleted:
    values: dict[str, Any] = {
        "paper_id": paper_id,
        "version": 1,
        "style": "structured",
        "language": "en",
        "summary": StructuredSummary(tldr="It is faster."),
        "made_by": "model",
        "model": "a-model",
    }
    return SummaryCompleted(**values | changes)


def a_dead(event: Message, sequence: int = 1) -> DeadLetter:
    body = event.model_dump_json().encode()
    return DeadLetter(event.SUBJECT, body, "broken", 5, "any", sequence, key=event.key, about=event.about)


class Publisher:
    """The store with its reads, handling messages as the service does."""

    def __init__(self, database: Database, *, entry_deadline: float = 3600) -> None:
        self.database = database
        self.store = Store(database, entry_deadline=entry_deadline)
        self.library = Library(database)

    async def handle(self, *events: Message | DeadLetter) -> None:
        """Each message on its own: its rows, then what they complete."""
        for event in events:
            await self._store(event)
            await self.store.reveal([paper_id(event)])

    async def _store(self, event: Message | DeadLetter) -> None:
        match event:
            case PaperScored():
                await self.store.scored([event])
            case PaperSelected():
                await self.store.selected([event])
            case SummaryCompleted():
                await self.store.summarised([event])
            case AnnouncementChecked():
                await self.store.checked([event])
            case BatchClosed():
                await self.store.closed([event])
            case DeadLetter():
                await self.store.dead(letters.read(event))
            case _:
                raise AssertionError(f"the publisher does not read {event!r}")

    async def seen(self) -> dict[str, Any]:
        """Everything a reader can see."""
        days = [date(2025, 12, 10), date(2025, 12, 11), date(2025, 12, 12)]
        return {
            "feeds": {feed: await self.library.latest(feed, 100) for feed in FEEDS},
            "all": await self.library.latest_of_all(FEEDS, 100),
            "days": [await self.library.of_day(FEEDS, day) for day in days],
            "statuses": await self.library.statuses(14),
            "checks": await self.library.checks(14),
            "counts": await self.library.counts(),
        }

    async def ids(self, feed: str = "gpu") -> list[str]:
        return [entry.paper.id for entry in await self.library.latest(feed, 100)]


@asynccontextmanager
async def a_publisher(url: str, *, entry_deadline: float = 3600) -> AsyncIterator[Publisher]:
    async with Database(url) as database:
        yield Publisher(database, entry_deadline=entry_deadline)


def paper_id(event: Message | DeadLetter) -> str:
    match event:
        case PaperScored():
            return event.paper.id
        case PaperSelected() | SummaryCompleted():
            return event.paper_id
        case DeadLetter():
            return letters.read(event).paper_id or ""
        case _:
            return ""
