"""The feeds' searches beside the announcement: a batch of their own for each day, the same after every death."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nats.js.errors import KeyNotFoundError

from cli.local.arxiv import Fault, Replay, api, rate_limited, replay_app
from cli.local.serving import serving
from services.fetcher.app import build
from services.fetcher.searching import SEARCHED, Findings
from services.fetcher.settings import Settings
from services.fetcher.sources.arxiv_api import parse
from shared.bus import Bus
from shared.messages import BatchClosed, FetchProgressed, FetchRequested, PaperAnnounced
from shared.metrics import Metrics
from shared.provision import ANNOUNCEMENTS_BUCKET, FETCHER_BUCKET
from shared.settings import ServiceSettings
from tests.announcements import RECORDED, WEEK, recorded
from tests.builders import DAY
from tests.waiting import eventually

FEEDS = """
[[feed]]
slug = "tests"
title = "Testing"
categories = ["cs.AI"]
search = "all:testing"

[[feed]]
slug = "others"
categories = ["cs.CL"]
keywords = ["LLM"]
search = "all:others"
"""
TESTING = (RECORDED / "atom" / "q_testing_start0_max100.xml").read_bytes()
BATCH = "arxiv-search:2025-12-10"


@dataclass
class World:
    """arXiv's announcement and query API, and the fetcher between them and NATS."""

    bus: Bus
    arxiv: Replay
    feeds_file: Path
    values: dict[str, Any]

    def settings(self) -> Settings:
        return Settings(**self.values)

    async def batches(self) -> dict[str, BatchClosed]:
        return {received.event.batch: received.event async for received in self.bus.read(BatchClosed)}

    async def found(self, batch: str) -> list[PaperAnnounced]:
        return [received.event async for received in self.bus.read(PaperAnnounced) if received.event.batch == batch]

    async def told(self) -> list[FetchProgressed]:
        return [received.event async for received in self.bus.read(FetchProgressed)]

    async def closed(self, batch: str) -> BatchClosed:
        async def it_is() -> bool:
            return batch in await self.batches()

        await eventually(it_is)
        return (await self.batches())[batch]

    async def searched(self, day: str) -> None:
        bucket = await self.bus.key_value(FETCHER_BUCKET)

        async def it_is() -> bool:
            with suppress(KeyNotFoundError):
                return (await bucket.get(SEARCHED)).value == day.encode()
            return False

        await eventually(it_is)


@pytest.fixture
async def world(nats_url: str, tmp_path: Path) -> AsyncIterator[World]:
    feeds_file = tmp_path / "feeds.toml"
    feeds_file.write_text(FEEDS, encoding="utf-8")
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    arxiv = Replay({"cs.AI+cs.CL": recorded(WEEK[2])})
    arxiv.api = api.entries(recent(TESTING))
    async with serving(replay_app(arxiv)) as url:
        values = {
            "nats_url": nats_url,
            "feeds_file": feeds_file,
            "contact": "test@localhost",
            "arxiv_rss_url": f"{url}/rss",
            "arxiv_api_url": f"{url}/api/query",
            "arxiv_interval": 0,
            "poll_interval": 0.1,
            "retry_delay": 0.1,
            "lease_seconds": 1,
            "probe_port": 0,
        }
        yield World(bus, arxiv, feeds_file, values)
    await bus.stop()


def recent(document: bytes) -> bytes:
    """The first three papers, as if they had been submitted the day before the announcement."""
    head, *entries = document.split(b"<entry>")
    entries = [entry.replace(b"<published>2", b"<published>2025-12-09T12:00:00Z</published><x>2") for entry in entries]
    entries = [entry.replace(b"</published>\n", b"</x>\n", 1) for entry in entries]
    return b"<entry>".join([head, *entries[:3]]) + b"</feed>"


