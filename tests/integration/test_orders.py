"""Orders carried out by real fetchers against a local OAI-PMH server with recorded pages, deaths included."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli.local.arxiv import HTML, UNAVAILABLE, Fault, Replay, protocol_error, rate_limited, replay_app
from cli.local.serving import serving
from services.fetcher.app import build
from services.fetcher.settings import Settings
from shared.bus import Bus
from shared.messages import FetchProgressed, FetchRequested, PaperAnnounced
from shared.metrics import Metrics
from shared.provision import provision
from shared.settings import ServiceSettings
from tests.announcements import ALL, WEEK, WEEKEND
from tests.announcements import recorded as announcement
from tests.oai import LAST_PAGE, PAGE_1, PAGE_2, RAW_1, RAW_2, recorded
from tests.waiting import eventually

DAY = date(2016, 3, 9)
THREE_PAGES = (PAGE_1, PAGE_2, LAST_PAGE)
RECORDS = 2_538
ACK_WAIT = 1.0
FEEDS = '[[feed]]\nslug = "a"\ntitle = "A"\ncategories = ["cs.AI"]\nkeywords = ["LLM"]\n'


class World:
    """NATS, something like arXiv's hosts, and a way to give orders and look at what came of them."""

    def __init__(self, nats_url: str, arxiv_url: str, feeds_file: Path, bus: Bus) -> None:
        self.values: dict[str, Any] = {
            "nats_url": nats_url,
            "feeds_file": feeds_file,
            "contact": "test@localhost",
            "arxiv_rss_url": f"{arxiv_url}/rss",
            "arxiv_oai_url": f"{arxiv_url}/oai",
            "arxiv_interval": 0,
            "poll_interval": 600,
            "retry_delay": 0.1,
            "lease_seconds": 1,
            "probe_port": 0,
        }
        self.bus = bus

    def settings(self, **changes: Any) -> Settings:
        return Settings(**self.values | changes)

    @asynccontextmanager
    async def process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The real fetcher."""
        environment = os.environ | {name.upper(): str(value) for name, value in self.values.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.fetcher", env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def order(self, name: str = "cs", **changes: Any) -> None:
        values: dict[str, Any] = {"what": "backfill", "since": DAY, "until": DAY, "set": "cs", "form": "arXiv"}
        await self.bus.publish(FetchRequested(order=name, **values | changes))

    async def progress(self, name: str = "cs") -> list[FetchProgressed]:
        return [found.event async for found in self.bus.read(FetchProgressed) if found.event.order == name]

    async def ended(self, name: str = "cs", *, within: float = 30) -> FetchProgressed:
        async def it_has() -> FetchProgressed:
            told = await self.progress(name)
            assert told
            assert told[-1].state in ("done", "failed")
            return told[-1]

        return await eventually(it_has, timeout=within)

    async def backfilled(self) -> list[PaperAnnounced]:
        return [found.event async for found in self.bus.read(PaperAnnounced) if found.event.kind == "backfill"]


@pytest.fixture
def arxiv() -> Replay:
    replay = Replay({ALL: announcement(WEEKEND)})
    replay.oai.pages["arXiv"] = {DAY: [partial(recorded, name) for name in THREE_PAGES]}
    return replay


@pytest.fixture
async def world(nats_url: str, tmp_path: Path, arxiv: Replay) -> AsyncIterator[World]:
    await provision(nats_url, ack_wait=ACK_WAIT)
    feeds_file = tmp_path / "feeds.toml"
    feeds_file.write_text(FEEDS, encoding="utf-8")
    async with AsyncExitStack() as opened:
        url = await opened.enter_async_context(serving(replay_app(arxiv)))
        bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
        await bus.connect()
        opened.push_async_callback(bus.stop)
        yield World(nats_url, url, feeds_file, bus)


def distinct(papers: list[PaperAnnounced]) -> int:
    return len({paper.paper.id for paper in papers})


async def test_a_range_is_harvested_and_its_progress_told(world: World) -> None:
    async with build(world.settings()):
        await world.order()
        last = await world.ended()
    papers, told = await world.backfilled(), await world.progress()

    assert (len(papers), distinct(papers)) == (RECORDS, RECORDS)
    assert {paper.batch for paper in papers} == {"backfill:cs"}
    assert sorted(paper.position for paper in papers) == list(range(RECORDS))
    assert (last.state, last.papers, last.total, last.reached) == ("done", RECORDS, RECORDS, DAY)
    assert [event.papers for event in told] == [0, 1000, 2000, 2538, 2538, 2538]
    assert [event.step for event in told] == list(range(6))
    assert [event.state for event in told] == ["started", *["running"] * 4, "done"]


async def test_a_fetcher_killed_in_every_page_loses_no_record_and_sends_none_twice(world: World, arxiv: Replay) -> None:
    await world.order()
    for page in range(1, len(THREE_PAGES) + 1):
        async with world.process() as fetcher:
            await eventually(partial(amid, world, page), timeout=30)
            fetcher.send_signal(signal.SIGKILL)
            await fetcher.wait()
    async with world.process():
        last = await world.ended(within=60)
    papers = await world.backfilled()

    assert (last.state, last.papers) == ("done", RECORDS)
    assert (len(papers), distinct(papers)) == (RECORDS, RECORDS)
    assert len(arxiv.arguments("/oai")) > len(THREE_PAGES)


async def amid(world: World, page: int) -> bool:
    """Whether some of the page's papers are in the stream."""
    info = await world.bus.js.stream_info("PAPERS", subjects_filter=PaperAnnounced.SUBJECT)
    return (info.state.subjects or {}).get(PaperAnnounced.SUBJECT, 0) > 1000 * (page - 1)


