"""The pace gate on a real NATS server, judged by what the asked server saw."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby

import pytest

from cli.local.nats import Nats
from services.fetcher.pace import Pace, key_of
from shared.bus import Bus
from shared.errors import Unavailable
from shared.metrics import Metrics
from shared.provision import FETCHER_BUCKET
from shared.settings import ServiceSettings
from tests.recorder import Recorder, a_downloader, recording
from tests.waiting import eventually

TOLERANCE = 0.02  # the asked server sees the end of a connection a little later than who ended it


@asynccontextmanager
async def asking(
    nats_url: str, url: str, *, interval: float, expiry: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that asks again and again."""
    command = (sys.executable, "-m", "tests.recorder", nats_url, url, str(interval), str(expiry))
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("delay", [0.0, 0.5], ids=["quick answers", "answers slower than the interval"])
async def test_two_processes_never_ask_at_once_nor_within_the_interval(nats_url: str, delay: float) -> None:
    recorder = Recorder(delay)
    async with recording(recorder) as url, AsyncExitStack() as processes:
        for _ in range(2):
            await processes.enter_async_context(asking(nats_url, url, interval=0.2, expiry=15))
        await eventually(lambda: len(recorder.connections) >= 8 and len(set(recorder.contacts())) == 2, timeout=30)

    assert recorder.most_open == 1
    assert min(recorder.pauses()) >= 0.2 - TOLERANCE


async def test_a_request_that_lasts_longer_than_the_expiry_keeps_its_turn(nats_url: str) -> None:
    recorder = Recorder(delay=1.0)
    async with (
        recording(recorder) as url,
        a_downloader(nats_url, interval=0.1, expiry=0.3) as one,
        a_downloader(nats_url, interval=0.1, expiry=0.3) as two,
    ):
        await asyncio.gather(*(replica.fetch(url, accept="*/*") for replica in (one, two)))

    assert recorder.most_open == 1
    assert recorder.pauses()[0] >= 0.1 - TOLERANCE


async def test_after_a_killed_holder_the_next_waits_for_the_end_of_its_turn(nats_url: str) -> None:
    recorder = Recorder(delay=60)
    async with recording(recorder) as url, AsyncExitStack() as processes:
        for _ in range(2):
            await processes.enter_async_context(asking(nats_url, url, interval=0.2, expiry=1))
        await eventually(lambda: recorder.contacts()[:1] not in ([], [""]))
        recorder.delay = 0.0
        os.kill(int(recorder.contacts()[0]), signal.SIGKILL)
        await eventually(lambda: len(recorder.connections) >= 4, timeout=10)

    assert len(set(recorder.contacts())) == 2
    assert recorder.most_open == 1
    assert min(recorder.pauses()) >= 0.2 - TOLERANCE


async def test_a_replica_that_is_busy_lets_the_other_one_in(nats_url: str) -> None:
    recorder = Recorder()
    async with recording(recorder) as url, AsyncExitStack() as replicas:

        async def ask(contact: str) -> None:
            replica = await replicas.enter_async_context(a_downloader(nats_url, contact=contact, interval=0.2))
            for _ in range(5):
                await replica.fetch(url, accept="*/*")

        await asyncio.gather(ask("one"), ask("two"))

    runs = [len(list(run)) for _, run in groupby(recorder.contacts())]
    assert max(runs[:-1]) <= 2


async def test_a_turn_that_cannot_be_renewed_is_broken_off_before_another_can_begin(
    nats_url: str, nats_server: Nats
) -> None:
    recorder = Recorder(delay=60)
    async with recording(recorder) as url, a_downloader(nats_url, expiry=1) as downloader:
        asked = asyncio.create_task(downloader.fetch(url, accept="*/*"))
        await eventually(lambda: recorder.open == 1)
        await asyncio.to_thread(nats_server.stop)

        with pytest.raises(Unavailable, match="the turn could not be renewed"):
            await asyncio.wait_for(asked, 10)
        await eventually(lambda: recorder.open == 0)
        await asyncio.to_thread(nats_server.start)


async def test_hosts_do_not_wait_for_each_other_but_all_of_arxiv_is_one(nats_url: str) -> None:
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    pace = Pace(bus, interval=60)
    async with pace.turn("rss.arxiv.org"), pace.turn("api.biorxiv.org"):
        kv = await bus.key_value(FETCHER_BUCKET)
        assert sorted(await kv.keys()) == ["pace.api.biorxiv.org", "pace.arxiv.org"]
    await bus.stop()


async def test_arxiv_s_pace_is_not_that_of_other_hosts(nats_url: str) -> None:
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    pace = Pace(bus, interval=60, elsewhere=0, arxiv={"mirror.example"})
    for _ in range(3):
        async with pace.turn("api.biorxiv.org"):
            pass
    for first, second in (("export.arxiv.org", "rss.arxiv.org"), ("mirror.example", "mirror.example")):
        async with pace.turn(first):
            pass
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(a_turn(pace, second), 0.5)
    await bus.stop()


async def a_turn(pace: Pace, host: str) -> None:
    async with pace.turn(host):
        pass


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("arxiv.org", "pace.arxiv.org"),
        ("Export.arXiv.org.", "pace.arxiv.org"),
        ("notarxiv.org", "pace.notarxiv.org"),
        ("127.0.0.1", "pace.127.0.0.1"),
        ("::1", "pace._1"),
        ("a..b", "pace.a.b"),
        ("*.>", "pace._._"),
        ("", "pace._"),
    ],
)
def test_every_host_has_a_key_that_the_bucket_takes(host: str, key: str) -> None:
    assert key_of(host) == key


async def test_an_answer_lost_in_a_reconnect_leaves_the_turn_to_its_holder(nats_url: str) -> None:
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    kv = await bus.key_value(FETCHER_BUCKET)
    pace = Pace(bus, interval=0)
    async with pace.turn("a.example"):
        held = await kv.get("pace.a.example")
        await kv.put("pace.a.example", held.value or b"")  # its own renewal, of which it has heard nothing

    assert (await kv.get("pace.a.example")).value == b"free"
    await bus.stop()
