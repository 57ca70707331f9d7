"""`texts.requested` answered: from arXiv's site into the object store, and on to a model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from cli.local.arxiv import Replay, replay_app
from cli.local.serving import serving
from services.fetcher.app import build
from services.fetcher.settings import Settings
from services.summarizer import app as summarizer
from services.summarizer.settings import Settings as SummarizerSettings
from shared.bus import Bus
from shared.messages import SummaryCompleted, SummaryKind, SummaryRequested, TextRequested
from shared.metrics import Metrics
from shared.provision import TEXTS_BUCKET
from shared.service import Service
from shared.settings import ServiceSettings
from shared.texts import FullText, unpacked
from tests.announcements import ALL, WEEKEND, recorded
from tests.builders import a_paper
from tests.fulltexts import ATLAS, a_page, an_encrypted_pdf
from tests.llm_server import LlmServer
from tests.waiting import eventually

FEEDS = """
[[feed]]
slug = "llm"
title = "LLM"
categories = ["cs.CL"]
keywords = ["LLM"]
summary.text = "full"
"""
LICENCE = "http://creativecommons.org/licenses/by/4.0/"
PAPER = a_paper(license=LICENCE)
ENGLISH, GERMAN = SummaryKind(), SummaryKind(language="de")
NOT_FOUND = Response("No HTML for this paper", 404)


@dataclass
class Site:
    """Something like arxiv.org: answers by path, once each and then the last one again."""

    answers: dict[str, list[Response]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, *responses: Response | bytes) -> None:
        self.answers[path] = [given if isinstance(given, Response) else Response(given) for given in responses]

    async def serve(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        known = self.answers.get(path, [NOT_FOUND])
        return known.pop(0) if len(known) > 1 else known[0]


@dataclass
class World:
    """NATS, arXiv's site, and fetchers on demand."""

    nats_url: str
    base: str
    feeds_file: Path
    bus: Bus
    site: Site
    stack: AsyncExitStack

    async def a_fetcher(self, **changes: Any) -> Service:
        values: dict[str, Any] = {
            "nats_url": self.nats_url,
            "feeds_file": self.feeds_file,
            "contact": "test@localhost",
            "arxiv_rss_url": f"{self.base}/feeds/rss",
            "arxiv_site_url": self.base,
            "arxiv_interval": 0,
            "poll_interval": 60,
            "lease_seconds": 1,
            "probe_port": 0,
        }
        return await self.stack.enter_async_context(build(Settings(**values | changes)))

    async def requests(self) -> list[SummaryRequested]:
        return [received.event async for received in self.bus.read(SummaryRequested)]

    async def asked_for(self, count: int = 1) -> list[SummaryRequested]:
        async def enough() -> list[SummaryRequested]:
            found = await self.requests()
            return found if len(found) >= count else []

        return await eventually(enough, timeout=30)

    async def text(self, key: str) -> FullText:
        found = await (await self.bus.object_store(TEXTS_BUCKET)).get(key)
        return unpacked(found.data or b"")


@pytest.fixture
async def world(nats_url: str, tmp_path: Path) -> AsyncIterator[World]:
    feeds_file = tmp_path / "feeds.toml"
    feeds_file.write_text(FEEDS, encoding="utf-8")
    site = Site()
    feeds = replay_app(Replay({ALL: recorded(WEEKEND)}))
    app = Starlette(routes=[Mount("/feeds", feeds), Route("/{path:path}", site.serve)])
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(app))
        yield World(nats_url, base, feeds_file, bus, site, stack)
    await bus.stop()


def texts_total(service: Service, outcome: str) -> float:
    value = service.metrics.registry.get_sample_value("paperwire_texts_total", {"outcome": outcome})
    assert value is not None
    return value


async def test_the_html_is_stored_with_its_provenance_and_then_each_summary_asked_for(world: World) -> None:
    world.site.answer("/html/2512.08242v1", a_page())
    await world.bus.publish(TextRequested(paper=PAPER, summaries=(ENGLISH, GERMAN)))

    service = await world.a_fetcher()

    requests = await world.asked_for(2)
    assert [(request.language, request.text_key) for request in requests] == [
        ("en", "2512.08242v1"),
        ("de", "2512.08242v1"),
    ]
    text = await world.text("2512.08242v1")
    assert (text.id, text.version, text.source, text.license) == ("2512.08242", 1, "html", LICENCE)
    assert text.url == f"{world.base}/html/2512.08242v1"
    assert [section.heading for section in text.sections][:2] == ["Abstract", "1 Introduction"]
    assert len(text.sha256) == 64
    assert world.site.asked == ["/html/2512.08242v1"]
    assert texts_total(service, "html") == 1


async def test_where_there_is_no_html_the_pdf_is_read(world: World) -> None:
    old = a_paper(id="hep-ex/0503814", version=2)
    world.site.answer("/pdf/hep-ex/0503814v2", ATLAS)
    await world.bus.publish(TextRequested(paper=old, summaries=(ENGLISH,)))

    service = await world.a_fetcher()

    [request] = await world.asked_for()
    assert request.text_key == "hep-ex%2F0503814v2"
    text = await world.text(request.text_key)
    assert (text.source, text.sections[-1].heading) == ("pdf", "10 Conclusion")
    assert world.site.asked == ["/html/hep-ex/0503814v2", "/pdf/hep-ex/0503814v2"]
    assert texts_total(service, "pdf") == 1