async def test_an_order_given_again_is_answered_again_without_work(world: World, arxiv: Replay) -> None:
    async with build(world.settings()):
        await world.order()
        await world.ended()
        asked = len(arxiv.arguments("/oai"))
        again = FetchRequested(order="cs", what="backfill", since=DAY, until=DAY, set="cs", form="arXiv")
        # As long after the first that the stream no longer knows it.
        await world.bus.js.publish(again.SUBJECT, again.model_dump_json().encode())

        async def answered() -> bool:
            return [event.state for event in await world.progress()].count("done") == 2

        await eventually(answered)

    assert len(arxiv.arguments("/oai")) == asked
    assert len(await world.backfilled()) == RECORDS


async def test_an_expired_token_costs_only_a_repetition(world: World, arxiv: Replay) -> None:
    pages = arxiv.oai.pages["arXiv"]

    def expiring() -> bytes:
        arxiv.oai.generation += 1
        pages[DAY] = [partial(recorded, name) for name in THREE_PAGES]
        return recorded(PAGE_1)

    pages[DAY] = [expiring, *pages[DAY][1:]]
    async with build(world.settings()):
        await world.order()
        last = await world.ended()
    papers, told = await world.backfilled(), await world.progress()

    assert (last.state, last.papers) == ("done", RECORDS)
    assert (len(papers), distinct(papers)) == (RECORDS, RECORDS)
    assert any("badResumptionToken" in (event.detail or "") for event in told)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (rate_limited("1"), "rate limited"),
        (UNAVAILABLE, "unavailable"),
        (HTML, "unusable document: got an HTML page"),
        (Fault(200, b"<OAI-PMH"), "unusable document"),
    ],
    ids=["429", "503", "HTML", "cut"],
)
async def test_a_bad_answer_is_told_and_asked_for_again(world: World, arxiv: Replay, fault: Fault, told: str) -> None:
    arxiv.faults.append(fault.at("/oai"))
    async with build(world.settings()):
        await world.order()
        last = await world.ended()
    details = [event.detail for event in await world.progress() if event.detail]

    assert (last.state, last.papers, last.detail) == ("done", RECORDS, None)
    assert [detail.startswith(told) for detail in details] == [True]


@pytest.mark.parametrize("status", [200, 400])
async def test_an_illegal_order_fails_with_the_source_s_words(world: World, arxiv: Replay, status: int) -> None:
    refusal = protocol_error("badArgument", "There is no such set.")
    arxiv.faults.append(replace(refusal, status=status))
    async with build(world.settings()):
        await world.order()
        last = await world.ended()

    assert last.state == "failed"
    assert last.detail == "the source refuses the order: badArgument: There is no such set."


async def test_days_without_records_are_done_without_papers(world: World, arxiv: Replay) -> None:
    async with build(world.settings()):
        await world.order(since=date(2016, 3, 1), until=date(2016, 3, 31))
        last = await world.ended()

    assert (last.state, last.papers, last.reached) == ("done", RECORDS, date(2016, 3, 31))
    assert [asked.get("from") for asked in arxiv.arguments("/oai") if "from" in asked] == [
        f"2016-03-{day:02}" for day in (1, 2, 4, 8, 16)
    ]


async def test_the_raw_form_brings_the_versions(world: World, arxiv: Replay) -> None:
    arxiv.oai.pages["arXivRaw"] = {DAY: [recorded(RAW_1), recorded(RAW_2)]}
    async with build(world.settings()):
        await world.order(form="arXivRaw")
        await world.ended()
    papers = {paper.paper.versioned_id: paper.date for paper in await world.backfilled()}

    assert papers["2609.27532v2"] == date(2026, 9, 24)
    assert len(papers) == 4


async def test_an_order_for_now_looks_at_the_announcement_at_once(world: World, arxiv: Replay) -> None:
    async with build(world.settings()):
        await eventually(lambda: len(arxiv.arguments("/rss")) == 1)
        arxiv.documents = {ALL: announcement(WEEK[2])}
        await world.order("now-1", what="now")
        last = await world.ended("now-1")

    assert (last.state, last.detail) == ("done", "published; the newest announcement is of 2026-08-01")
    assert len(arxiv.arguments("/rss")) == 2


async def test_an_order_for_now_tells_why_it_failed_and_breaks_no_embargo(world: World, arxiv: Replay) -> None:
    async with build(world.settings()):
        await eventually(lambda: len(arxiv.arguments("/rss")) == 1)
        arxiv.fault = rate_limited("120")
        await world.order("now-1", what="now")
        first = await world.ended("now-1")
        await world.order("now-2", what="now")
        second = await world.ended("now-2")

    assert (first.state, second.state) == ("failed", "failed")
    assert (first.detail or "").startswith("rate limited: ")
    assert len(arxiv.arguments("/rss")) == 2


async def test_only_the_holder_of_the_lease_works_and_another_takes_over(world: World, arxiv: Replay) -> None:
    arxiv.faults.append(rate_limited("60").at("/oai"))
    async with AsyncExitStack() as opened:
        first = await opened.enter_async_context(world.process())
        await world.order()
        await eventually(lambda: len(arxiv.arguments("/oai")) == 1, timeout=30)
        async with build(world.settings(arxiv_interval=0)) as second:
            assert second.metrics.registry.get_sample_value("paperwire_fetch_lease_held") == 0
            first.terminate()
            assert await asyncio.wait_for(first.wait(), 10) == 0
            held = partial(second.metrics.registry.get_sample_value, "paperwire_fetch_lease_held")
            await eventually(lambda: held() == 1)

            async def resumed() -> bool:
                return [event.state for event in await world.progress()].count("running") >= 2

            await eventually(resumed)
            assert len(arxiv.arguments("/oai")) == 1  # the wait that arXiv is owed goes on
