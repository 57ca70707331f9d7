"""The whole publisher on real servers: messages in, public feeds and `papers.published` out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.local.nats import Nats
from cli.local.postgres import Postgres
from services.publisher.app import build
from services.publisher.settings import Settings
from shared.bus import Bus
from shared.fetcher_state import STATE, FetcherState
from shared.messages import Message, PaperPublished
from shared.metrics import Metrics
from shared.provision import FETCHER_BUCKET
from shared.service import Service
from shared.settings import ServiceSettings
from tests.builders import a_closing, a_scored
from tests.publishing import NEXT_DAY, a_pick, a_selected, a_summary
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
PATHS = ("/feeds/gpu.rss", "/feeds/llm.atom", "/feeds/all.json", "/feeds/gpu.md", "/", "/status", "/status.json")
PAPERS = 12
ENTRIES = PAPERS + 4  # of `the_messages`: every third paper is in two feeds


def the_messages() -> list[Message]:
    """Two days: every paper in one feed, every third in two, half of them summarised."""
    ids = [f"2512.{n:05d}" for n in range(PAPERS)]
    picks = [
        [a_pick("gpu", n + 1)] + ([a_pick("llm", n // 3 + 1, waits_for=())] if n % 3 == 0 else [])
        for n in range(PAPERS)
    ]
    return [
        *(a_scored(n) for n in range(PAPERS)),
        a_closing(PAPERS),
        *(a_selected(paper, *chosen) for paper, chosen in zip(ids, picks, strict=True)),
        *(a_summary(paper) for paper in ids[::2]),
        *(a_summary(paper, summary=None, made_by=None, reason="the model refused") for paper in ids[1::2]),
        a_scored(0, kind="cross", **NEXT_DAY),
        a_selected(ids[0], a_pick("gpu", 1), kind="cross", **NEXT_DAY),
        a_closing(1, **NEXT_DAY),
    ]


class World:
    """The servers, and what goes in and comes out."""

    def __init__(self, nats_url: str, database_url: str, feeds_file: Path) -> None:
        self.environment: dict[str, Any] = {
            "nats_url": nats_url,
            "database_url": database_url,
            "feeds_file": feeds_file,
            "public_url": PUBLIC_URL,
            "web_port": 0,
            "probe_port": 0,
        }
        self.bus = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))

    def publisher(self, **changes: Any) -> Service:
        return build(Settings(**self.environment | changes))

    async def told(self) -> list[str]:
        """The keys of all `papers.published`."""
        return [received.event.key async for received in self.bus.read(PaperPublished)]


@pytest.fixture
async def world(nats_url: str, database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    world = World(nats_url, database_url, write(tmp_path / "feeds.toml"))
    await world.bus.connect()
    yield world
    await world.bus.stop()


def write(path: Path) -> Path:
    path.write_text(FEEDS, encoding="utf-8")
    return path


async def fetch(service: Service, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(f"http://127.0.0.1:{service.web_port}{path}")


async def ready(service: Service) -> list[str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        problems: list[str] = (await http.get(f"http://127.0.0.1:{service.probe_port}/readyz")).json()["problems"]
        return problems


async def complete(service: Service, batches: int = 2) -> bool:
    response = await fetch(service, "/status.json")
    document = response.json() if response.status_code == 200 else {"batches": []}
    return len(document["batches"]) == batches and bool(document["complete"]) and document["stale"] is None


async def all_out(service: Service) -> bool:
    """A day can be complete before its last selection has come: the publisher cannot know how many there will be."""
    batches = (await fetch(service, "/status.json")).json()["batches"]
    return await idle(service) and sum(batch["published"] for batch in batches) == ENTRIES


async def shown(service: Service) -> dict[str, bytes]:
    """Every public byte, once all entries of `the_messages` are out and the accounts are complete."""
    await eventually(lambda: complete(service), timeout=30)
    await eventually(lambda: all_out(service), timeout=30)
    return {path: (await fetch(service, path)).content for path in PATHS}


async def test_a_day_of_messages_becomes_feeds_and_events(world: World) -> None:
    async with world.publisher() as service:
        await world.bus.publish(*the_messages())
        pages = await shown(service)

        await eventually(lambda: as_many(world, ENTRIES))

    assert pages["/feeds/gpu.rss"].count(b"<item>") == PAPERS
    assert sorted(await world.told())[:2] == ["published:gpu:2512.00000", "published:gpu:2512.00001"]


async def test_the_event_says_what_was_published_and_where(world: World) -> None:
    async with world.publisher():
        await world.bus.publish(a_scored(0), a_selected("2512.00000"), a_summary("2512.00000"))
        await eventually(lambda: as_many(world, 1))

    [event] = [received.event async for received in world.bus.read(PaperPublished)]
    assert (event.feed, event.rank, event.batch, event.made_by) == ("gpu", 1, "arxiv:2025-12-10", "model")
    assert event.urls == {
        "page": "https://papers.example.org/papers/2512.00000",
        "rss": "https://papers.example.org/feeds/gpu.rss",
        "atom": "https://papers.example.org/feeds/gpu.atom",
        "json": "https://papers.example.org/feeds/gpu.json",
        "abs": "https://arxiv.org/abs/2512.00000",
    }


async def test_any_order_and_a_second_publisher_give_the_same_bytes(world: World, another: World) -> None:
    async with world.publisher() as service:
        await world.bus.publish(*the_messages())
        expected = await shown(service)
    shuffled = the_messages()
    random.Random(7).shuffle(shuffled)

    async with another.publisher() as one, another.publisher() as other:
        for message in shuffled:
            await another.bus.publish(message)
        assert await shown(one) == expected
        assert await shown(other) == expected
        await eventually(lambda: as_many(another, ENTRIES))


@pytest.fixture
async def another(world: World, postgres: Postgres, migrated: str, tmp_path: Path) -> AsyncIterator[World]:
    """A second pair of servers."""
    from shared.provision import provision
    from tests.conftest import statement

    server = Nats(tmp_path / "another", tmp_path / "another.log")
    await asyncio.to_thread(server.start)
    await provision(server.url)
    statement(postgres, f"CREATE DATABASE another TEMPLATE {migrated}")
    world = World(server.url, postgres.url_of("another"), tmp_path / "feeds.toml")
    await world.bus.connect()
    yield world
    await world.bus.stop()
    await asyncio.to_thread(server.close)
    statement(postgres, "DROP DATABASE another WITH (FORCE)")


async def test_everything_sent_again_changes_no_byte_and_tells_nobody_twice(world: World) -> None:
    async with world.publisher() as service:
        await world.bus.publish(*the_messages())
        before = await shown(service)
        await eventually(lambda: as_many(world, ENTRIES))
        told = await world.told()

        await replay(world, the_messages())

        await eventually(lambda: idle(service))
        assert await shown(service) == before
        assert await world.told() == told


async def replay(world: World, messages: Sequence[Message]) -> None:
    """The same bodies under new ids, as an operator's replay sends them: the stream takes them again."""
    for number, message in enumerate(messages):
        headers = {"Nats-Msg-Id": f"replay:{number}"}
        await world.bus.js.publish(message.SUBJECT, message.model_dump_json().encode(), headers=headers)


