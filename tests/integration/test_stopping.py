"""Every service, as a process, ends with exit code 0 within seconds of SIGTERM, whatever it is waiting for."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.local.nats import Nats
from cli.local.postgres import Postgres
from cli.local.service import LocalService
from cli.local.stack import in_thread
from shared.provision import provision
from tests.builders import a_scored, an_announcement
from tests.buses import a_connected_bus, counts
from tests.freezing import freeze, thaw
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(90)

SERVICES = ("fetcher", "scorer", "summarizer", "publisher")
SECONDS = 8.0
FEEDS = """\
[[feed]]
slug = "gpu"
categories = ["cs.DC"]
keywords = ["GPU"]
"""


class Started:
    """The services that a test starts, and what they need."""

    def __init__(self, folder: Path, nats_url: str, database_url: str) -> None:
        feeds = folder / "feeds.toml"
        feeds.write_text(FEEDS, encoding="utf-8")
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "NATS_URL": nats_url,
            "DATABASE_URL": database_url,
            "FEEDS_FILE": str(feeds),
            "CONTACT": "test@localhost",
            "ARXIV_RSS_URL": "http://127.0.0.1:9/rss",
            "PUBLIC_URL": "https://papers.example.org",
            "WEB_PORT": "0",
        }
        self.all: list[LocalService] = []

    async def __call__(self, name: str, *, until: str = "") -> LocalService:
        """Start one, and wait until it says this is missing; by default nothing."""
        service = LocalService(name, self._environment, self._folder / "logs", ())
        self.all.append(service)
        service.process.start()
        await eventually(lambda: says(service, until), timeout=30)
        return service


async def says(service: LocalService, words: str) -> bool:
    problems = await in_thread(service.waits_for)
    return words in problems if words and problems else not words and not problems


@pytest.fixture
async def start(tmp_path: Path, nats_server: Nats, database_url: str) -> AsyncIterator[Started]:
    started = Started(tmp_path, nats_server.url, database_url)
    yield started
    for service in started.all:
        await in_thread(service.process.stop)
        service.close()


async def exit_code(service: LocalService) -> int:
    """After SIGTERM; fails when it does not come in time."""
    service.process.signal(signal.SIGTERM)
    return await in_thread(lambda: service.process.wait(SECONDS))


@pytest.mark.parametrize("name", SERVICES)
async def test_idle(start: Started, nats_url: str, name: str) -> None:
    assert await exit_code(await start(name)) == 0


@pytest.mark.parametrize("name", SERVICES)
async def test_waiting_to_be_provisioned(start: Started, name: str) -> None:
    assert await exit_code(await start(name, until="is missing")) == 0


@pytest.mark.parametrize("name", SERVICES)
async def test_waiting_for_nats_to_appear(start: Started, nats_server: Nats, name: str) -> None:
    nats_server.stop()
    assert await exit_code(await start(name, until="NATS is not connected")) == 0


@pytest.mark.parametrize("name", SERVICES)
async def test_while_nats_is_away(start: Started, nats_server: Nats, nats_url: str, name: str) -> None:
    service = await start(name)
    nats_server.kill()
    await eventually(lambda: says(service, "NATS is not connected"), timeout=20)
    assert await exit_code(service) == 0


@pytest.mark.parametrize("name", SERVICES)
async def test_while_nats_does_not_answer(start: Started, nats_server: Nats, nats_url: str, name: str) -> None:
    service = await start(name)
    await freeze(nats_server)
    try:
        await eventually(lambda: says(service, "NATS does not answer"), timeout=20)
        assert await exit_code(service) == 0
    finally:
        thaw(nats_server)


async def test_holding_messages_because_postgres_is_away(
    start: Started, postgres: Postgres, nats_server: Nats, nats_url: str
) -> None:
    await provision(nats_server.url, ack_wait=2)
    service = await start("publisher")
    await in_thread(postgres.kill)
    async with a_connected_bus(nats_url) as bus:
        await bus.publish(*(a_scored(number) for number in range(5)))
        await eventually(lambda: holds(nats_url, "publisher-scored", 5))
        assert await exit_code(service) == 0

        await in_thread(postgres.start)
        await start("publisher")
        await eventually(lambda: holds(nats_url, "publisher-scored", 0), timeout=20)


async def holds(url: str, durable: str, messages: int) -> bool:
    return await counts(url, durable) == (messages, 0)


async def test_working_while_nats_goes_away_loses_no_paper(start: Started, nats_server: Nats, nats_url: str) -> None:
    await provision(nats_server.url, ack_wait=2)
    service = await start("scorer")
    async with a_connected_bus(nats_url) as bus:
        await bus.publish(*(an_announcement(number) for number in range(3_000)))
        nats_server.kill()
        assert await exit_code(service) == 0
        nats_server.start()
        await eventually(lambda: bus.connected)
        await start("scorer")
        await eventually(lambda: holds(nats_url, "scorer", 0), timeout=30)
        scored = await asyncio.wait_for(bus.js.stream_info("PAPERS", subjects_filter="papers.scored"), 5)
    assert scored.state.subjects == {"papers.scored": 3_000}