async def test_what_the_searches_find_is_a_batch_of_its_own_after_the_days(world: World) -> None:
    async with build(world.settings()):
        closed = await world.closed(BATCH)
        await world.searched("2025-12-10")

    papers = await world.found(BATCH)
    assert (closed.papers, closed.source, closed.reason) == (3, "arxiv-search", None)
    assert {paper.found_by for paper in papers} == {("all:testing", "all:others")}
    assert {(paper.kind, str(paper.date)) for paper in papers} == {("new", "2025-12-10")}
    assert "arxiv:2025-12-10" in await world.batches()
    assert [asked["search_query"] for asked in world.arxiv.arguments("/api/")] == ["all:testing", "all:others"]


async def test_the_next_day_brings_only_what_is_new_and_an_empty_day_is_no_batch(world: World) -> None:
    async with build(world.settings()):
        await world.searched("2025-12-10")
        world.arxiv.documents["cs.AI+cs.CL"] = recorded(WEEK[3])
        await world.searched("2025-12-11")
        world.arxiv.api |= api.entries((RECORDED / "atom" / "id_1707.08567.xml").read_bytes())
        world.arxiv.documents["cs.AI+cs.CL"] = recorded(WEEK[4])
        await world.closed("arxiv-search:2025-12-12")

    assert "arxiv-search:2025-12-11" not in await world.batches()
    assert [paper.paper.id for paper in await world.found("arxiv-search:2025-12-12")] == ["1707.08567"]


async def test_trouble_is_tried_again_and_a_bad_search_costs_only_itself(world: World) -> None:
    refusal = (RECORDED / "error_incorrect_id_format_abc_http400.xml").read_bytes()
    trouble = [rate_limited(), rate_limited(), Fault(400, refusal)]
    world.arxiv.faults.extend(fault.at("/api/") for fault in trouble)
    async with build(world.settings()):
        assert (await world.closed(BATCH)).papers == 3

    assert {paper.found_by for paper in await world.found(BATCH)} == {("all:others",)}


async def test_a_batch_that_a_dead_replica_began_is_finished_as_it_was_decided(world: World) -> None:
    findings = Findings(DAY, None)
    findings.add("all:testing", parse(recent(TESTING)))
    plan = findings.plan()
    store = await world.bus.object_store(ANNOUNCEMENTS_BUCKET)
    await store.put(BATCH, plan.model_dump_json().encode())
    await world.bus.publish(*plan.papers[:1])

    async with build(world.settings()):
        await world.searched("2025-12-10")

    assert await world.found(BATCH) == list(plan.papers)
    assert (await world.batches())[BATCH].first_sequence is not None
    assert world.arxiv.arguments("/api/") == []


async def test_without_a_search_nothing_is_asked(world: World) -> None:
    without = FEEDS.replace('search = "all:testing"', 'keywords = ["LLM"]').replace('search = "all:others"', "")
    world.feeds_file.write_text(without, encoding="utf-8")
    async with build(world.settings()):
        await world.closed("arxiv:2025-12-10")
        await eventually(lambda: len(world.arxiv.arguments("/rss")) >= 4)

    assert world.arxiv.arguments("/api/") == []
    assert list(await world.batches()) == ["arxiv:2025-12-10"]


async def test_an_order_of_ids_is_taken_and_answered_beside_all_that(world: World) -> None:
    known = next(iter(world.arxiv.api))
    async with build(world.settings()) as fetcher:
        await world.bus.publish(FetchRequested(order="two", what="ids", ids=(known, "0808.05394")))

        async def done() -> bool:
            return any(report.state == "done" for report in await world.told())

        await eventually(done)
        await world.searched("2025-12-10")
        of_feed, of_api = (len(world.arxiv.arguments(path)) for path in ("/rss", "/api/"))
        counted = fetcher.metrics.registry.get_sample_value("paperwire_fetch_requests_total")

    assert of_api >= 4  # two searches, the ids, and the missing one once more
    assert (counted or 0) >= of_feed + of_api
    last = (await world.told())[-1]
    assert (last.papers, last.total, last.detail) == (1, 2, "not found: 0808.05394")
    assert [paper.paper.versioned_id for paper in await world.found("backfill:two")] == [known]
