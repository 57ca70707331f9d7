"""Unconditional requests against the local arXiv and its bad days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest

from cli.local.arxiv import CUT, HTML, RATE_EXCEEDED, UNAVAILABLE, Fault, Replay, rate_limited, replay_app, slow
from cli.local.nats import Nats
from cli.local.serving import serving
from services.fetcher.download import MAX_FAILURE, REDIRECTS, Downloader, FetchFailed
from services.fetcher.sources.document import UnusableDocument
from shared.provision import provision
from tests.conftest import run_apart
from tests.recorder import a_downloader

PAGE = b"<html>" + b"x" * 10_000 + b"</html>"
PATH = "/html/2512.00001v1"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One NATS for all: only the pace gate is kept in it, and every turn is given back."""
    folder = tmp_path_factory.mktemp("nats")
    server = Nats(folder / "nats", folder / "nats.log")
    try:
        server.start()
        run_apart(lambda: provision(server.url, replicas=1))
        yield server.url
    finally:
        server.close()


@dataclass
class World:
    url: str
    downloader: Downloader
    arxiv: Replay = field(default_factory=Replay)

    async def fetch(self, path: str = PATH, **limits: int) -> bytes:
        return (await self.downloader.fetch(self.url + path, accept="text/html", **limits)).body

    async def failure(self, path: str = PATH) -> FetchFailed:
        with pytest.raises(FetchFailed) as caught:
            await self.fetch(path)
        return caught.value


@pytest.fixture
async def world(gate: str) -> AsyncIterator[World]:
    arxiv = Replay()
    arxiv.pages[PATH] = PAGE
    async with serving(replay_app(arxiv)) as url, a_downloader(gate, total=2) as downloader:
        yield World(url, downloader, arxiv)


async def test_a_document_comes_with_what_is_known_of_it(world: World) -> None:
    document = await world.downloader.fetch(world.url + PATH, accept="text/html")

    assert (document.body, document.content_type) == (PAGE, "text/html; charset=utf-8")
    (asked,) = world.arxiv.asked
    assert asked.headers["accept"] == "text/html"
    assert "if-none-match" not in asked.headers
    assert asked.headers["user-agent"].endswith(" (+test)")


async def test_what_is_not_there_is_refused_with_its_status_and_text(world: World) -> None:
    failure = await world.failure("/html/2512.99999v1")

    assert (failure.reason, failure.status) == ("refused", 404)
    assert b"Article not found" in failure.body


async def test_a_bad_request_tells_why(world: World) -> None:
    failure = await world.failure("/api/query?id_list=abc")

    assert (failure.reason, failure.status) == ("refused", 400)
    assert b"incorrect id format for abc" in failure.body


@pytest.mark.parametrize(
    ("fault", "reason", "status", "body", "retry_after"),
    [
        (rate_limited(), "rate limited", 429, RATE_EXCEEDED, None),
        (rate_limited("120"), "rate limited", 429, RATE_EXCEEDED, 120.0),
        (UNAVAILABLE, "unavailable", 503, b"Service Unavailable", None),
        (Fault(503, headers={"Retry-After": "7"}), "unavailable", 503, b"", 7.0),
        (Fault(403, b"Denied"), "refused", 403, b"Denied", 3_600.0),
        (Fault(500, b"x" * (MAX_FAILURE + 1)), "unavailable", 500, b"x" * MAX_FAILURE, None),
        (Fault(304), "refused", 304, b"", None),
        (CUT, "unreachable", 0, b"", None),
        (Fault(cut=True, seconds=0.1), "unreachable", 0, b"", None),
        (slow(30), "unreachable", 0, b"", None),
        (Fault(302, headers={"Location": "http://elsewhere.example/"}), "refused", 0, b"", None),
        (Fault(302, headers={"Location": "http://a:port/"}), "unreachable", 0, b"", None),
        (Fault(302, headers={"Location": PATH}), "refused", 0, b"", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_bad_answer_is_told_by_its_reason(
    world: World, fault: Fault, reason: str, status: int, body: bytes, retry_after: float | None
) -> None:
    world.arxiv.fault = fault
    failure = await world.failure()

    assert (failure.reason, failure.status, failure.body) == (reason, status, body)
    assert failure.retry_after == retry_after

    world.arxiv.fault = None
    assert await world.fetch() == PAGE


async def test_a_slow_answer_that_ends_in_time_is_read(world: World) -> None:
    world.arxiv.fault = slow(0.3)

    assert await world.fetch() == PAGE


async def test_a_page_in_place_of_a_feed_is_handed_over_with_its_type(world: World) -> None:
    world.arxiv.fault = HTML

    document = await world.downloader.fetch(world.url + "/oai?verb=ListRecords", accept="text/xml")
    assert (document.body, document.content_type) == (HTML.body, "text/html; charset=utf-8")


async def test_a_document_may_be_as_large_as_the_limit_and_no_larger(world: World) -> None:
    assert await world.fetch(limit=len(PAGE)) == PAGE
    with pytest.raises(UnusableDocument, match=f"sends more than {len(PAGE) - 1} bytes"):
        await world.fetch(limit=len(PAGE) - 1)


async def test_a_redirect_on_the_same_host_is_followed(world: World) -> None:
    world.arxiv.faults.extend([Fault(301, headers={"Location": PATH})] * REDIRECTS)

    assert await world.fetch("/html/2512.00001") == PAGE
    assert [asked.status for asked in world.arxiv.asked] == [301] * REDIRECTS + [200]


async def test_no_address_is_refused_before_anything_is_asked(world: World) -> None:
    failure = (await asyncio.gather(world.downloader.fetch("http://a:port/", accept="*/*"), return_exceptions=True))[0]

    assert isinstance(failure, FetchFailed)
    assert failure.reason == "refused"
