"""Scorers on a real NATS server, and what goes past them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from services.scorer.app import build
from services.scorer.settings import Settings
from shared.bus import Bus
from shared.messages import Message, PaperAnnounced, PaperSelected
from shared.metrics import Metrics
from shared.service import Service
from shared.settings import ServiceSettings
from tests.builders import BATCH, a_closing, a_paper, an_announcement
from tests.waiting import eventually

M = TypeVar("M", bound=Message)

FEEDS = """\
[[feed]]
slug = "llm"
keywords = ["LLM", { term = "quantization", weight = 2.0 }]
max_papers = 2
[feed.summary]
top = 1
"""


@asynccontextmanager
async def scorers(url: str, feeds: Path, count: int = 1, deadline: float = 60) -> AsyncIterator[Service]:
    """So many scorers side by side, and the first of them to look at."""
    settings = Settings(nats_url=url, probe_port=0, feeds_file=feeds, selection_deadline=deadline)
    async with AsyncExitStack() as stack:
        services = [await stack.enter_async_context(build(settings)) for _ in range(count)]
        yield services[0]


@asynccontextmanager
async def a_bus(url: str) -> AsyncIterator[Bus]:
    bus = Bus(ServiceSettings(nats_url=url, probe_port=0), "test", Metrics("test"))
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.stop()


async def all_of(bus: Bus, message: type[M]) -> list[M]:
    return [received.event async for received in bus.read(message)]


async def some_of(bus: Bus, message: type[M], count: int = 1) -> list[M]:
    """The messages, once there are so many."""

    async def enough() -> list[M]:
        found = await all_of(bus, message)
        return found if len(found) >= count else []

    return await eventually(enough, timeout=20)


def announcements() -> list[PaperAnnounced]:
    titles = ("Quantization of LLMs", "Gardens", "LLMs", "An LLM")
    papers = (a_paper(id=f"2512.{n:05d}", title=title, abstract="") for n, title in enumerate(titles))
    return [an_announcement(number, paper=paper) for number, paper in enumerate(papers)]


async def announce(bus: Bus, *papers: PaperAnnounced, closed: int | None = None) -> None:
    first, *_ = await bus.publish(*papers)
    await bus.publish(a_closing(closed or len(papers), first_sequence=first))


async def supplement(bus: Bus, *titles: str) -> None:
    """A second batch of the same day."""
    papers = (a_paper(id=f"2512.{n:05d}", title=title, abstract="") for n, title in enumerate(titles, start=100))
    batch = f"{BATCH}.2"
    first, *_ = await bus.publish(
        *(an_announcement(place, paper=paper, batch=batch) for place, paper in enumerate(papers))
    )
    await bus.publish(a_closing(len(titles), batch=batch, first_sequence=first))


def places(selected: list[PaperSelected]) -> dict[str, tuple[int, int]]:
    return {paper.paper_id: (pick.rank, pick.candidates) for paper in selected for pick in paper.picks}
