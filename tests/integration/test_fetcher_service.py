from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cli.local.arxiv import CUT, HTML, UNAVAILABLE, Fault, Replay, rate_limited, replay_app
from cli.local.nats import Nats
from cli.local.serving import serving
from services.fetcher import core
from services.fetcher.app import build
from services.fetcher.core import Cursor, Plan
from services.fetcher.cursor import ANNOUNCED, Ledger, key_of
from services.fetcher.settings import Settings
from services.fetcher.sources.arxiv_rss import parse
from shared.bus import Bus
from shared.messages import BatchClosed, PaperAnnounced
from shared.metrics import Metrics
from shared.provision import FETCHER_BUCKET
from shared.service import Service
from shared.settings import ServiceSettings
from tests.announcements import ALL, WEEK, WEEKEND, recorded
from tests.waiting import eventually

WEDNESDAY = recorded(WEEK[2])
FEEDS = """
[[feed]]
slug = "llm"
title = "LLM"
categories = ["cs.AI", "cs.CL"]
keywords = ["LLM"]

[[feed]]
slug = "systems"
title = "Systems"
categories = ["cs.DC", "cs.CL", "cs.LG"]
keywords = ["GPU"]
"""


@dataclass
class World:
    """A NATS server, something like rss.arxiv.org, and a way to look at what came of it."""

    nats_url: str
    rss_url: str
    feeds_file: Path
    bus: Bus
    arxiv: Replay = field(default_factory=Replay)

    def settings(self, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "nats_url": self.nats_url,
            "feeds_file": self.feeds_file,
            "contact": "test@localhost",
            "arxiv_rss_url": self.rss_url,
            "check_listing": False,
            "arxiv_interval": 0,
            "poll_interval": 0.05,
            "retry_delay": 0.1,
            "lease_seconds": 1,
            "probe_port": 0,
        }
        return Settings(**values | changes)

    def environment(self, **changes: Any) -> dict[str, str]:
        values = {name.upper(): str(value) for name, value in self.settings(**changes).model_dump().items()}
        return os.environ | values

    async def papers(self) -> list[PaperAnnounced]:
        return [received.event async for received in self.bus.read(PaperAnnounced)]

    async def batches(self) -> list[BatchClosed]:
        return [received.event async for received in self.bus.read(BatchClosed)]

    async def ledger(self) -> Ledger:
        return await Ledger.load(self.bus)

    async def closed(self, *expected: tuple[str, int], within: float = 10) -> list[BatchClosed]:
        async def they_are() -> list[BatchClosed]:
            batches = await self.batches()
            assert [(batch.batch, batch.papers) for batch in batches] == list(expected)
            ledger = await self.ledger()
            assert ledger.open is None
            assert ledger.state
            assert ledger.state.newest == batches[-1].date
            return batches

        return await eventually(they_are, timeout=within)


@pytest.fixture
async def world(nats_url: str, tmp_path: Path) -> AsyncIterator[World]:
    feeds_file = tmp_path / "feeds.toml"
    feeds_file.write_text(FEEDS, encoding="utf-8")
    arxiv = Replay({ALL: WEDNESDAY})
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    async with serving(replay_app(arxiv)) as url:
        yield World(nats_url, f"{url}/rss", feeds_file, bus, arxiv)
    await bus.stop()


def sample(service: Service, name: str, **labels: str) -> float:
    value = service.metrics.registry.get_sample_value(name, labels)
    assert value is not None
    return value


async def test_an_announcement_goes_out_whole_and_is_closed(world: World) -> None:
    async with build(world.settings()) as service:
        (batch,) = await world.closed(("arxiv:2025-12-10", 199))
        papers = await world.papers()

        assert [paper.position for paper in papers] == list(range(199))
        assert papers[0].paper.id == "2512.07841"
        assert {paper.batch for paper in papers} == {"arxiv:2025-12-10"}
        assert (batch.reason, batch.first_sequence, batch.source) == (None, 1, "arxiv")
        midnight = datetime(2025, 12, 10, 5, tzinfo=UTC).timestamp()
        assert sample(service, "paperwire_newest_announcement_timestamp_seconds") == midnight
        assert await service.problems() == []


