"""The fetcher counts what it announced: listing pages, stragglers, stale categories, answers that are cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.local.arxiv import HTML, Replay, replay_app
from cli.local.serving import serving
from services.fetcher import split
from services.fetcher.app import build
from services.fetcher.checking import Checking
from services.fetcher.core import Plan, decide
from services.fetcher.cursor import Ledger
from services.fetcher.download import Downloader
from services.fetcher.lease import Lease
from services.fetcher.measures import Measures
from services.fetcher.pace import Pace
from services.fetcher.settings import Settings
from services.fetcher.sources.arxiv_rss import parse
from shared.bus import Bus
from shared.messages import AnnouncementChecked, BatchClosed, CategoryCheck, PaperAnnounced
from shared.metrics import Metrics
from shared.settings import ServiceSettings
from tests.announcements import ALL, WEEK, WEEKEND, a_feed, an_item, recorded
from tests.builders import DAY
from tests.listings import a_listing, listings_of, without
from tests.waiting import eventually

FOUR = tuple(ALL.split("+"))
WEDNESDAY = recorded(WEEK[2])
STRAGGLERS = ("2512.07841", "2512.07843")
FEEDS = '[[feed]]\nslug = "llm"\ntitle = "LLM"\ncategories = ["cs.AI", "cs.CL", "cs.DC", "cs.LG"]\nkeywords = ["LLM"]\n'


@dataclass
class World:
    """A NATS server, something like arXiv's hosts, and what came of it."""

    nats_url: str
    url: str
    feeds_file: Path
    bus: Bus
    arxiv: Replay

    def settings(self, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "nats_url": self.nats_url,
            "feeds_file": self.feeds_file,
            "contact": "test@localhost",
            "arxiv_rss_url": f"{self.url}/rss",
            "arxiv_site_url": self.url,
            "arxiv_interval": 0,
            "poll_interval": 0.05,
            "retry_delay": 0.1,
            "lease_seconds": 1,
            "probe_port": 0,
        }
        return Settings(**values | changes)

    async def checks(self) -> list[AnnouncementChecked]:
        return [received.event async for received in self.bus.read(AnnouncementChecked)]

    async def batches(self) -> list[tuple[str, int]]:
        return [(event.event.batch, event.event.papers) async for event in self.bus.read(BatchClosed)]

    async def papers(self) -> list[str]:
        return [received.event.paper.id async for received in self.bus.read(PaperAnnounced)]

    async def told(self, **expected: Any) -> AnnouncementChecked:
        """The newest check, once it says this."""

        async def it_does() -> AnnouncementChecked:
            checks = await self.checks()
            assert checks
            newest = checks[-1]
            assert {name: getattr(newest, name) for name in expected} == expected
            return newest

        return await eventually(it_does, timeout=20)

    async def ledger(self) -> Ledger:
        return await Ledger.load(self.bus)

    def asked(self, path: str) -> int:
        return [asked.path for asked in self.arxiv.asked].count(path)


@pytest.fixture
async def world(nats_url: str, tmp_path: Path) -> AsyncIterator[World]:
    feeds_file = tmp_path / "feeds.toml"
    feeds_file.write_text(FEEDS, encoding="utf-8")
    arxiv = Replay({ALL: WEDNESDAY})
    arxiv.listings = listings_of(WEDNESDAY, FOUR)
    bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await bus.connect()
    async with serving(replay_app(arxiv)) as url:
        yield World(nats_url, url, feeds_file, bus, arxiv)
    await bus.stop()


def complete_day(**late: int) -> tuple[CategoryCheck, ...]:
    counts = {"cs.AI": 109, "cs.CL": 27, "cs.DC": 11, "cs.LG": 113}
    return tuple(
        CategoryCheck(category=name, announced=count, seen=count, late=late.get(name[3:], 0))
        for name, count in counts.items()
    )


async def test_a_day_that_agrees_with_its_listings_is_complete_and_each_listing_is_read_once(world: World) -> None:
    async with build(world.settings()):
        checked = await world.told(complete=True, categories=complete_day())
        polls = len(world.arxiv.asked)
        await eventually(lambda: len(world.arxiv.asked) > polls + 5)

    assert checked.reason is None
    assert [world.asked(f"/list/{category}/new") for category in FOUR] == [1, 1, 1, 1]
    assert [check.check for check in await world.checks()] == list(range(1, len(await world.checks()) + 1))


