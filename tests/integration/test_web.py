"""The public pages and feeds over a real Postgres, as a reader's program asks for them."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import feedparser
import httpx
import pytest
from starlette.types import ASGIApp

from cli.local.postgres import Postgres
from services.publisher.catalogue import Catalogue
from services.publisher.gauges import Gauges
from services.publisher.web import site
from shared.metrics import Metrics
from tests.builders import a_closing, a_paper, a_scored
from tests.publishing import NEXT_DAY, Publisher, a_pick, a_publisher, a_selected, a_summary
from tests.waiting import eventually

PUBLIC_URL = "https://papers.example.org"
FEEDS = """
[[feed]]
slug = "gpu"
title = "GPUs"
categories = ["cs.DC"]
keywords = ["GPU"]

[[feed]]
slug = "llm"
title = "Language models"
categories = ["cs.CL"]
keywords = ["LLM"]
"""
FILES = {
    "/feeds/gpu.rss": "application/rss+xml; charset=utf-8",
    "/feeds/gpu.atom": "application/atom+xml; charset=utf-8",
    "/feeds/gpu.json": "application/feed+json; charset=utf-8",
    "/feeds/gpu.md": "text/markdown; charset=utf-8",
    "/feeds/all.rss": "application/rss+xml; charset=utf-8",
    "/feeds.opml": "text/x-opml; charset=utf-8",
}
PAGES = ("/", "/feeds", "/feeds/gpu", "/feeds/all", "/papers/2512.00000", "/status")


class Reader:
    """A program that reads the site."""

    def __init__(self, app: ASGIApp, publisher: Publisher) -> None:
        transport = httpx.ASGITransport(app=app)
        self.http = httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers={"accept-encoding": "identity"})
        self.publisher = publisher

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def text(self, path: str) -> str:
        response = await self.get(path)
        assert response.status_code == 200, response.text
        return response.text


@pytest.fixture
def feeds_file(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    rewrite(path, FEEDS)
    return path


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("publisher")


@pytest.fixture
async def reader(database_url: str, feeds_file: Path, metrics: Metrics) -> AsyncIterator[Reader]:
    """The site with two papers of one day, the first in both feeds, and one of the next day."""
    async with a_publisher(database_url) as publisher:
        await publisher.handle(
            a_scored(0),
            a_scored(1, paper=a_paper(id="2512.00001", title="Plenty of GPUs")),
            a_selected("2512.00000", a_pick("gpu", 1), a_pick("llm", 1)),
            a_selected("2512.00001", a_pick("gpu", 2, waits_for=())),
            a_summary("2512.00000"),
            a_closing(2),
            a_scored(0, paper=a_paper(id="cs/0512001", title="Of the next day"), **NEXT_DAY),
            a_selected("cs/0512001", a_pick("gpu", 1, waits_for=()), **NEXT_DAY),
            a_closing(1, **NEXT_DAY),
        )
        catalogue = Catalogue(feeds_file)
        app = site(publisher.library, catalogue, Gauges(metrics, catalogue.slugs), public_url=PUBLIC_URL)
        reader = Reader(app, publisher)
        async with reader.http:
            yield reader


@pytest.mark.parametrize("path", FILES)
async def test_every_feed_has_its_type_and_is_open_to_every_site(reader: Reader, path: str) -> None:
    response = await reader.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == FILES[path]
    assert response.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("path", [*FILES, *PAGES])
async def test_every_address_answers_a_conditional_request(reader: Reader, path: str) -> None:
    full = await reader.get(path)

    by_tag = await reader.get(path, if_none_match=full.headers["etag"])
    by_date = await reader.get(path, if_modified_since=full.headers["last-modified"])

    assert (by_tag.status_code, by_date.status_code) == (304, 304)
    kept = {name: value for name, value in full.headers.items() if name != "content-length"}
    assert dict(by_tag.headers) == dict(by_date.headers) == kept
    assert full.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("path", [*FILES, *PAGES])
async def test_every_address_answers_head_and_gzip(reader: Reader, path: str) -> None:
    full = await reader.get(path)
    head = await reader.http.head(path)
    async with reader.http.stream("GET", path, headers={"accept-encoding": "gzip"}) as packed:
        raw = b"".join([part async for part in packed.aiter_raw()])

    assert (head.status_code, head.content, head.headers) == (200, b"", full.headers)
    assert packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) == len(raw)
    if packed.headers.get("content-encoding") == "gzip":
        assert gzip.decompress(raw) == full.content
        assert packed.headers["etag"] != full.headers["etag"]


@pytest.mark.parametrize("path", PAGES)
async def test_pages_carry_the_headers_that_keep_readers_safe(reader: Reader, path: str) -> None:
    headers = (await reader.get(path)).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_a_feed_lists_the_newest_day_first_and_each_day_by_rank(reader: Reader) -> None:
    parsed = feedparser.parse((await reader.get("/feeds/gpu.rss")).content)

    assert not parsed.bozo
    assert [entry.title for entry in parsed.entries] == [
        "Of the next day",
        "Chopper: A Multi-Level GPU Characterization Tool",
        "Plenty of GPUs",
    ]


async def test_the_feed_of_all_feeds_has_each_paper_once(reader: Reader) -> None:
    document = json.loads(await reader.text("/feeds/all.json"))

    assert [item["id"].rpartition("/abs/")[2] for item in document["items"]] == [
        "cs/0512001",
        "2512.00000",
        "2512.00001",
    ]


async def test_the_front_page_shows_the_newest_day_with_papers(reader: Reader) -> None:
    front, before = await reader.text("/"), await reader.text("/?date=2025-12-10")

    assert "Of the next day" in front
    assert "Plenty of GPUs" not in front
    assert "Plenty of GPUs" in before
    assert "?date=2025-12-10" in front
    assert "?date=2025-12-11" in before


async def test_an_old_identifier_with_a_slash_has_a_page(reader: Reader) -> None:
    assert "Of the next day" in await reader.text("/papers/cs/0512001")


@pytest.mark.parametrize("paper_id", ["2512.00000", "cs/0512001"])
async def test_an_address_with_a_version_leads_to_the_paper(reader: Reader, paper_id: str) -> None:
    answer = await reader.get(f"/papers/{paper_id}v2")

    assert answer.status_code == 308
    assert answer.next_request is not None
    assert answer.next_request.url == f"{PUBLIC_URL}/papers/{paper_id}"
    assert (await reader.get("/papers/2512.99999v1")).status_code == 404


async def test_a_post_whose_own_id_ends_like_a_version_has_its_page(reader: Reader) -> None:
    await reader.publisher.handle(a_scored(paper=a_paper(id="lab:post-v2", source="lab", title="Release v2")))

    assert "Release v2" in await reader.text("/papers/lab:post-v2")
    assert (await reader.get("/papers/lab:post-v2v1")).headers["location"] == "lab%3Apost-v2"


async def test_every_link_inside_the_site_leads_somewhere(reader: Reader) -> None:
    for page in PAGES:
        for link in set(re.findall(r'(?:href|src)="(/[^"#]*)"', await reader.text(page))):
            assert (await reader.get(link.replace("&amp;", "&"))).status_code == 200, f"{page} links to {link}"


async def test_what_the_pages_are_made_of_is_kept_for_ever(reader: Reader) -> None:
    style = re.findall(r'href="(/static/[^"]+\.css)"', await reader.text("/"))

    response = await reader.get(style[0])

    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/feeds/nothing",
        "/feeds/nothing.rss",
        "/feeds/gpu.exe",
        "/feeds/gpu.rss/",
        "/feeds/gpu?date=2024-01-01",
        "/?date=2025-99-99",
        "/?date=20251210",
        "/papers/2512.99999",
        "/papers/%00",
        "/papers/" + "9" * 5_000,
        "/static/../web.py",
        "/<script>alert(1)</script>",
    ],
)
async def test_an_address_that_shows_nothing_is_a_helpful_404(reader: Reader, path: str) -> None:
    response = await reader.get(path)

    assert response.status_code == 404
    assert 'href="/feeds/gpu"' in response.text
    assert "<script>alert" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_other_methods_are_refused(reader: Reader) -> None:
    assert (await reader.http.post("/feeds/gpu.rss")).status_code == 405


async def test_status_json_has_the_accounts(reader: Reader) -> None:
    document = json.loads(await reader.text("/status.json"))

    assert document["complete"] is True
    assert document["stale"] is None
    assert [batch["batch"] for batch in document["batches"]] == ["arxiv:2025-12-11", "arxiv:2025-12-10"]
    assert document["batches"][1] == {
        "batch": "arxiv:2025-12-10",
        "source": "arxiv",
        "date": "2025-12-10",
        "closed": True,
        "reason": None,
        "announced": 2,
        "scored": 2,
        "selected": 3,
        "published": 3,
        "waiting": 0,
        "summarised": 1,
        "dead_papers": 0,
        "dead_entries": 0,
        "complete": True,
    }


async def test_an_empty_site_says_so(database_url: str, feeds_file: Path, metrics: Metrics) -> None:
    async with a_publisher(database_url) as publisher:
        catalogue = Catalogue(feeds_file)
        app = site(publisher.library, catalogue, Gauges(metrics, ()), public_url=PUBLIC_URL)
        reader = Reader(app, publisher)
        async with reader.http:
            assert "No announcement" in await reader.text("/")
            assert json.loads(await reader.text("/feeds/gpu.json"))["items"] == []
            assert json.loads(await reader.text("/status.json"))["batches"] == []


async def test_what_another_publisher_writes_is_seen(reader: Reader, database_url: str) -> None:
    before = await reader.get("/feeds/llm.rss")

    async with a_publisher(database_url) as other:
        await other.handle(a_scored(5), a_selected("2512.00005", a_pick("llm", 2, waits_for=())))

    after = await eventually(lambda: changed(reader, "/feeds/llm.rss", before))
    assert len(feedparser.parse(after.content).entries) == 2


async def test_a_change_elsewhere_leaves_the_bytes_and_their_date(reader: Reader) -> None:
    before = await reader.get("/feeds/llm.rss")
    front = await reader.get("/feeds/gpu.rss")
    await reader.publisher.handle(a_scored(5), a_selected("2512.00005", a_pick("gpu", 3, waits_for=())))
    await eventually(lambda: changed(reader, "/feeds/gpu.rss", front))

    after = await reader.get("/feeds/llm.rss")

    assert after.headers == before.headers


async def test_a_changed_feeds_file_is_read_without_a_restart(reader: Reader, feeds_file: Path) -> None:
    before = await reader.get("/feeds")
    rewrite(feeds_file, FEEDS.replace("Language models", "Large language models"))

    after = await eventually(lambda: changed(reader, "/feeds", before))

    assert "Large language models" in after.text


async def test_requests_are_counted_by_route(reader: Reader, metrics: Metrics) -> None:
    await reader.get("/feeds/gpu.rss")
    await reader.get("/nothing")

    labels = {"route": "/feeds/{name}", "status": "200"}
    assert metrics.registry.get_sample_value("paperwire_http_requests_total", labels) == 1
    labels = {"route": "none", "status": "404"}
    assert metrics.registry.get_sample_value("paperwire_http_requests_total", labels) == 1


async def test_while_postgres_is_away_readers_get_what_was_kept(reader: Reader, postgres: Postgres) -> None:
    kept = {path: await reader.get(path) for path in ("/", "/feeds/gpu.rss", "/status.json")}
    await asyncio.to_thread(postgres.stop)

    feed = await eventually(lambda: marked_stale(reader, "/feeds/gpu.rss"))
    page, status = await reader.get("/"), await reader.get("/status.json")

    assert feed.content == kept["/feeds/gpu.rss"].content
    assert int(feed.headers["age"]) >= 0
    assert "The database does not answer at the moment. This page is as of" in page.text
    assert "Of the next day" in page.text
    assert status.json()["stale"].startswith("The database does not answer")
    unknown = await reader.get("/feeds/llm.rss")
    assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "30")

    await asyncio.to_thread(postgres.start)
    await eventually(lambda: same_again(reader, "/", kept["/"]))


def rewrite(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def changed(reader: Reader, path: str, before: httpx.Response) -> httpx.Response:
    response = await reader.get(path)
    assert response.content != before.content
    return response


async def marked_stale(reader: Reader, path: str) -> httpx.Response:
    response = await reader.get(path)
    assert "warning" in response.headers
    return response


async def same_again(reader: Reader, path: str, before: httpx.Response) -> bool:
    response = await reader.get(path)
    return response.content == before.content and "warning" not in response.headers