async def test_one_request_asks_for_the_categories_of_all_feeds_and_says_who_asks(world: World) -> None:
    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))

    asked = world.arxiv.asked[0]
    assert asked.path == "/rss/cs.AI+cs.CL+cs.DC+cs.LG"
    assert asked.headers["user-agent"].startswith("paperwire/")
    assert asked.headers["user-agent"].endswith(" (+test@localhost)")


async def test_a_document_is_downloaded_once(world: World) -> None:
    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))
        await eventually(lambda: len(world.arxiv.asked) >= 3)

    assert [asked.status for asked in world.arxiv.asked][:3] == [200, 304, 304]
    assert "if-none-match" not in world.arxiv.asked[0].headers
    assert "if-modified-since" in world.arxiv.asked[1].headers


async def test_other_categories_are_asked_for_without_the_old_validators(world: World) -> None:
    world.arxiv.documents = {"cs.AI": recorded("cs.AI.2025-12-10.xml"), ALL: WEDNESDAY}
    world.feeds_file.write_text(FEEDS.split("\n\n", maxsplit=1)[0].replace(', "cs.CL"', ""), encoding="utf-8")
    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 109))
        world.feeds_file.write_text(FEEDS, encoding="utf-8")
        await world.closed(("arxiv:2025-12-10", 109), ("arxiv:2025-12-10.2", 90))

    papers = [paper.paper.id for paper in await world.papers()]
    assert len(papers) == len(set(papers)) == 199


async def test_the_recorded_week_closes_every_day_and_announces_no_paper_twice(world: World) -> None:
    expected = []
    async with build(world.settings()):
        for name, count in zip(WEEK, (173, 342, 199, 197, 212), strict=True):
            world.arxiv.documents[ALL] = recorded(name)
            expected.append((f"arxiv:{name.split('.')[-2]}", count))
            await world.closed(*expected)

    papers = [paper.paper.id for paper in await world.papers()]
    assert len(papers) == len(set(papers)) == 1_123


async def test_an_empty_weekend_is_a_closed_batch_with_its_reason(world: World) -> None:
    world.arxiv.documents = {ALL: recorded(WEEKEND)}
    async with build(world.settings()):
        (batch,) = await world.closed(("arxiv:2026-08-01", 0))

    assert batch.reason == "weekend"
    assert await world.papers() == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (rate_limited(), "rate limited"),
        (UNAVAILABLE, "unavailable"),
        (Fault(404, b"Not Found"), "refused"),
        (Fault(302, headers={"Location": "http://elsewhere.example/rss/cs.AI"}), "refused"),
        (HTML, "unusable document"),
        (CUT, "unreachable"),
        (Fault(200, WEDNESDAY[:200_000]), "unusable document"),
        (Fault(200, b"x" * (33 * 1024 * 1024)), "unusable document"),
        (Fault(200, b""), "unusable document"),
    ],
    ids=["429", "503", "404", "other host", "HTML", "cut transfer", "half a document", "too large", "nothing"],
)
async def test_a_bad_answer_publishes_nothing_leaves_the_cursor_and_says_why(
    world: World, fault: Fault, reason: str
) -> None:
    world.arxiv.fault = fault
    async with build(world.settings()) as service:

        async def told() -> bool:
            state = (await world.ledger()).state
            return state is not None and state.failures >= 2 and (state.reason or "").startswith(f"{reason}: ")

        await eventually(told)
        assert sample(service, "paperwire_fetch_failures_total", reason=reason) >= 2
        assert await service.problems() == []
        assert (await world.papers(), await world.batches()) == ([], [])
        assert (await world.ledger()).cursor == Cursor()

        world.arxiv.fault = None
        await world.closed(("arxiv:2025-12-10", 199))


async def test_the_reason_of_a_failure_names_no_password(world: World) -> None:
    async with build(world.settings(arxiv_rss_url="http://me:secret@127.0.0.1:9/rss")):

        async def reason() -> str | None:
            state = (await world.ledger()).state
            return state.reason if state else None

        told = await eventually(reason)
    assert told is not None
    assert told.startswith("unreachable: http://127.0.0.1:9/rss/")


async def test_an_old_feed_is_told_as_stale_and_publishes_nothing(world: World) -> None:
    async with build(world.settings()) as service:
        await world.closed(("arxiv:2025-12-10", 199))
        await eventually(lambda: sample(service, "paperwire_fetch_upstream_stale") == 1)

        state = (await world.ledger()).state
        assert state is not None
        assert state.outcome == "upstream stale"
        assert len(await world.batches()) == 1


