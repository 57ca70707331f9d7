"""Orders of ids and searches against something like export.arxiv.org and a real NATS server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from cli.local.arxiv import EMPTY, UNAVAILABLE, Fault, Replay, api, rate_limited, replay_app
from cli.local.serving import serving
from services.fetcher.download import Downloader
from services.fetcher.lease import Lease
from services.fetcher.lookup import EmptyPage, Lookup, Refused
from services.fetcher.lookup_orders import LookupOrders
from services.fetcher.orders import Duty, OrderFailed, Report
from services.fetcher.pace import Pace
from shared.bus import Bus
from shared.errors import Elsewhere
from shared.messages import BatchClosed, FetchProgressed, FetchRequested, PaperAnnounced
from shared.metrics import Metrics
from shared.settings import ServiceSettings
from tests.announcements import RECORDED
from tests.waiting import eventually

HUNDRED = (RECORDED / "atom" / "q_testing_start0_max100.xml").read_bytes()
OTHERS = ("id_1707.08567.xml", "id_old_style_astro-ph_0601001.xml", "q_testing_start10_max10.xml")
KNOWN = [HUNDRED, *((RECORDED / "atom" / name).read_bytes() for name in OTHERS)]


@dataclass
class World:
    """A query API, a bus, and the handlers of orders between them."""

    arxiv: Replay
    bus: Bus
    lookup: Lookup
    duty: Duty

    async def carry_out(self, order: FetchRequested) -> list[PaperAnnounced]:
        handlers = LookupOrders(self.lookup, self.bus, self.duty, first=0.01)
        handle = handlers.ids if order.what == "ids" else handlers.search
        await handle(order, await Report.open(self.bus, self.duty, order.order))
        return await self.papers()

    async def ids(self, *ids: str) -> list[PaperAnnounced]:
        return await self.carry_out(FetchRequested(order="one", what="ids", ids=ids))

    async def search(self, limit: int | None = None) -> list[PaperAnnounced]:
        return await self.carry_out(FetchRequested(order="one", what="search", query="all:testing", limit=limit))

    async def told(self) -> list[FetchProgressed]:
        return [received.event async for received in self.bus.read(FetchProgressed)]

    async def answer(self) -> tuple[int, int | None, str | None]:
        last = (await self.told())[-1]
        return last.papers, last.total, last.detail

    async def papers(self) -> list[PaperAnnounced]:
        return [received.event async for received in self.bus.read(PaperAnnounced)]


@pytest.fixture
async def world(nats_url: str) -> AsyncIterator[World]:
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    lease = Lease(bus, holder="test", seconds=600)
    keeping = asyncio.create_task(lease.keep())
    await lease.wait()
    arxiv = Replay()
    arxiv.api = api.entries(*KNOWN)
    async with serving(replay_app(arxiv)) as url, Downloader(Pace(bus, interval=0), "test@localhost") as downloader:
        lookup = Lookup(downloader, f"{url}/api/query", page=50)
        yield World(arxiv, bus, lookup, Duty(bus, lease))
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    await bus.stop()


def empty_at(start: int) -> Fault:
    """A search's page from there on, with nothing in it."""
    return EMPTY.at("/api/", start=str(start))


async def test_papers_go_out_as_backfilled_in_the_order_of_the_list(world: World) -> None:
    papers = await world.ids("astro-ph/0601001", "1707.08567v1", "arXiv:2202.12139")

    assert {paper.paper.id: paper.position for paper in papers} == {
        "astro-ph/0601001": 0,
        "1707.08567": 1,
        "2202.12139": 2,
    }
    assert {(paper.kind, paper.batch) for paper in papers} == {("backfill", "backfill:one")}
    assert papers[0].date.isoformat() in {"2006-01-02", "2017-07-27", "2022-02-24"}
    assert [closed async for closed in world.bus.read(BatchClosed)] == []
    assert await world.answer() == (3, 3, None)


async def test_what_is_missing_is_asked_for_twice_and_told(world: World) -> None:
    await world.ids("1707.08567", "0808.05394", "abc", "2202.12139v9")

    assert [asked["id_list"] for asked in world.arxiv.arguments("/api/")] == [
        "1707.08567,0808.05394,2202.12139v9",
        "0808.05394,2202.12139v9",
        "0808.05394,2202.12139v9",
    ]
    assert await world.answer() == (1, 3, "not found: 0808.05394, 2202.12139v9; no arXiv id: abc")


async def test_many_ids_are_asked_for_a_hundred_at_a_time(world: World) -> None:
    ids = [name.partition("v")[0] for name in world.arxiv.api]
    papers = await world.ids(*ids, *ids)

    assert len(papers) == len(set(ids)) == 102
    assert [int(asked["max_results"]) for asked in world.arxiv.arguments("/api/")] == [100, 2]


async def test_a_list_of_nothing_readable_asks_nothing(world: World) -> None:
    assert await world.ids("abc") == []

    assert world.arxiv.asked == []
    assert (await world.answer())[2] == "no arXiv id: abc"


