"""A service with one handler of papers.announced, for tests of what every service is promised."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import nats

from shared.bus import Bus, Received
from shared.messages import PaperAnnounced
from shared.metrics import Metrics
from shared.service import Service
from shared.settings import ServiceSettings

Handle = Callable[[Sequence[Received[PaperAnnounced]]], Awaitable[None]]


def a_bus(url: str, delay: float = 0.02) -> tuple[Bus, Metrics, ServiceSettings]:
    """A bus that waits `delay` seconds more before every further attempt."""
    settings = ServiceSettings(nats_url=url, probe_port=0)
    metrics = Metrics("test")
    return Bus(settings, "test", metrics, retry_delay=lambda attempt: delay * attempt), metrics, settings


@asynccontextmanager
async def a_connected_bus(url: str) -> AsyncIterator[Bus]:
    """A bus that only publishes and reads back."""
    bus, _, _ = a_bus(url)
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.stop()


@asynccontextmanager
async def running(url: str, handle: Handle, *, size: int = 10, delay: float = 0.02) -> AsyncIterator[Service]:
    """The service, started."""
    bus, metrics, settings = a_bus(url, delay)
    bus.on_batch(PaperAnnounced, "scorer", handle, size=size)
    async with Service("test", settings, bus, metrics) as service:
        yield service


async def nothing(batch: Sequence[Received[PaperAnnounced]]) -> None:
    """Take messages and do nothing."""


async def ready(service: Service) -> bool:
    """Whether the service says that it can work."""
    return not await service.problems()


async def dead_letters(service: Service) -> list[tuple[str, str]]:
    """Who gave up an announced paper, and why."""
    return [(dead.consumer, dead.reason) async for dead in service.bus.read_dead(PaperAnnounced)]


async def counts(url: str, durable: str = "scorer") -> tuple[int | None, int | None]:
    """How many messages a consumer has in hand, and how many are before it."""
    connection = await nats.connect(url)
    try:
        info = await connection.jetstream().consumer_info("PAPERS", durable)
        return info.num_ack_pending, info.num_pending
    finally:
        await connection.close()


async def settled(url: str) -> bool:
    """Whether the scorer has nothing in hand and nothing before it."""
    return await counts(url) == (0, 0)


async def cancel_leftovers() -> None:
    """End the tasks of a bus that was left as if killed."""
    current = asyncio.current_task()
    tasks: list[asyncio.Task[Any]] = [task for task in asyncio.all_tasks() if task is not current]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