async def test_retry_after_is_obeyed_also_by_the_next_replica(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world.arxiv.faults.append(rate_limited("120"))
    async with build(world.settings()):

        async def told() -> bool:
            state = (await world.ledger()).state
            return bool(state and state.retry_at and state.retry_at > datetime.now(UTC) + timedelta(seconds=100))

        await eventually(told)
    async with build(world.settings()):
        await eventually(lambda: "waiting until the source may be asked again" in caplog.text)

    assert len(world.arxiv.asked) == 1


async def test_two_replicas_fetch_once(world: World) -> None:
    settings = world.settings(poll_interval=600)
    async with build(settings) as one, build(settings) as two:
        await world.closed(("arxiv:2025-12-10", 199))
        held = [sample(service, "paperwire_fetch_lease_held") for service in (one, two)]

    assert sorted(held) == [0, 1]
    assert len(world.arxiv.asked) == 1


async def test_two_replicas_together_keep_the_interval(world: World) -> None:
    settings = world.settings(arxiv_interval=0.3, poll_interval=0.001)
    async with build(settings), build(settings):
        await eventually(lambda: len(world.arxiv.asked) >= 2)
    async with build(settings), build(settings):
        await eventually(lambda: len(world.arxiv.asked) >= 5)

    asked = world.arxiv.asked
    assert min(later.began - earlier.ended for earlier, later in pairwise(asked)) >= 0.29


async def test_a_stopped_replica_gives_the_lease_back_at_once(world: World) -> None:
    settings = world.settings(lease_seconds=600)
    async with build(settings):
        await world.closed(("arxiv:2025-12-10", 199))
    world.arxiv.documents[ALL] = recorded(WEEK[3])

    async with build(settings):
        await world.closed(("arxiv:2025-12-10", 199), ("arxiv:2025-12-11", 197))


async def test_giving_the_lease_back_is_no_warning(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="services.fetcher.lease")
    async with build(world.settings()) as service:
        await eventually(lambda: sample(service, "paperwire_fetch_lease_held") == 1)
    told = [(record.levelname, record.message) for record in caplog.records if "lease" in record.message]
    assert told == [("INFO", "lease taken"), ("INFO", "lease released")]


async def test_a_killed_replica_is_replaced_when_its_lease_runs_out(world: World) -> None:
    async with running(world, poll_interval=600) as first:
        await world.closed(("arxiv:2025-12-10", 199))
        world.arxiv.documents[ALL] = recorded(WEEK[3])
        async with build(world.settings()) as second:
            assert sample(second, "paperwire_fetch_lease_held") == 0
            first.send_signal(signal.SIGKILL)
            await world.closed(("arxiv:2025-12-10", 199), ("arxiv:2025-12-11", 197))


@asynccontextmanager
async def running(world: World, **changes: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.fetcher", env=world.environment(**changes), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_sigterm_ends_the_process_in_order(world: World) -> None:
    async with running(world) as process:
        await world.closed(("arxiv:2025-12-10", 199))
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def planned(world: World) -> tuple[Ledger, Plan]:
    ledger = await world.ledger()
    decision = core.decide(
        parse(WEDNESDAY), cursor=ledger.cursor, history=ledger.history, now=datetime(2025, 12, 10, 12, tzinfo=UTC)
    )
    assert isinstance(decision, Plan)
    await ledger.begin(decision, WEDNESDAY)
    return ledger, decision


@pytest.mark.parametrize("published", [0, 1, 100, 199])
@pytest.mark.parametrize("arxiv_has_moved_on", [False, True])
async def test_a_batch_that_was_begun_by_a_dead_replica_is_finished(
    world: World, published: int, arxiv_has_moved_on: bool
) -> None:
    _, plan = await planned(world)
    if published:
        await world.bus.publish(*core.announced(parse(WEDNESDAY), plan)[:published])
    if arxiv_has_moved_on:
        world.arxiv.documents[ALL] = recorded(WEEK[3])

    async with build(world.settings()):
        later = [("arxiv:2025-12-11", 197)] if arxiv_has_moved_on else []
        first, *_ = await world.closed(("arxiv:2025-12-10", 199), *later)

    papers = [paper for paper in await world.papers() if paper.batch == "arxiv:2025-12-10"]
    assert sorted(paper.position for paper in papers) == list(range(199))
    assert first.first_sequence == 1


@pytest.mark.parametrize("remembered", [False, True])
async def test_a_batch_that_was_closed_by_a_dead_replica_is_not_closed_twice(world: World, remembered: bool) -> None:
    _, plan = await planned(world)
    sequences = await world.bus.publish(*core.announced(parse(WEDNESDAY), plan))
    await world.bus.publish(core.closed(plan, 199, sequences))
    if remembered:
        bucket = await world.bus.key_value(FETCHER_BUCKET)
        await bucket.put(key_of(plan.day, plan.number), "\n".join(plan.kinds).encode())

    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))
        world.arxiv.documents[ALL] = recorded(WEEK[3])
        await world.closed(("arxiv:2025-12-10", 199), ("arxiv:2025-12-11", 197))

    assert len(await world.papers()) == 199 + 197