@pytest.mark.parametrize(
    "pdf",
    [NOT_FOUND, Response(an_encrypted_pdf()), Response(ATLAS[:9_000]), Response(b"\0" * (31 * 1024 * 1024))],
    ids=["none", "encrypted", "cut", "too large"],
)
async def test_without_a_text_the_summaries_are_asked_for_all_the_same(world: World, pdf: Response) -> None:
    world.site.answer("/pdf/2512.08242v1", pdf)
    await world.bus.publish(TextRequested(paper=PAPER, summaries=(ENGLISH,)))

    service = await world.a_fetcher()

    [request] = await world.asked_for()
    assert request == SummaryRequested(paper=PAPER, style="structured", language="en", text_key=None)
    assert texts_total(service, "none") == 1
    assert [letter async for letter in world.bus.read_dead(TextRequested)] == []


async def test_a_paper_of_another_source_is_not_looked_for(world: World) -> None:
    other = a_paper(source="biorxiv", id="10.1101/2025.12.01.1")
    await world.bus.publish(TextRequested(paper=other, summaries=(ENGLISH,)))

    await world.a_fetcher()

    [request] = await world.asked_for()
    assert request.text_key is None
    assert world.site.asked == []


async def test_trouble_at_arxiv_is_waited_for(world: World) -> None:
    busy = Response("Rate exceeded.", 429, {"Retry-After": "1"})
    world.site.answer("/html/2512.08242v1", busy, Response("down", 503), Response(a_page()))
    await world.bus.publish(TextRequested(paper=PAPER, summaries=(ENGLISH,)))

    service = await world.a_fetcher()

    [request] = await world.asked_for()
    assert request.text_key == "2512.08242v1"
    assert texts_total(service, "none") == 0


async def test_when_arxiv_forbids_it_the_abstract_has_to_do_at_once(world: World) -> None:
    world.site.answer("/html/2512.08242v1", Response("Forbidden", 403))
    await world.bus.publish(TextRequested(paper=PAPER, summaries=(ENGLISH,)))
    await world.bus.publish(TextRequested(paper=a_paper(id="2512.00002"), summaries=(ENGLISH,)))

    await world.a_fetcher()

    requests = await world.asked_for(2)
    assert [request.text_key for request in requests] == [None, None]
    assert world.site.asked == ["/html/2512.08242v1"]


async def test_a_stored_text_is_not_fetched_again(world: World) -> None:
    world.site.answer("/html/2512.08242v1", a_page())
    await world.bus.publish(TextRequested(paper=PAPER, summaries=(ENGLISH,)))
    await world.a_fetcher()
    await world.asked_for()

    await world.bus.publish(TextRequested(paper=PAPER, summaries=(GERMAN,)))

    assert [request.text_key for request in await world.asked_for(2)] == ["2512.08242v1", "2512.08242v1"]
    assert world.site.asked == ["/html/2512.08242v1"]


async def test_of_two_fetchers_only_the_one_with_the_lease_takes_requests(world: World) -> None:
    papers = [a_paper(id=f"2512.{number:05d}") for number in range(6)]
    for paper in papers:
        world.site.answer(f"/html/{paper.versioned_id}", a_page())
    first, second = await world.a_fetcher(), await world.a_fetcher()

    await world.bus.publish(*(TextRequested(paper=paper, summaries=(ENGLISH,)) for paper in papers))

    requests = await world.asked_for(6)
    assert all(request.text_key for request in requests)
    assert sorted([texts_total(first, "html"), texts_total(second, "html")]) == [0, 6]


async def test_a_model_reads_the_full_text(world: World) -> None:
    world.site.answer("/html/2512.08242v1", a_page())
    await world.bus.publish(TextRequested(paper=PAPER, summaries=(ENGLISH,)))
    await world.a_fetcher()
    async with LlmServer() as llm:
        settings = SummarizerSettings(nats_url=world.nats_url, probe_port=0, llm_base_url=llm.url, llm_model="tiny")
        async with summarizer.build(settings):
            completed = await the_summary(world.bus)

    assert (completed.made_by, completed.source) == ("model", "full text")
    asked = llm.requests[0]["messages"][1]["content"]
    assert "Nobody knows why training is slow, as Figure 1 shows." in asked
    assert asked.index("1 Introduction") < asked.index("3 Results") < asked.index("</paper>")


async def test_when_the_text_is_gone_the_model_reads_the_abstract(world: World) -> None:
    gone = SummaryRequested(paper=PAPER, style="structured", language="en", text_key="2512.08242v1")
    await world.bus.publish(gone)
    async with LlmServer() as llm:
        settings = SummarizerSettings(nats_url=world.nats_url, probe_port=0, llm_base_url=llm.url, llm_model="tiny")
        async with summarizer.build(settings):
            completed = await the_summary(world.bus)

    assert (completed.made_by, completed.source) == ("model", "abstract")
    assert "Text:" not in llm.requests[0]["messages"][1]["content"]


async def the_summary(bus: Bus) -> SummaryCompleted:
    async def first() -> SummaryCompleted | None:
        return next(iter([received.event async for received in bus.read(SummaryCompleted)]), None)

    found = await eventually(first, timeout=30)
    assert found is not None
    return found
