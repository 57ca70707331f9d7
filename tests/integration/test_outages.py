"""A service outlives what happens to its server, and says truthfully whether it can work."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence

import pytest

from cli.local.nats import Nats
from shared.bus import Received
from shared.messages import PaperAnnounced
from shared.provision import provision
from shared.service import Service
from tests.builders import an_announcement
from tests.buses import a_bus, a_connected_bus, nothing, ready, running
from tests.freezing import freeze, thaw
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(90)


class Guarded(Nats):
    """A server that can be made to refuse everybody."""

    closed = False

    def _configuration(self) -> str:
        users = "authorization { user: somebody, password: else }\n" if self.closed else ""
        return super()._configuration() + users


@pytest.fixture
def nats_server(nats_server: Nats) -> Nats:
    nats_server.__class__ = Guarded
    return nats_server


# nats-py leaves the socket of a refused connection to the garbage collector, which names it in several ways.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_it_works_again_when_the_server_had_refused_it_for_a_while(nats_server: Guarded, nats_url: str) -> None:
    done: list[int] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        done.extend(received.event.position for received in batch)

    async with running(nats_url, handle) as service:
        nats_server.closed = True
        nats_server.kill()
        nats_server.start()
        await eventually(lambda: says(service, "Authorization Violation"), timeout=20)
        nats_server.closed = False
        nats_server.kill()
        nats_server.start()
        await eventually(lambda: ready(service), timeout=20)
        await service.bus.publish(an_announcement(7))
        await eventually(lambda: done == [7])
    gc.collect()


async def test_a_server_that_does_not_answer_makes_it_unready_at_once(nats_server: Nats, nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        await freeze(nats_server)
        try:
            [problem] = await eventually(service.problems, timeout=20)
        finally:
            thaw(nats_server)
        await eventually(lambda: ready(service), timeout=20)
    assert problem.startswith("NATS does not answer")


async def test_a_loop_that_crashes_makes_it_unready_until_it_runs_again(nats_url: str) -> None:
    mended = asyncio.Event()

    async def crash() -> None:
        if not mended.is_set():
            raise RuntimeError("a bug")
        await asyncio.Event().wait()

    bus, metrics, settings = a_bus(nats_url)
    async with Service("test", settings, bus, metrics, loops=[crash]) as service:
        await eventually(lambda: says(service, "loop crash crashed: RuntimeError('a bug')"))
        mended.set()
        await eventually(lambda: ready(service))


async def test_a_subscription_that_has_ended_makes_it_unready(nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        [subscriber] = service.bus._subscribers["scorer"]
        for task in subscriber.tasks:
            task.cancel()
        await eventually(lambda: says(service, "subscription scorer has stopped"))


async def test_it_starts_although_the_server_goes_away_while_it_starts(nats_server: Nats) -> None:
    bus, metrics, settings = a_bus(nats_server.url)
    bus.on_batch(PaperAnnounced, "scorer", nothing)
    service = Service("test", settings, bus, metrics)
    starting = asyncio.create_task(service.__aenter__())
    await eventually(lambda: bus.connected)
    nats_server.kill()
    await eventually(lambda: not bus.connected)
    nats_server.start()
    await provision(nats_server.url)
    await asyncio.wait_for(starting, 30)
    await eventually(lambda: ready(service), timeout=20)
    await service.__aexit__(None, None, None)


async def test_it_never_gives_up_reconnecting(nats_url: str) -> None:
    async with a_connected_bus(nats_url) as bus:
        assert bus.connection.options["max_reconnect_attempts"] == -1
        assert bus.connection.options["allow_reconnect"]


async def says(service: Service, words: str) -> bool:
    return any(words in problem for problem in await service.problems())