async def test_a_begun_batch_whose_document_is_gone_is_decided_anew(world: World) -> None:
    _, plan = await planned(world)
    documents = await world.bus.object_store("ANNOUNCEMENTS")
    await documents.delete(plan.batch)

    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))


async def test_a_begun_batch_whose_document_was_replaced_by_a_late_replica_loses_no_paper(world: World) -> None:
    _, plan = await planned(world)
    documents = await world.bus.object_store("ANNOUNCEMENTS")
    await documents.put(plan.batch, recorded("cs.AI.2025-12-10.xml"))

    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))


async def test_an_announcement_that_is_fetched_again_with_no_memory_adds_nothing(world: World) -> None:
    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))
    before = await world.papers()
    bucket = await world.bus.key_value(FETCHER_BUCKET)
    for key in await bucket.keys():
        await bucket.purge(key)

    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))

    assert await world.papers() == before
    assert [asked.status for asked in world.arxiv.asked].count(200) == 2


async def test_a_replica_that_lost_its_lease_unnoticed_cannot_begin_a_batch(world: World) -> None:
    sleeper = await world.ledger()
    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))
    decision = core.decide(
        parse(WEDNESDAY), cursor=sleeper.cursor, history=sleeper.history, now=datetime(2025, 12, 10, 12, tzinfo=UTC)
    )
    assert isinstance(decision, Plan)

    with pytest.raises(Exception, match="another replica has changed 'open'"):
        await sleeper.begin(decision, WEDNESDAY)


async def test_papers_of_long_ago_are_forgotten(world: World) -> None:
    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))
    ledger = await world.ledger()

    await ledger.prune(datetime(2027, 1, 14, tzinfo=UTC).date())
    assert (await world.ledger()).history.seen
    await ledger.prune(datetime(2027, 1, 15, tzinfo=UTC).date())

    bucket = await world.bus.key_value(FETCHER_BUCKET)
    assert not [key for key in await bucket.keys() if key.startswith(ANNOUNCED)]


async def test_a_broken_feeds_file_is_told_and_mended_without_a_restart(world: World) -> None:
    async with build(world.settings()) as service:
        await world.closed(("arxiv:2025-12-10", 199))
        world.feeds_file.write_text("[[feed]", encoding="utf-8")
        await eventually(lambda: sample(service, "paperwire_fetch_failures_total", reason="feed configuration") >= 1)
        world.arxiv.documents[ALL] = recorded(WEEK[3])
        world.feeds_file.write_text(FEEDS, encoding="utf-8")

        await world.closed(("arxiv:2025-12-10", 199), ("arxiv:2025-12-11", 197))


async def test_it_goes_on_after_nats_was_away(world: World, nats_server: Nats) -> None:
    async with build(world.settings()):
        await world.closed(("arxiv:2025-12-10", 199))
        await asyncio.to_thread(nats_server.stop)
        world.arxiv.documents[ALL] = recorded(WEEK[3])
        await asyncio.to_thread(nats_server.start)

        await eventually(lambda: world.bus.connected)
        await world.closed(("arxiv:2025-12-10", 199), ("arxiv:2025-12-11", 197), within=40)


async def test_every_failure_has_its_series_from_the_start(world: World) -> None:
    service = build(world.settings())

    reasons = ("unreachable", "rate limited", "unavailable", "refused", "unusable document", "nats", "internal")
    assert [sample(service, "paperwire_fetch_failures_total", reason=reason) for reason in reasons] == [0.0] * 7