async def test_stragglers_are_told_as_missing_and_then_come_as_a_supplement_that_is_late(world: World) -> None:
    world.arxiv.documents[ALL] = without(WEDNESDAY, *STRAGGLERS)
    async with build(world.settings()) as service:
        missing = await world.told(complete=False)
        assert "arXiv lists papers that its feed has not shown: cs.AI 2" in (missing.reason or "")
        metric = "paperwire_announcement_missing_papers"
        await eventually(lambda: (service.metrics.registry.get_sample_value(metric) or 0) >= 2)
        world.arxiv.documents[ALL] = WEDNESDAY

        done = await world.told(complete=True)

    assert [one.late for one in done.categories if one.category == "cs.AI"] == [2]
    assert await world.batches() == [("arxiv:2025-12-10", 197), ("arxiv:2025-12-10.2", 2)]
    assert len(set(await world.papers())) == len(await world.papers()) == 199


async def test_a_category_that_the_common_feed_lacks_is_asked_for_by_itself(world: World) -> None:
    """The feed of all stays as it is; only the category's own has its papers."""
    distributed = recorded("cs.DC.2025-12-10.xml")
    own = [item.paper.id for item in parse(distributed).items]
    common = without(WEDNESDAY, *own)
    world.arxiv.documents = {ALL: common, "cs.DC": distributed}
    async with build(world.settings()):
        await world.told(complete=True, categories=complete_day(AI=1, DC=11, LG=2))

    assert await world.batches() == [("arxiv:2025-12-10", 188), ("arxiv:2025-12-10.2", 11)]


async def test_a_category_whose_own_feed_shows_yesterday_is_stale_and_asked_again(world: World) -> None:
    distributed = recorded("cs.DC.2025-12-10.xml")
    own = [item.paper.id for item in parse(distributed).items]
    yesterday = distributed.replace(b"Wed, 10 Dec 2025 00:00", b"Tue, 09 Dec 2025 00:00")
    world.arxiv.documents = {ALL: without(WEDNESDAY, *own), "cs.DC": yesterday}
    async with build(world.settings()):
        stale = await world.told(complete=False)
        await eventually(lambda: world.asked("/rss/cs.DC") >= 2)
        assert [one.category for one in stale.categories if one.stale] == ["cs.DC"]
        assert await world.batches() == [("arxiv:2025-12-10", 188)]
        world.arxiv.documents["cs.DC"] = distributed

        await world.told(complete=True)

    assert await world.batches() == [("arxiv:2025-12-10", 188), ("arxiv:2025-12-10.2", 11)]


@pytest.mark.parametrize("page", [None, HTML.body, b"", a_listing(DAY).replace(b"2025", b"2024")])
async def test_without_a_readable_listing_the_day_is_published_all_the_same(world: World, page: bytes | None) -> None:
    world.arxiv.listings = {} if page is None else dict.fromkeys(FOUR, page)
    async with build(world.settings()):
        checked = await world.told(complete=True)
        await eventually(lambda: world.asked("/list/cs.AI/new") >= 2)

    assert [one.announced for one in checked.categories] == [None] * 4
    assert await world.batches() == [("arxiv:2025-12-10", 199)]


async def test_listings_are_not_asked_for_when_that_is_switched_off(world: World) -> None:
    async with build(world.settings(check_listing=False)):
        await world.told(complete=True)
        await eventually(lambda: world.asked(f"/rss/{ALL}") >= 3)

    assert not [asked for asked in world.arxiv.asked if asked.path.startswith("/list/")]


async def test_a_weekend_is_complete_with_its_reason_and_no_listing_is_read(world: World) -> None:
    world.arxiv.documents = {ALL: recorded(WEEKEND)}
    async with build(world.settings()):
        await world.told(complete=True, reason="arXiv announces nothing on Saturday and Sunday.")
        await eventually(lambda: world.asked(f"/rss/{ALL}") >= 3)

    assert not [asked for asked in world.arxiv.asked if asked.path.startswith("/list/")]


def in_two(category: str, numbers: range) -> list[str]:
    return [
        an_item(guid=f"oai:arXiv.org:2512.{number:05d}v1").replace(
            "<category>cs.AI</category><category>cs.LG</category>", f"<category>{category}</category>"
        )
        for number in numbers
    ]


def a_big_day() -> dict[str, bytes]:
    """3,000 papers: the feeds of two or more categories end after 2,000 rows."""
    items = {"cs.AI": in_two("cs.AI", range(1, 1_601)), "cs.CL": in_two("cs.CL", range(2_000, 2_900))}
    items |= {"cs.DC": in_two("cs.DC", range(3_000, 3_300)), "cs.LG": in_two("cs.LG", range(4_000, 4_200))}
    documents = {category: a_feed(*rows) for category, rows in items.items()}
    documents["cs.DC+cs.LG"] = a_feed(*items["cs.DC"], *items["cs.LG"])
    documents["cs.AI+cs.CL"] = a_feed(*(items["cs.AI"] + items["cs.CL"])[: split.LIMIT])
    documents[ALL] = documents["cs.AI+cs.CL"]
    return documents


