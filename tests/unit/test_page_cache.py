"""Pages are rendered once per change, and kept for when the database is away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.publisher.cache import Cache, Rendering, Served
from services.publisher.library import Version
from shared.errors import Unavailable
from tests.waiting import eventually

START = datetime(2025, 12, 10, 6, 30, tzinfo=UTC)


class Site:
    """A database with one page, and a clock."""

    def __init__(self) -> None:
        self.now = START
        self.version = 1
        self.text = "one"
        self.variant = 0
        self.away = False
        self.hangs: asyncio.Event | None = None
        self.looked = self.made = 0
        self.cache = Cache(self.look, lambda: self.variant, clock=lambda: self.now)

    async def look(self) -> Version:
        self.looked += 1
        if self.hangs:
            await self.hangs.wait()
        if self.away:
            raise Unavailable("no answer")
        return Version(self.version, START)

    async def make(self) -> Rendering | None:
        self.made += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("no answer")
        text = self.text
        return Rendering(lambda notice: (text + (notice or "")).encode(), "text/plain") if text else None

    async def get(self, key: str = "page", *, later: float = 0) -> Served | None:
        self.now += timedelta(seconds=later)
        return await self.cache.get(key, self.make)

    async def read(self, key: str = "page", *, later: float = 0) -> str:
        served = await self.get(key, later=later)
        assert served
        return served.body.plain.data.decode()

    def change(self, text: str) -> None:
        self.text, self.version = text, self.version + 1


@pytest.fixture
def site() -> Site:
    return Site()


async def test_a_page_is_rendered_once_however_many_ask(site: Site) -> None:
    await asyncio.gather(*(site.get() for _ in range(50)))

    assert (site.made, site.looked) == (1, 1)


async def test_a_change_is_seen_within_a_second_or_so(site: Site) -> None:
    assert await site.read() == "one"
    site.change("two")

    assert await site.read(later=0.5) == "one"
    assert await site.read(later=0.6) == "two"


async def test_new_bytes_always_get_a_later_date(site: Site) -> None:
    first = await site.get()
    site.change("two")
    second = await site.get(later=2)

    assert first
    assert second
    assert second.body.modified > first.body.modified


async def test_bytes_that_stay_the_same_keep_their_date(site: Site) -> None:
    first = await site.get()
    site.change("one")

    second = await site.get(later=2)

    assert first
    assert second
    assert second.body == first.body


async def test_a_changed_configuration_renders_again(site: Site) -> None:
    await site.get()
    site.variant = 1
    await site.get()

    assert site.made == 2


async def test_a_page_that_does_not_exist_is_none(site: Site) -> None:
    site.text = ""

    assert await site.get() is None


async def test_while_the_database_is_away_the_kept_page_says_how_old_it_is(site: Site) -> None:
    await site.get()
    site.away = True

    served = await site.get(later=90)

    assert served
    assert served.age == timedelta(seconds=90)
    assert served.body.plain.data == (
        b"oneThe database does not answer at the moment. This page is as of 10 December 2025, 06:30 UTC."
    )


async def test_a_page_that_was_never_shown_is_unavailable_then(site: Site) -> None:
    site.away = True

    with pytest.raises(Unavailable):
        await site.get()


async def test_when_the_database_answers_again_the_page_is_fresh(site: Site) -> None:
    await site.get()
    site.away = True
    await site.get(later=5)
    site.away = False
    site.change("two")

    async def is_new() -> bool:
        return await site.read(later=2) == "two"

    await eventually(is_new)


async def test_while_the_database_is_away_nobody_waits_for_it(site: Site) -> None:
    await site.get()
    site.away = True
    await site.get(later=5)
    site.hangs = asyncio.Event()

    served = await asyncio.wait_for(site.get(later=5), 0.5)

    assert served
    assert served.age == timedelta(seconds=10)
    site.hangs.set()


async def test_a_database_that_goes_away_while_a_page_is_made_is_away_at_once(site: Site) -> None:
    await site.get()
    site.change("two")
    site.now += timedelta(seconds=2)
    await site.cache.get("another", site.make)
    site.away = True

    served = await site.get()

    assert served
    assert served.age == timedelta(0)