async def idle(service: Service) -> bool:
    await service.bus.measure()
    registry = service.metrics.registry
    consumers = ("publisher-scored", "publisher-selected", "publisher-summaries", "publisher-batches")
    names = ("paperwire_consumer_pending", "paperwire_consumer_ack_pending")
    return not any(registry.get_sample_value(name, {"consumer": c}) for name in names for c in consumers)


async def test_postgres_restarting_loses_and_doubles_nothing(world: World, postgres: Postgres) -> None:
    messages = the_messages()
    async with world.publisher() as service:
        await world.bus.publish(*messages[:10])
        await eventually(lambda: idle(service))
        await asyncio.to_thread(postgres.stop)
        await world.bus.publish(*messages[10:])
        reasons = await eventually(lambda: ready(service))
        assert any("Postgres does not answer" in reason for reason in reasons)

        await asyncio.to_thread(postgres.start)

        await eventually(lambda: complete(service), timeout=30)
        await eventually(lambda: as_many(world, ENTRIES))
        assert not await ready(service)


async def test_nats_restarting_loses_and_doubles_nothing(world: World, nats_server: Nats) -> None:
    messages = the_messages()
    async with world.publisher() as service:
        await world.bus.publish(*messages[:20])
        await asyncio.to_thread(nats_server.kill)
        await asyncio.to_thread(nats_server.start)
        await world.bus.publish(*messages[20:])

        await eventually(lambda: complete(service), timeout=30)
        await eventually(lambda: as_many(world, ENTRIES), timeout=30)


async def test_an_entry_is_told_although_the_publisher_died_before_it_could(world: World) -> None:
    from tests.publishing import a_publisher

    async with a_publisher(world.environment["database_url"]) as dead:
        await dead.handle(a_scored(0), a_selected("2512.00000"), a_summary("2512.00000"))

    async with world.publisher():
        await eventually(lambda: as_many(world, 1))