async def test_an_answer_that_is_cut_off_is_asked_for_in_halves_until_nothing_is(world: World) -> None:
    world.arxiv.documents = a_big_day()
    world.arxiv.listings = {}
    async with build(world.settings(check_listing=False)):
        checked = await world.told(complete=True)

    assert [asked.path for asked in world.arxiv.asked][:5] == [
        "/rss/cs.AI+cs.CL+cs.DC+cs.LG",
        "/rss/cs.AI+cs.CL",
        "/rss/cs.AI",
        "/rss/cs.CL",
        "/rss/cs.DC+cs.LG",
    ]
    assert [one.seen for one in checked.categories] == [1_600, 900, 300, 200]
    assert await world.batches() == [("arxiv:2025-12-10", 3_000)]
    assert len(set(await world.papers())) == 3_000


async def test_one_category_of_2000_papers_is_told_as_cut_off(world: World) -> None:
    world.feeds_file.write_text(FEEDS.replace('["cs.AI", "cs.CL", "cs.DC", "cs.LG"]', '["cs.AI"]'), encoding="utf-8")
    world.arxiv.documents = {"cs.AI": a_feed(*in_two("cs.AI", range(1, 2_001)))}
    async with build(world.settings(check_listing=False)):
        await world.told(complete=False, reason="arXiv cuts its feed off at 2000 papers for cs.AI.")

    assert await world.batches() == [("arxiv:2025-12-10", 2_000)]


async def test_a_batch_of_several_documents_is_finished_by_the_next_replica(world: World) -> None:
    """Dead after writing the plan down; arXiv has moved on since."""
    documents = a_big_day()
    parts = [
        split.Answer((name,), (documents[name],), parse(documents[name])) for name in ("cs.AI", "cs.CL", "cs.DC+cs.LG")
    ]
    answer = split.join(parts)
    ledger = await Ledger.load(world.bus)
    moment = parse(WEDNESDAY).built
    decision = decide(answer.announcement, cursor=ledger.cursor, history=ledger.history, now=moment)
    assert isinstance(decision, Plan)
    await ledger.begin(decision, *answer.documents)
    world.arxiv.documents = {ALL: recorded(WEEK[3])}
    world.arxiv.listings = {}

    async with build(world.settings()):
        await eventually(lambda: world.asked(f"/rss/{ALL}") >= 1)
        await world.told(complete=True, date=DAY.replace(day=11))

    assert await world.batches() == [("arxiv:2025-12-10", 3_000), ("arxiv:2025-12-11", 197)]


async def test_a_day_that_cannot_be_asked_for_is_told_with_the_reason(world: World) -> None:
    async with build(world.settings(check_listing=False)):
        await world.told(complete=True)
    settings = world.settings(check_listing=False)
    downloader = Downloader(Pace(world.bus, interval=0), "test@localhost")
    lease = Lease(world.bus, holder="test", seconds=1)
    checking = Checking(settings, world.bus, lease, downloader, Measures(Metrics("test")), nothing_more)
    thursday = datetime(2025, 12, 11, 7, tzinfo=UTC)

    await checking.check(await world.ledger(), FOUR, thursday, failure="rate limited")

    refused = "arXiv cannot be asked (rate limited); it is tried again."
    first = await world.told(date=thursday.date(), complete=False, reason=refused)
    await checking.check(await world.ledger(), FOUR, thursday)
    later = await world.told(reason="arXiv has not shown this day's announcement yet; it is asked again.")
    assert (first.check, later.check) == (1, 2)


async def nothing_more(*what: Any) -> None:
    raise AssertionError("there is nothing to publish")


async def test_what_was_counted_outlives_the_fetcher(world: World) -> None:
    world.arxiv.documents[ALL] = without(WEDNESDAY, *STRAGGLERS)
    async with build(world.settings()):
        missing = await world.told(complete=False)
    asked = world.asked("/list/cs.DC/new")
    async with build(world.settings()):
        world.arxiv.documents[ALL] = WEDNESDAY
        await world.told(complete=True)

    numbers = [check.check for check in await world.checks()]
    assert numbers == sorted(set(numbers))
    assert missing.check in numbers
    assert world.asked("/list/cs.DC/new") == asked == 1