async def test_a_search_is_read_to_its_end(world: World) -> None:
    papers = await world.search()

    assert len(papers) == 102
    assert [paper.position for paper in papers] == list(range(102))
    assert [int(asked["start"]) for asked in world.arxiv.arguments("/api/")] == [0, 50, 100]
    assert await world.answer() == (102, 102, None)


async def test_a_search_ends_at_the_number_that_was_ordered(world: World) -> None:
    assert len(await world.search(limit=70)) == 70

    assert [int(asked["max_results"]) for asked in world.arxiv.arguments("/api/")] == [50, 20]


async def test_the_limit_of_arxiv_ends_a_search_and_is_told(world: World) -> None:
    world.lookup.most = 100
    world.arxiv.total = 214_881

    assert len(await world.search()) == 100
    assert (await world.answer())[2] == ("not given: 214,781 of 214,881 results: arXiv gives 100, so narrow the search")


async def test_an_empty_page_that_should_not_be_empty_is_asked_for_again(world: World) -> None:
    world.arxiv.faults.extend(empty_at(start) for start in (0, 0, 0, 50, 50))

    assert len(await world.search()) == 102
    assert [int(asked["start"]) for asked in world.arxiv.arguments("/api/")] == [0] * 4 + [50] * 3 + [100]


async def test_a_page_that_stays_empty_fails_the_order_and_keeps_what_came_before(world: World) -> None:
    world.arxiv.faults.extend([empty_at(50)] * 4)

    with pytest.raises(EmptyPage, match="an empty page at 50 of 102 results, also when asked 4 times"):
        await world.search()
    assert len(await world.papers()) == 50


async def test_a_search_that_finds_nothing_is_doubted_once(world: World) -> None:
    world.arxiv.api.clear()

    assert await world.search() == []
    assert len(world.arxiv.asked) == 2
    assert await world.answer() == (0, 0, None)


async def test_a_search_whose_results_shrink_ends_in_peace(world: World) -> None:
    pages = []
    async for page in world.lookup.search("all:testing"):
        pages.append(page.total)
        world.arxiv.api = dict(list(world.arxiv.api.items())[:50])

    assert pages == [102, 50]


@pytest.mark.parametrize(
    "fault",
    [rate_limited(), rate_limited("0"), UNAVAILABLE, Fault(200, b"Rate exceeded."), Fault(200, HUNDRED[:9_000])],
    ids=["429", "429 with Retry-After", "503", "200 with the body of 429", "half a document"],
)
async def test_a_bad_answer_is_waited_out(world: World, fault: Fault) -> None:
    world.arxiv.faults.extend([fault, fault, fault])

    assert len(await world.ids("1707.08567")) == 1
    assert len(world.arxiv.asked) == 4


async def test_retry_after_is_obeyed_told_and_ends_when_another_replica_has_to_work(world: World) -> None:
    world.arxiv.faults.append(rate_limited("3600"))
    asking = asyncio.create_task(world.ids("1707.08567"))

    async def told() -> bool:
        return any(
            re.search(r"answered 429 .*; again in 3600 s$", report.detail or "") for report in await world.told()
        )

    await eventually(told)
    world.bus.stopping.set()
    with pytest.raises(Elsewhere):
        await asking
    assert len(world.arxiv.asked) == 1


async def test_arxiv_that_stays_unwell_fails_the_order_with_its_reason(world: World) -> None:
    world.arxiv.faults.extend([rate_limited()] * 12)
    handlers = LookupOrders(world.lookup, world.bus, world.duty, first=0.0001)
    order = FetchRequested(order="one", what="ids", ids=("1707.08567",))

    with pytest.raises(OrderFailed, match="answered 429"):
        await handlers.ids(order, await Report.open(world.bus, world.duty, "one"))
    assert len(world.arxiv.asked) == 12


@pytest.mark.parametrize("status", [400, 200])
async def test_a_refusal_ends_the_order_at_once_in_arxivs_words(world: World, status: int) -> None:
    body = (RECORDED / "error_incorrect_id_format_abc_http400.xml").read_bytes()
    world.arxiv.faults.append(Fault(status, body))

    with pytest.raises(Refused, match=r"^arXiv answers: incorrect id format for abc$"):
        await world.search()
    assert len(world.arxiv.asked) == 1


async def test_a_403_is_never_answered_by_asking_again(world: World) -> None:
    world.arxiv.faults.append(Fault(403, b"Forbidden"))

    with pytest.raises(OrderFailed, match="answered 403"):
        await world.search()
    assert len(world.arxiv.asked) == 1


async def test_an_order_given_twice_or_redelivered_sends_every_paper_once(world: World) -> None:
    first = await world.search()

    assert await world.search() == first
    assert (await world.answer())[0] == 102


async def test_a_search_without_a_query_fails(world: World) -> None:
    with pytest.raises(OrderFailed, match="a search needs a query"):
        await world.carry_out(FetchRequested(order="one", what="search"))