async def test_an_entry_appears_at_its_deadline(world: World) -> None:
    async with world.publisher(entry_deadline=0.3) as service:
        await world.bus.publish(a_scored(0), a_selected("2512.00000"))

        await eventually(lambda: as_many(world, 1))

        assert b"<item>" in (await fetch(service, "/feeds/gpu.rss")).content


async def test_what_cannot_be_stored_is_accounted_for_and_holds_nothing_else_back(world: World) -> None:
    async with world.publisher() as service:
        await world.bus.publish(a_scored(0), a_selected("2512.00000"), a_summary("2512.00000"), a_closing(2))
        broken = a_scored(1).model_dump_json().replace('"position":1', '"position":-1').encode()
        await world.bus.js.publish("papers.scored", broken)

        await eventually(lambda: complete(service, batches=1))
        [batch] = (await fetch(service, "/status.json")).json()["batches"]
        assert (batch["scored"], batch["dead_papers"], batch["published"]) == (1, 1, 1)


async def test_the_status_says_what_the_fetcher_says_of_itself(world: World) -> None:
    bucket = await world.bus.key_value(FETCHER_BUCKET)
    checked = datetime(2025, 12, 11, 6, 5, tzinfo=UTC)
    reason = "unavailable: https://rss.arxiv.org/rss/cs.AI answered 503 \x1b[31m" + "x" * 9_999
    failed = FetcherState(outcome="failed", reason=reason, checked=checked, failures=2, newest=checked.date())
    own = failed.model_copy(update={"reason": "internal: /srv/secret.py"})

    async def told(service: Service) -> Any:
        return (await fetch(service, "/status.json")).json()["fetcher"]

    async def hidden() -> bool:
        return bool((await told(service))["reason"] == "an internal error; the fetcher's log has it")

    async with world.publisher() as service:
        assert await told(service) is None
        await bucket.put(STATE, failed.model_dump_json().encode())
        shown = await eventually(lambda: told(service))
        assert shown.pop("reason").startswith("unavailable: https://rss.arxiv.org/rss/cs.AI answered 503  [31mxxx")
        assert shown == {
            "outcome": "failed",
            "checked": "2025-12-11T06:05:00Z",
            "retry_at": None,
            "newest": "2025-12-11",
        }
        assert "arXiv could not be read" in (await fetch(service, "/status")).text

        await bucket.put(STATE, b"of another version")
        await bucket.put(STATE, own.model_dump_json().encode())
        await eventually(hidden)


async def test_the_newest_batch_is_measured(world: World) -> None:
    async with world.publisher() as service:
        await world.bus.publish(a_scored(0), a_selected("2512.00000"), a_summary("2512.00000"), a_closing(1))
        value = service.metrics.registry.get_sample_value

        await eventually(lambda: value("paperwire_batch_papers", {"stage": "published"}) == 1)
        assert value("paperwire_batch_papers", {"stage": "scored"}) == 1
        assert value("paperwire_newest_announcement_timestamp_seconds") == 1765342800
        assert value("paperwire_entries_published_total", {"feed": "gpu"}) == 1


async def as_many(world: World, events: int) -> bool:
    told = await world.told()
    assert len(told) == len(set(told)), "an event was sent twice"
    return len(told) == events


async def test_backfilled_papers_are_archived_but_are_no_announcement(world: World) -> None:
    ordered: dict[str, Any] = {"batch": "backfill:cs.2025-12", "kind": "backfill"}
    before_its_announcement = {"date": date(2025, 12, 8)} | ordered
    known = a_scored(0).paper
    async with world.publisher() as service:
        await world.bus.publish(*the_messages())
        pages = await shown(service)
        await world.bus.publish(
            a_scored(0, paper=known.model_copy(update={"title": "As of old"}), **before_its_announcement),
            a_scored(1, paper=known.model_copy(update={"id": "2401.00001"}), date=date(2025, 12, 20), **ordered),
            a_scored(2, paper=known.model_copy(update={"id": "2401.00002"}), date=date(2024, 1, 2), **ordered),
        )

        async def archived() -> bool:
            found = [await fetch(service, f"/papers/2401.0000{number}") for number in (1, 2)]
            return [response.status_code for response in found] == [200, 200]

        await eventually(archived)
        later = await shown(service)
        page = await fetch(service, "/papers/2512.00000")

    assert later.keys() == pages.keys()
    assert [path for path in pages if later[path] != pages[path]] == []
    assert "As of old" not in page.text
