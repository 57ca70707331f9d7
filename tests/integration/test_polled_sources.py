"""A lab's blog and the preprint servers beside arXiv, with a real fetcher and a real NATS."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cli.local.arxiv import Replay, replay_app
from cli.local.arxiv.replay import etag_of
from cli.local.serving import serving
from services.fetcher.app import build
from services.fetcher.cursor import Ledger
from services.fetcher.polled import decide, named
from services.fetcher.settings import Settings
from services.fetcher.sources import rss
from shared.bus import Bus
from shared.feeds import SourceConfig
from shared.messages import BatchClosed, PaperAnnounced
from shared.metrics import Metrics
from shared.service import Service
from shared.settings import ServiceSettings
from tests.announcements import ALL, WEEK, recorded
from tests.waiting import eventually

SAMPLES = Path(__file__).parents[1] / "data" / "sources"
TODAY = datetime.now(UTC).date()
FEEDS = """
[[feed]]
slug = "llm"
categories = ["cs.AI", "cs.CL", "cs.DC", "cs.LG"]
sources = [{arxiv}"lab", "biorxiv"]
keywords = ["LLM"]

[[source]]
name = "lab"
type = "rss"
url = "{url}/blog/feed.xml"

[[source]]
name = "biorxiv"
type = "biorxiv"
url = "{url}"
"""


@dataclass
class Web:
    """A blog and api.biorxiv.org; what they hold may be changed while they serve."""

    blog: bytes = (SAMPLES / "rss.wordpress.xml").read_bytes()
    fault: int | None = None
    """The blog's answer to everything while it is set."""
    asked: list[tuple[str, int]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/blog/feed.xml", self.feed),
                Route("/details/biorxiv/{since}/{until}/{cursor}/json", self.details),
            ]
        )

    async def feed(self, request: Request) -> Response:
        etag = etag_of(self.blog)
        if self.fault:
            answer: Response = PlainTextResponse("no", self.fault)
        elif request.headers.get("If-None-Match") == etag:
            answer = Response(status_code=304)
        else:
            answer = Response(self.blog, headers={"ETag": etag, "Content-Type": "application/rss+xml"})
        self.asked.append((request.url.path, answer.status_code))
        return answer

    async def details(self, request: Request) -> Response:
        self.asked.append((request.url.path, 200))
        page = {"0": "page1", "4": "page2"}.get(request.path_params["cursor"])
        if page is None or request.path_params["since"] != str(TODAY):
            return Response((SAMPLES / "biorxiv.empty.json").read_bytes(), media_type="application/json")
        answer = json.loads((SAMPLES / f"biorxiv.{page}.json").read_bytes())
        for record in answer["collection"]:
            record["date"] = str(TODAY)
        return JSONResponse(answer)


@dataclass
class World:
    settings: Settings
    bus: Bus
    web: Web
    arxiv: Replay
    url: str

    def write(self, arxiv: str = "") -> None:
        self.settings.feeds_file.write_text(FEEDS.format(url=self.url, arxiv=arxiv), encoding="utf-8")

    async def papers(self, source: str) -> list[PaperAnnounced]:
        found = [received.event async for received in self.bus.read(PaperAnnounced)]
        return [paper for paper in found if paper.paper.source == source]

    async def closed(self, **expected: int) -> dict[str, BatchClosed]:
        """Wait until these sources' batches hold so many papers together."""

        async def they_are() -> dict[str, BatchClosed]:
            batches = [received.event async for received in self.bus.read(BatchClosed)]
            counts: dict[str, int] = {}
            for batch in batches:
                counts[batch.source] = counts.get(batch.source, 0) + batch.papers
            assert counts == expected
            for name in expected:
                assert (await Ledger.load(self.bus, name)).open is None
            return {batch.batch: batch for batch in batches}

        return await eventually(they_are)


async def begun(world: World, stored: bytes) -> None:
    """The blog's batch as a replica leaves it that dies before the first message."""
    ledger = await Ledger.load(world.bus, "lab")
    announcement = named(rss.parse(world.web.blog), SourceConfig("lab", "rss"), global_ids=False)
    plan = decide(announcement, name="lab", cursor=ledger.cursor, history=ledger.history, today=TODAY)
    assert plan
    await ledger.begin(plan, stored)


@pytest.fixture
async def world(nats_url: str, tmp_path: Path) -> AsyncIterator[World]:
    web, arxiv = Web(), Replay({ALL: recorded(WEEK[2])})
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    async with serving(web.app()) as url, serving(replay_app(arxiv)) as rss_url:
        values: dict[str, Any] = {
            "nats_url": nats_url,
            "feeds_file": tmp_path / "feeds.toml",
            "contact": "test@localhost",
            "arxiv_rss_url": f"{rss_url}/rss",
            "arxiv_interval": 0,
            "poll_interval": 0.05,
            "source_interval": 0.05,
            "retry_delay": 0.1,
            "lease_seconds": 1,
            "probe_port": 0,
        }
        world = World(Settings(**values), bus, web, arxiv, url)
        world.write()
        yield world
    await bus.stop()


