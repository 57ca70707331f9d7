"""The promises of `shared.bus` on a real NATS server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import nats
import pytest

from cli.local.nats import Nats
from shared.bus import Bus, DeadLetter, Received
from shared.errors import Permanent, Transient, Unavailable
from shared.messages import PaperAnnounced, PaperScored
from shared.provision import CONSUMERS, provision, streams
from shared.service import Service
from shared.verdict import MAX_ATTEMPTS, retry_delay
from tests.builders import a_scored, an_announcement
from tests.buses import a_bus, cancel_leftovers, counts, dead_letters, nothing, ready, running, settled
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(60)


async def test_a_handled_message_is_acknowledged_and_comes_once(nats_url: str) -> None:
    seen: list[int] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        seen.extend(received.event.position for received in batch)

    async with running(nats_url, handle) as service:
        await service.bus.publish(*(an_announcement(n) for n in range(25)))
        await eventually(lambda: len(seen) == 25)
        await eventually(lambda: settled(nats_url))
    assert seen == list(range(25))


async def test_publishing_the_same_key_again_stores_it_once(nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        first = await service.bus.publish(an_announcement(1), an_announcement(2))
        again = await service.bus.publish(an_announcement(2), an_announcement(1), an_announcement(3))
        stored = [received.event.position async for received in service.bus.read(PaperAnnounced)]
    assert again[:2] == [first[1], first[0]]
    assert stored == [1, 2, 3]


async def test_a_transient_failure_is_retried_until_attempts_run_out(nats_url: str) -> None:
    calls: list[int] = []

    async def flaky(batch: Sequence[Received[PaperAnnounced]]) -> None:
        calls.extend(received.attempt for received in batch)
        raise Transient("503")

    async with running(nats_url, flaky) as service:
        await service.bus.publish(an_announcement())
        await eventually(lambda: dead_letters(service))
        assert await dead_letters(service) == [("scorer", "Transient: 503")]
        await eventually(lambda: settled(nats_url))
    assert calls == list(range(1, MAX_ATTEMPTS + 1))


async def test_a_permanent_failure_is_buried_at_once(nats_url: str) -> None:
    calls: list[int] = []

    async def refuse(batch: Sequence[Received[PaperAnnounced]]) -> None:
        calls.append(len(batch))
        raise Permanent("no such thing")

    async with running(nats_url, refuse) as service:
        await service.bus.publish(an_announcement())
        await eventually(lambda: dead_letters(service))
    assert calls == [1]


async def test_a_body_that_cannot_be_read_is_buried_before_the_handler(nats_url: str) -> None:
    seen: list[int] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        seen.extend(received.event.position for received in batch)

    connection = await nats.connect(nats_url)
    await connection.jetstream().publish("papers.announced", b'{"paper": 1}')
    await connection.close()
    async with running(nats_url, handle) as service:
        await service.bus.publish(an_announcement(7))
        await eventually(lambda: seen == [7])
        await eventually(lambda: dead_letters(service))
        [(consumer, reason)] = await dead_letters(service)
    assert consumer == "scorer"
    assert "cannot be read: paper" in reason


async def test_a_bad_message_never_takes_good_ones_with_it(nats_url: str) -> None:
    done: list[int] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        if any(received.event.position == 3 for received in batch):
            raise Permanent("number three")
        done.extend(received.event.position for received in batch)

    bus, metrics, settings = a_bus(nats_url)
    bus.on_batch(PaperAnnounced, "scorer", handle, size=10)
    await bus.connect()
    await bus.publish(*(an_announcement(n) for n in range(10)))
    async with Service("test", settings, bus, metrics) as service:
        await eventually(lambda: len(done) == 9)
        await eventually(lambda: dead_letters(service))
    assert sorted(done) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


async def test_messages_are_held_while_something_is_away_and_no_attempt_is_counted(nats_url: str) -> None:
    calls: list[int] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        calls.append(batch[0].attempt)
        if len(calls) < 3:
            raise Unavailable("Postgres is away")

    async with running(nats_url, handle) as service:
        await service.bus.publish(an_announcement())
        await eventually(lambda: len(calls) == 3)
        await eventually(lambda: settled(nats_url))
        assert await dead_letters(service) == []
    assert calls == [1, 1, 1]


async def test_a_replica_whose_turn_it_is_not_takes_nothing(nats_url: str) -> None:
    turn = {"first": asyncio.Event(), "second": asyncio.Event()}
    turn["second"].set()
    seen: list[str] = []

    def a_replica(name: str) -> Service:
        bus, metrics, settings = a_bus(nats_url)

        async def handle(received: Received[PaperAnnounced]) -> None:
            seen.append(name)

        async def own_turn() -> None:
            await turn[name].wait()

        bus.on(PaperAnnounced, "scorer", handle, gate=own_turn)
        return Service("test", settings, bus, metrics)

    async with a_replica("first") as service, a_replica("second"):
        await service.bus.publish(*(an_announcement(n) for n in range(10)))
        await eventually(lambda: len(seen) == 10)
        assert set(seen) == {"second"}
    turn["first"].set()
    async with a_replica("first") as service:
        await service.bus.publish(an_announcement(10))
        await eventually(lambda: seen[10:] == ["first"])


async def test_a_slow_handler_is_not_a_dead_one(nats_server: Nats) -> None:
    await provision(nats_server.url, ack_wait=0.5)
    calls: list[int] = []
    finish = asyncio.Event()

    async def slow(batch: Sequence[Received[PaperAnnounced]]) -> None:
        calls.append(batch[0].attempt)
        await asyncio.wait_for(finish.wait(), 20)

    async with running(nats_server.url, slow) as service:
        await service.bus.publish(an_announcement())
        await eventually(lambda: bool(calls))
        loop = asyncio.get_running_loop()
        until = loop.time() + 2.0
        await eventually(lambda: loop.time() > until)  # four times ack_wait pass
        finish.set()
        await eventually(lambda: settled(nats_server.url))
    assert calls == [1]


async def test_what_a_killed_service_held_goes_to_another(nats_server: Nats) -> None:
    await provision(nats_server.url, ack_wait=0.5)
    held = asyncio.Event()
    done: list[int] = []

    async def hang(batch: Sequence[Received[PaperAnnounced]]) -> None:
        held.set()
        await asyncio.Event().wait()

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        done.extend(received.event.position for received in batch)

    bus, _, _ = a_bus(nats_server.url)
    bus.on_batch(PaperAnnounced, "scorer", hang)
    await bus.connect()
    await bus.start()
    await bus.publish(an_announcement(5))
    await asyncio.wait_for(held.wait(), 10)
    for settler in bus._settlers:
        settler[1].heartbeat = 3600
    await bus.connection.close()  # no goodbye, as in a kill
    async with running(nats_server.url, handle):
        await eventually(lambda: done == [5])
    await cancel_leftovers()


async def test_it_resumes_after_the_server_was_killed(nats_server: Nats) -> None:
    await provision(nats_server.url)
    done: list[int] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        done.extend(received.event.position for received in batch)

    async with running(nats_server.url, handle) as service:
        await service.bus.publish(an_announcement(1))
        await eventually(lambda: done == [1])
        nats_server.kill()
        await eventually(service.problems)
        publishing = asyncio.create_task(service.bus.publish(an_announcement(2), an_announcement(3)))
        nats_server.start()
        await asyncio.wait_for(publishing, 20)
        await eventually(lambda: sorted(done) == [1, 2, 3], timeout=20)
        await eventually(lambda: ready(service), timeout=20)


async def test_it_is_not_ready_when_its_consumer_is_deleted_and_ready_when_it_is_back(nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        assert await service.problems() == []
        await service.bus.js.delete_consumer("PAPERS", "scorer")
        assert await service.problems() == ["consumer scorer is missing: run `python -m shared.provision`"]
        await provision(nats_url)
        assert await service.problems() == []


async def test_it_waits_to_be_provisioned(nats_server: Nats) -> None:
    done: list[int] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        done.extend(received.event.position for received in batch)

    bus, metrics, settings = a_bus(nats_server.url)
    bus.on_batch(PaperAnnounced, "scorer", handle)
    service = Service("test", settings, bus, metrics)
    starting = asyncio.create_task(service.__aenter__())
    await eventually(lambda: bus.connected)
    assert not starting.done()
    assert await service.problems() == [
        "consumer scorer is missing: run `python -m shared.provision`",
        "starting",
    ]
    await provision(nats_server.url)
    await asyncio.wait_for(starting, 10)
    await service.bus.publish(an_announcement(4))
    await eventually(lambda: done == [4])
    await service.__aexit__(None, None, None)


async def test_stopping_waits_for_the_message_in_hand(nats_url: str) -> None:
    started, done = asyncio.Event(), asyncio.Event()

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        started.set()
        await asyncio.sleep(0.2)
        done.set()

    async with running(nats_url, handle) as service:
        await service.bus.publish(an_announcement())
        await asyncio.wait_for(started.wait(), 10)
    assert done.is_set()
    await eventually(lambda: settled(nats_url))


async def test_the_log_is_read_from_a_sequence_on(nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        sequences = await service.bus.publish(*(an_announcement(n) for n in range(5)))
        read = [r.event.position async for r in service.bus.read(PaperAnnounced, from_sequence=sequences[3])]
        none = [r async for r in service.bus.read(PaperScored)]
    assert read == [3, 4]
    assert none == []


async def test_a_message_is_a_cloud_event(nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        await service.bus.publish(an_announcement(paper=None))
        stored = await service.bus.js.get_msg("PAPERS", 1)
    headers = stored.headers or {}
    assert headers["ce-id"] == headers["Nats-Msg-Id"] == "announced:arxiv:2025-12-10:2512.00000v1"
    assert headers["ce-type"] == "org.paperwire.papers.announced"
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-source"] == "/paperwire/test"


async def test_a_trace_goes_on(nats_url: str) -> None:
    traces: list[str] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        traces.extend(received.traceparent for received in batch)

    async with running(nats_url, handle) as service:
        await service.bus.publish(an_announcement())
        await eventually(lambda: bool(traces))
        stored = await service.bus.js.get_msg("PAPERS", 1)
    assert (stored.headers or {})["traceparent"] == traces[0]


async def test_a_failed_message_is_not_tried_again_before_its_delay(nats_url: str) -> None:
    loop = asyncio.get_running_loop()
    tried: list[float] = []

    async def flaky(batch: Sequence[Received[PaperAnnounced]]) -> None:
        tried.append(loop.time())
        if len(tried) < 3:
            raise Transient("503")

    async with running(nats_url, flaky, delay=0.3) as service:
        await service.bus.publish(an_announcement())
        await eventually(lambda: len(tried) == 3)
    assert tried[1] - tried[0] >= 0.3
    assert tried[2] - tried[1] >= 0.6


async def test_a_bug_in_settling_a_message_does_not_lose_it(nats_server: Nats) -> None:
    await provision(nats_server.url, ack_wait=0.5)
    tried: list[int] = []

    async def flaky(batch: Sequence[Received[PaperAnnounced]]) -> None:
        tried.append(batch[0].attempt)
        if len(tried) == 1:
            raise Transient("503")

    def broken(attempt: int) -> float:
        raise ZeroDivisionError

    _, metrics, settings = a_bus(nats_server.url)
    bus = Bus(settings, "test", metrics, retry_delay=broken)
    bus.on_batch(PaperAnnounced, "scorer", flaky)
    async with Service("test", settings, bus, metrics):
        await bus.publish(an_announcement())
        await eventually(lambda: tried == [1, 2])
        await eventually(lambda: settled(nats_server.url))


def test_delays_grow_up_to_five_minutes() -> None:
    assert [retry_delay(attempt) for attempt in range(1, 7)] == [1, 4, 16, 64, 256, 300]


async def test_each_lane_takes_exactly_one_message(nats_url: str) -> None:
    finish = asyncio.Event()
    inside: list[int] = []

    async def wait(received: Received[PaperAnnounced]) -> None:
        inside.append(received.event.position)
        await finish.wait()

    bus, metrics, settings = a_bus(nats_url)
    bus.on(PaperAnnounced, "scorer", wait, lanes=3)
    async with Service("test", settings, bus, metrics):
        await bus.publish(*(an_announcement(n) for n in range(10)))
        await eventually(lambda: len(inside) == 3)
        assert await counts(nats_url) == (3, 7)
        finish.set()
        await eventually(lambda: settled(nats_url))
    assert sorted(inside) == list(range(10))


async def test_what_cannot_even_be_buried_stays_and_holds_nothing_else_back(nats_url: str) -> None:
    done: list[int] = []

    async def handle(batch: Sequence[Received[PaperAnnounced]]) -> None:
        if any(received.event.position == 1 for received in batch):
            raise Permanent("number one")
        done.extend(received.event.position for received in batch)

    async with running(nats_url, handle) as service:
        dead = next(stream for stream in streams(1) if stream.name == "DEAD")
        await service.bus.js.update_stream(dead.evolve(max_msg_size=10))
        await service.bus.publish(*(an_announcement(n) for n in range(4)))
        await eventually(lambda: sorted(done) == [0, 2, 3])
        await eventually(lambda: only_one_is_left(nats_url))


async def only_one_is_left(url: str) -> bool:
    return await counts(url) == (1, 0)


async def test_a_reason_of_any_characters_can_be_buried(nats_url: str) -> None:
    async def refuse(batch: Sequence[Received[PaperAnnounced]]) -> None:
        raise Permanent("\ud800\r\nDead-Consumer: é\x00")

    async with running(nats_url, refuse) as service:
        await service.bus.publish(an_announcement())
        await eventually(lambda: dead_letters(service))
        assert await dead_letters(service) == [("scorer", "Permanent: ? Dead-Consumer: é\x00")]


async def test_a_slow_reader_of_dead_letters_is_not_a_dead_one(nats_server: Nats) -> None:
    await provision(nats_server.url, ack_wait=0.5)
    loop = asyncio.get_running_loop()
    seen: list[str] = []

    async def slow(letter: DeadLetter) -> None:
        seen.append(letter.reason)
        until = loop.time() + 1.5
        await eventually(lambda: loop.time() > until)  # three times ack_wait pass

    bus, metrics, settings = a_bus(nats_server.url)
    bus.on_dead("publisher-dead", slow)
    async with Service("test", settings, bus, metrics):
        for reason in ("first", "second"):
            await bus.js.publish("dead.papers.announced", b"{}", headers={"Dead-Reason": reason})
        await eventually(lambda: letters_settled(bus))
    assert seen == ["first", "second"]


async def letters_settled(bus: Bus) -> bool:
    info = await bus.js.consumer_info("DEAD", "publisher-dead")
    return not info.num_ack_pending and not info.num_pending


async def test_dead_letters_of_any_make_can_be_read(nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        await service.bus.js.publish("dead.papers.announced", b"\xff", headers={"Dead-Attempts": "many"})
        assert await dead_letters(service) == [("unknown", "unknown")]


async def test_reading_the_log_leaves_out_what_cannot_be_read(nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        await service.bus.js.publish("papers.scored", b"garbage")
        await service.bus.publish(a_scored(1))
        assert [received.event.position async for received in service.bus.read(PaperScored)] == [1]


async def test_reading_the_log_leaves_nothing_behind_when_it_is_left_early(nats_url: str) -> None:
    async with running(nats_url, nothing) as service:
        await service.bus.publish(*(an_announcement(n) for n in range(5)))
        async with aclosing(service.bus.read(PaperAnnounced)) as log:
            first = await anext(log)
        names = {info.name for info in await service.bus.js.consumers_info("PAPERS")}
    assert first.event.position == 0
    assert names == {name for name, consumer in CONSUMERS.items() if consumer.stream == "PAPERS"}
