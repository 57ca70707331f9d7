"""Liked papers on their way: ordered by scorers, fetched by the real fetcher, read back as profiles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from cli.local.arxiv import Replay, api, replay_app
from cli.local.serving import serving
from services.fetcher.app import build
from services.fetcher.liked import raw_address, shown
from services.fetcher.settings import Settings
from services.scorer.liked import Liked, orders
from services.scorer.likeness import Profiles
from services.scorer.liking import load_profiles
from shared.bus import Bus
from shared.feeds import FeedConfig
from shared.library import LikedPaper
from shared.messages import FetchProgressed, FetchRequested, PaperAnnounced
from shared.metrics import Metrics
from shared.provision import LIKED_BUCKET
from shared.settings import ServiceSettings
from tests.announcements import ALL, RECORDED, WEEKEND, recorded
from tests.builders import a_paper
from tests.waiting import eventually

FEEDS = '[[feed]]\nslug = "a"\ntitle = "A"\ncategories = ["cs.AI"]\nkeywords = ["LLM"]\n'
DAY, NEXT_DAY = date(2025, 12, 10), date(2025, 12, 11)
BY_ID = "1707.08567"
ENTRIES = api.entries((RECORDED / "atom" / "id_1707.08567.xml").read_bytes())
GALAXIES = "@misc{g, title = {Dwarf galaxies}, abstract = {Dark matter halos and rotation curves of dwarf galaxies.}}"
GARDENS = "@misc{t, title = {Tulips}, abstract = {Gardens of tulips and roses in spring.}}"
ABOUT_GALAXIES = a_paper(title="Halos of dwarf galaxies", abstract="Rotation curves and dark matter.")
ABOUT_GARDENS = a_paper(title="Roses and tulips", abstract="What grows in gardens in spring.")


class Shelf:
    """A library on the web, with an ETag."""

    def __init__(self, document: str) -> None:
        self.document = document
        self.statuses: list[int] = []

    def answer(self, request: Request) -> Response:
        etag = f'"{hash(self.document)}"'
        same = request.headers.get("If-None-Match") == etag
        self.statuses.append(304 if same else 200)
        return Response(b"" if same else self.document, 304 if same else 200, headers={"ETag": etag})


class World:
    """NATS, arXiv, a library on the web, and a fetcher."""

    def __init__(self, bus: Bus, url: str, folder: Path, shelf: Shelf, arxiv: Replay) -> None:
        self.bus = bus
        self.library_url = f"{url}/library.bib"
        self.feeds_file = folder / "feeds.toml"
        self.shelf = shelf
        self.arxiv = arxiv
        self.day = DAY
        self.metrics = Metrics("test")

    def scorer(self) -> Liked:
        self.metrics = Metrics("test")
        return Liked(self.bus, self.feeds_file, self.metrics, pause=0.05, today=lambda: self.day)

    @property
    def missing(self) -> float | None:
        return self.metrics.registry.get_sample_value("paperwire_liked_papers_missing")

    async def orders(self) -> list[FetchRequested]:
        return [found.event async for found in self.bus.read(FetchRequested)]

    async def ends(self) -> list[tuple[str, int, str | None]]:
        told = [found.event async for found in self.bus.read(FetchProgressed)]
        return [(event.state, event.papers, event.detail) for event in told if event.state in ("done", "failed")]

    async def complete(self, liked: Liked, *feeds: FeedConfig) -> Profiles:
        """The profiles, once nothing is missing."""

        async def there() -> Profiles:
            profiles = await liked.profiles(feeds)
            assert self.missing == 0
            return profiles

        return await eventually(there)


@pytest.fixture
async def world(nats_url: str, tmp_path: Path) -> AsyncIterator[World]:
    shelf, arxiv = Shelf(GALAXIES), Replay({ALL: recorded(WEEKEND)})
    arxiv.api = dict(ENTRIES)
    (tmp_path / "feeds.toml").write_text(FEEDS, encoding="utf-8")
    hosts = Starlette(routes=[Route("/library.bib", shelf.answer), Mount("/", replay_app(arxiv))])
    async with AsyncExitStack() as opened:
        url = await opened.enter_async_context(serving(hosts))
        bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
        await bus.connect()
        opened.push_async_callback(bus.stop)
        settings: dict[str, Any] = {
            "nats_url": nats_url,
            "feeds_file": tmp_path / "feeds.toml",
            "contact": "test@localhost",
            "arxiv_rss_url": f"{url}/rss",
            "arxiv_api_url": f"{url}/api/query",
            "arxiv_interval": 0,
            "check_listing": False,
            "retry_delay": 0.05,
            "lease_seconds": 1,
            "probe_port": 0,
        }
        await opened.enter_async_context(build(Settings(**settings)))
        yield World(bus, url, tmp_path, shelf, arxiv)


def a_feed(*like: str, slug: str = "liked") -> FeedConfig:
    return FeedConfig(slug=slug, title=slug, like=like)


def likes(profiles: Profiles, *papers: Any) -> list[bool]:
    return ["liked" in values for values in profiles.likeness(papers)]


async def test_ids_addresses_and_files_become_a_profile_and_nothing_is_announced(world: World) -> None:
    (world.feeds_file.parent / "mine.bib").write_text(GARDENS, encoding="utf-8")
    feed = a_feed(f"arXiv:{BY_ID}v1", world.library_url, "mine.bib")
    liked = world.scorer()

    before = await liked.profiles([feed])
    assert likes(before, ABOUT_GALAXIES, ABOUT_GARDENS) == [False, True]
    assert world.missing == 2
    profiles = await world.complete(liked, feed)

    assert likes(profiles, ABOUT_GALAXIES, ABOUT_GARDENS) == [True, True]
    assert profiles.why(ABOUT_GALAXIES, "liked").nearest == "Dwarf galaxies"
    (entry,) = ENTRIES.values()
    assert BY_ID.encode() in entry
    assert [order.what for order in await world.orders()] == ["liked", "liked"]
    assert [found async for found in world.bus.read(PaperAnnounced)] == []


async def test_many_scorers_and_restarts_order_once(world: World) -> None:
    feed = a_feed(BY_ID, world.library_url)
    await asyncio.gather(*(world.scorer().profiles([feed]) for _ in range(5)))
    await world.complete(world.scorer(), feed)
    await world.scorer().profiles([feed])

    assert len(await world.orders()) == 2
    assert world.shelf.statuses == [200]
    assert len([asked for asked in world.arxiv.asked if asked.path == "/api/query"]) == 1


async def test_an_address_is_looked_at_once_a_day_and_a_change_is_followed(world: World) -> None:
    liked, seen = world.scorer(), list[Profiles]()
    feed = a_feed(world.library_url)
    await world.complete(liked, feed)

    async def changed() -> None:
        seen.append(await liked.profiles([feed]))

    following = asyncio.create_task(liked.follow(changed))
    world.day = NEXT_DAY
    await eventually(lambda: world.shelf.statuses == [200, 304])
    world.shelf.document, world.day = GARDENS, date(2025, 12, 12)
    await eventually(lambda: bool(seen) and likes(seen[-1], ABOUT_GALAXIES, ABOUT_GARDENS) == [False, True])
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    assert [(state, papers) for state, papers, _ in await world.ends()] == [("done", 1)] * 3


async def test_what_is_no_library_leaves_the_one_before_in_place(world: World) -> None:
    feed, liked = a_feed(world.library_url), world.scorer()
    await world.complete(liked, feed)
    world.shelf.document, world.day = "<!DOCTYPE html><html>Sign in</html>", NEXT_DAY
    await liked.profiles([feed])

    async def refused() -> bool:
        return (await world.ends())[-1][0] == "failed"

    await eventually(refused)
    assert "is a web page, no library" in str((await world.ends())[-1][2])
    assert likes(await world.complete(liked, feed), ABOUT_GALAXIES) == [True]


async def test_an_id_that_arxiv_does_not_have_stays_missing_and_is_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    liked = world.scorer()
    await liked.profiles([a_feed("2401.99999")])

    async def answered() -> bool:
        return bool(await world.ends())

    await eventually(answered)
    await liked.profiles([a_feed("2401.99999")])
    assert (await world.ends())[0] == ("done", 0, "not found: 2401.99999")
    assert world.missing == 1
    assert [record.count for record in caplog.records if "are missing" in record.message] == [1]  # type: ignore[attr-defined]


async def test_a_bad_file_is_told_and_the_feed_works_without_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    (world.feeds_file.parent / "broken.bib").write_text(f"@misc{{nokey title={{x}}}}\n{GARDENS}", encoding="utf-8")
    profiles = await world.scorer().profiles([a_feed("broken.bib", "none.bib")])

    told = [str(record.detail) for record in caplog.records if "cannot be read" in record.message]  # type: ignore[attr-defined]
    assert any("broken.bib:1: an entry cannot be read" in problem for problem in told)
    assert any(
        "feeds.toml: feed[liked].like: " in problem and "none.bib: cannot be read: No such file" in problem
        for problem in told
    )
    assert likes(profiles, ABOUT_GARDENS) == [True]
    assert world.missing == 1


async def test_an_entry_without_abstract_gets_that_of_arxiv(world: World) -> None:
    (world.feeds_file.parent / "mine.bib").write_text(f"@misc{{a, eprint = {{{BY_ID}}}}}", encoding="utf-8")
    liked = world.scorer()
    await world.complete(liked, a_feed("mine.bib"))

    papers = await liked._papers()
    assert len(papers[BY_ID].abstract) > 300
    assert [order.ids for order in await world.orders()] == [(BY_ID,)]


async def test_rubbish_in_the_bucket_costs_nothing(world: World) -> None:
    await (await world.bus.key_value(LIKED_BUCKET)).put("arxiv.2401.00001", b"\xff\x00")
    await (await world.bus.object_store(LIKED_BUCKET)).put("rubbish", b"\xff")

    assert likes(await world.complete(world.scorer(), a_feed(world.library_url)), ABOUT_GALAXIES) == [True]


def test_orders_do_not_depend_on_how_far_the_fetcher_is() -> None:
    ids = [f"2401.{n:05d}" for n in range(250)]
    names = [order.order for order in orders(ids, (), (), DAY)]
    later = [order.order for order in orders(reversed(ids), ids[:150], (), DAY)]

    assert len(names) == 3
    assert later == names[1:]
    assert list(orders(ids, ids, (), DAY)) == []


def test_profiles_need_no_server(tmp_path: Path) -> None:
    (tmp_path / "mine.bib").write_text(GARDENS, encoding="utf-8")
    feed = a_feed("mine.bib", "2401.00001", "2401.00002", "https://example.org/a.bib")
    known = {"2401.00001": LikedPaper("2401.00001", "Dwarf galaxies", "Dark matter halos.")}
    loaded = load_profiles([feed], tmp_path / "feeds.toml", known)

    assert likes(loaded.profiles, ABOUT_GALAXIES, ABOUT_GARDENS) == [True, True]
    assert loaded.missing == ("2401.00002", "https://example.org/a.bib")


@pytest.mark.parametrize(
    ("address", "raw"),
    [
        ("https://github.com/a/b/blob/main/refs/x.bib", "https://raw.githubusercontent.com/a/b/main/refs/x.bib"),
        ("https://github.com/a/b/raw/main/x.bib?x=1", "https://raw.githubusercontent.com/a/b/main/x.bib"),
        ("https://github.com/a/b", "https://github.com/a/b"),
        ("https://example.org/a/b/blob/main/x.bib", "https://example.org/a/b/blob/main/x.bib"),
    ],
)
def test_a_file_shown_by_github_is_taken_raw(address: str, raw: str) -> None:
    assert raw_address(address) == raw


def test_an_address_is_shown_without_its_secrets() -> None:
    assert shown("https://me:secret@example.org/a.bib?key=secret") == "https://example.org/a.bib"