def sample(service: Service, name: str, **labels: str) -> float:
    return service.metrics.registry.get_sample_value(name, labels) or 0.0


async def test_every_source_has_its_own_batches_beside_arxivs(world: World) -> None:
    world.write(arxiv='"arxiv", ')
    async with build(world.settings) as service:
        batches = await world.closed(arxiv=199, lab=2, biorxiv=5)

    assert set(batches) == {"arxiv:2025-12-10", "lab:2025-12-09", f"biorxiv:{TODAY}"}
    assert batches["lab:2025-12-09"].first_sequence is not None
    assert sample(service, "paperwire_source_papers_total", source="biorxiv") == 5


async def test_papers_say_whose_they_are_and_where_they_can_be_read(world: World) -> None:
    async with build(world.settings):
        await world.closed(lab=2, biorxiv=5)
    post, _ = await world.papers("lab")
    preprint = (await world.papers("biorxiv"))[0]

    assert post.paper.id.startswith("lab:")
    assert post.paper.url == "https://lab.example.org/2025/12/faster-kernels/"
    assert (post.kind, post.batch, post.position) == ("new", "lab:2025-12-09", 0)
    assert preprint.paper.id == "10.64898/2026.07.31.742000"
    assert preprint.batch == f"biorxiv:{TODAY}"


async def test_arxiv_is_left_alone_when_no_feed_looks_at_it(world: World) -> None:
    async with build(world.settings):
        await world.closed(lab=2, biorxiv=5)

    assert world.arxiv.asked == []


async def test_what_is_known_is_not_announced_again_not_even_after_a_restart(world: World) -> None:
    for _ in range(2):
        async with build(world.settings):
            await world.closed(lab=2, biorxiv=5)
            seen = len(world.web.asked)
            await eventually(lambda seen=seen: len(world.web.asked) > seen + 10)  # type: ignore[misc]

    await world.closed(lab=2, biorxiv=5)
    assert [status for path, status in world.web.asked if path.startswith("/blog")][1:4] == [304, 304, 304]


async def test_a_new_post_is_a_supplement_of_its_day(world: World) -> None:
    async with build(world.settings):
        await world.closed(lab=2, biorxiv=5)
        world.web.blog = world.web.blog.replace(
            b"<item>", b"<item><guid>new</guid><title>One more</title></item><item>", 1
        )
        batches = await world.closed(lab=3, biorxiv=5)

    assert batches["lab:2025-12-09.2"].papers == 1


async def test_a_source_in_trouble_does_not_hold_up_the_others(world: World) -> None:
    world.web.fault = 503
    async with build(world.settings) as service:
        await world.closed(biorxiv=5)
        reason = {"source": "lab", "reason": "unavailable"}
        await eventually(lambda: sample(service, "paperwire_source_failures_total", **reason) >= 2)
        assert await service.problems() == []
        world.web.fault = None
        await world.closed(lab=2, biorxiv=5)


async def test_a_source_that_is_written_into_the_file_later_is_read_without_a_restart(world: World) -> None:
    whole = world.settings.feeds_file.read_text(encoding="utf-8")
    short = whole.partition('[[source]]\nname = "biorxiv"')[0].replace(', "biorxiv"]', "]")
    world.settings.feeds_file.write_text(short, encoding="utf-8")
    async with build(world.settings):
        await world.closed(lab=2)
        world.settings.feeds_file.write_text(whole, encoding="utf-8")
        await world.closed(lab=2, biorxiv=5)


async def test_a_batch_that_was_begun_by_a_dead_replica_is_finished(world: World) -> None:
    await begun(world, world.web.blog)
    world.web.blog = (SAMPLES / "rss.empty.xml").read_bytes()

    async with build(world.settings):
        batches = await world.closed(lab=2, biorxiv=5)

    assert batches["lab:2025-12-09"].papers == 2


@pytest.mark.parametrize("stored", [b"", b"[3]", (SAMPLES / "rss.empty.xml").read_bytes()])
async def test_a_begun_batch_whose_pages_are_not_its_own_is_decided_anew(world: World, stored: bytes) -> None:
    await begun(world, stored)

    async with build(world.settings):
        batches = await world.closed(lab=2, biorxiv=5)

    assert batches["lab:2025-12-09"].papers == 2


async def test_a_source_of_an_unknown_type_stops_the_start(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    text = world.settings.feeds_file.read_text(encoding="utf-8").replace('type = "rss"', 'type = "blog"')
    world.settings.feeds_file.write_text(text, encoding="utf-8")

    with pytest.raises(SystemExit):
        build(world.settings)
    assert "feeds.toml:10: source[lab].type: there is no source of type 'blog'; there is: biorxiv, rss" in (
        capsys.readouterr().err
    )
