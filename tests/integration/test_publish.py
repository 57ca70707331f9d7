"""Publishing is durable when it returns, whatever gets lost on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest

from cli.local.nats import Nats
from shared.errors import Permanent, Unavailable
from shared.messages import PaperAnnounced
from shared.provision import MAX_MESSAGE, provision
from shared.publish import Encoded, publish
from tests.builders import a_paper, an_announcement
from tests.buses import a_connected_bus
from tests.freezing import freeze, thaw
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(60)


def too_large(position: int = 0) -> PaperAnnounced:
    paper = a_paper(id=f"2512.{position:05d}", abstract="x" * MAX_MESSAGE)
    return an_announcement(position, paper=paper)


class LosesAnAnswer:
    """A connection over which the first answer gets lost, after the server has done what was asked."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def request(self, *arguments: Any, **options: Any) -> Any:
        answer = await self._client.request(*arguments, **options)
        if not self.lost:
            self.lost = True
            raise nats.errors.TimeoutError
        return answer


async def test_a_batch_whose_acknowledgement_is_lost_is_stored_once(nats_url: str) -> None:
    messages = [Encoded("papers.announced", b"{}", {"Nats-Msg-Id": str(number)}) for number in range(3)]
    async with a_connected_bus(nats_url) as bus:
        connection: Any = LosesAnAnswer(bus.connection)
        sequences = await publish(connection, bus.js, messages, stopping=asyncio.Event())
        stored = (await bus.js.stream_info("PAPERS")).state.messages
    assert connection.lost
    assert sequences == [1, 2, 3]
    assert stored == 3


async def test_more_messages_than_a_batch_holds_are_all_stored_in_order(nats_url: str) -> None:
    async with a_connected_bus(nats_url) as bus:
        sequences = await bus.publish(*(an_announcement(number) for number in range(1_200)))
    assert sequences == list(range(1, 1_201))


async def test_more_batches_at_once_than_the_server_takes_are_all_stored(nats_url: str) -> None:
    async with a_connected_bus(nats_url) as bus:
        pairs = [(an_announcement(number), an_announcement(number + 1)) for number in range(0, 240, 2)]
        sequences = await asyncio.gather(*(bus.publish(*pair) for pair in pairs))
        stored = (await bus.js.stream_info("PAPERS")).state.messages
    assert sorted(number for pair in sequences for number in pair) == list(range(1, 241))
    assert stored == 240


async def test_a_message_that_is_too_large_is_refused_and_the_others_can_still_be_sent(nats_url: str) -> None:
    async with a_connected_bus(nats_url) as bus:
        with pytest.raises(Permanent, match=r"on papers\.announced"):
            await bus.publish(an_announcement(1), too_large(2), an_announcement(3))
        await bus.publish(an_announcement(1), an_announcement(3))
        stored = [received.event.position async for received in bus.read(PaperAnnounced)]
    assert stored == [1, 3]


@pytest.mark.parametrize("size", [1024 * 1024 - 10, 1024 * 1024 + 1])
async def test_a_message_larger_than_the_connection_takes_does_not_cut_it(nats_url: str, size: int) -> None:
    async with a_connected_bus(nats_url) as bus:
        message = Encoded("papers.announced", b"x" * size, {"Nats-Msg-Id": "large"})
        with pytest.raises(Permanent):
            await publish(bus.connection, bus.js, [message], stopping=asyncio.Event())
        assert bus.connection.stats["reconnects"] == 0
        assert bus.connected


async def test_a_server_that_answers_late_is_waited_for(nats_server: Nats, nats_url: str) -> None:
    loop = asyncio.get_running_loop()
    async with a_connected_bus(nats_url) as bus:
        await freeze(nats_server)
        publishing = asyncio.create_task(bus.publish(an_announcement(1)))
        until = loop.time() + 1.0
        await eventually(lambda: loop.time() > until)
        assert not publishing.done()
        thaw(nats_server)
        assert await publishing == [1]


async def test_nothing_piles_up_while_the_server_is_away_and_who_stops_does_not_wait_for_it(
    nats_server: Nats, nats_url: str
) -> None:
    async with a_connected_bus(nats_url) as bus:
        nats_server.kill()
        await eventually(lambda: not bus.connected)
        bus.stopping.set()
        with pytest.raises(Unavailable):
            await asyncio.wait_for(bus.publish(an_announcement(1), an_announcement(2)), 2)
        assert bus.connection.pending_data_size == 0


class SmallDisk(Nats):
    """A server whose disk is full soon."""

    def _configuration(self) -> str:
        return super()._configuration().replace("sync_interval", "max_file_store: 100KB\n  sync_interval")


async def test_a_full_disk_is_not_the_fault_of_a_message(tmp_path: Path) -> None:
    server = SmallDisk(tmp_path / "nats", tmp_path / "nats.log")
    try:
        server.start()
        await provision(server.url)
        async with a_connected_bus(server.url) as bus:
            bus.stopping.set()  # else it tries for 15 s
            papers = [a_paper(id=f"2512.{number:05d}", abstract="x" * 30_000) for number in range(8)]
            with pytest.raises(Unavailable):
                await bus.publish(*(an_announcement(number, paper=paper) for number, paper in enumerate(papers)))
    finally:
        server.close()


async def test_publishing_creates_no_stream(nats_server: Nats) -> None:
    async with a_connected_bus(nats_server.url) as bus:
        bus.stopping.set()  # else it tries for 15 s
        with pytest.raises(Unavailable):
            await bus.publish(an_announcement())
        assert await bus.js.streams_info() == []


async def test_the_same_message_is_stored_once_although_the_server_was_killed_in_between(
    nats_server: Nats, nats_url: str
) -> None:
    async with a_connected_bus(nats_url) as bus:
        first = await bus.publish(an_announcement(1))
        nats_server.kill()
        nats_server.start()
        again = await bus.publish(an_announcement(1), an_announcement(2))
    assert again == [*first, first[0] + 1]
