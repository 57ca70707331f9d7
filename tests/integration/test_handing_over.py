"""Work that one replica does at a time: messages wait at the gate, or go back for another replica."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared.bus import Bus, Received
from shared.errors import Elsewhere
from shared.messages import FetchRequested
from shared.metrics import Metrics
from shared.service import Service
from shared.settings import ServiceSettings
from shared.verdict import MAX_ATTEMPTS
from tests.waiting import eventually

Handle = Callable[[Received[FetchRequested]], Awaitable[None]]
ORDER = FetchRequested(order="now-1", what="now")


@asynccontextmanager
async def replica(url: str, handle: Handle, gate: asyncio.Event) -> AsyncIterator[Service]:
    settings, metrics = ServiceSettings(nats_url=url, probe_port=0), Metrics("test")
    bus = Bus(settings, "test", metrics)

    async def opened() -> None:
        await gate.wait()

    bus.on(FetchRequested, "fetcher-orders", handle, gate=opened)
    async with Service("test", settings, bus, metrics) as service:
        yield service


async def test_only_a_replica_whose_gate_is_open_takes_messages(nats_url: str) -> None:
    seen: list[str] = []
    shut, opened = asyncio.Event(), asyncio.Event()

    def seen_by(name: str) -> Handle:
        async def handle(received: Received[FetchRequested]) -> None:
            seen.append(f"{name}: {received.event.order}")

        return handle

    async with replica(nats_url, seen_by("first"), shut) as first, replica(nats_url, seen_by("second"), opened):
        await first.bus.publish(ORDER)
        assert await first.problems() == []
        opened.set()
        await eventually(lambda: seen)

    assert seen == ["second: now-1"]


async def test_a_message_handed_back_is_never_given_up_for_it(nats_url: str) -> None:
    attempts: list[int] = []
    opened = asyncio.Event()
    opened.set()

    async def handle(received: Received[FetchRequested]) -> None:
        attempts.append(received.attempt)
        if received.attempt <= MAX_ATTEMPTS + 1:
            raise Elsewhere("not here")

    async with replica(nats_url, handle, opened) as service:
        await service.bus.publish(ORDER)
        await eventually(lambda: len(attempts) == MAX_ATTEMPTS + 2, timeout=20)
        dead = [letter async for letter in service.bus.read_dead(FetchRequested)]

    assert (attempts, dead) == (list(range(1, MAX_ATTEMPTS + 3)), [])
