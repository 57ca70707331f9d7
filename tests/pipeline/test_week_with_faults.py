"""A week of announcements with something wrong on every day ends in the same archive as a week without."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cli.local.arxiv import CUT, HTML, UNAVAILABLE, Fault, rate_limited
from services.fetcher.sources.arxiv_rss import parse
from tests.listings import listings_of
from tests.pipeline.world import World, recorded_day, world
from tests.waiting import eventually

DAYS = (8, 9, 10, 11, 12)
FOUR = ("cs.AI", "cs.CL", "cs.DC", "cs.LG")
FAULTS: dict[int, tuple[Fault, ...]] = {
    8: (rate_limited(), rate_limited("1")),
    9: (CUT, CUT),
    10: (UNAVAILABLE, Fault(200, recorded_day(10)[:200_000]), Fault(200, b"")),
    11: (Fault(200, recorded_day(10)), Fault(200, recorded_day(10))),
    12: (HTML, Fault(404, b"Not Found")),
}
PAPERS = "SELECT id, version, date, batch, title, authors, abstract, categories, source FROM papers ORDER BY id"
ANNOUNCEMENTS = "SELECT * FROM announcements ORDER BY paper_id, version, batch"
ENTRIES = "SELECT paper_id, feed, version, batch, date, rank, candidates, score FROM entries ORDER BY feed, paper_id"
CHECKS = "SELECT date, complete, reason, categories FROM checks ORDER BY date"

pytestmark = pytest.mark.timeout(300)

Archive = dict[str, list[tuple[Any, ...]]]


async def archive(here: World) -> Archive:
    connection = await asyncpg.connect(here.stack.database_url)
    try:
        statements = {"papers": PAPERS, "announcements": ANNOUNCEMENTS, "entries": ENTRIES, "checks": CHECKS}
        return {name: [tuple(row) for row in await connection.fetch(sql)] for name, sql in statements.items()}
    finally:
        await connection.close()


async def a_week(folder: Path, faults: dict[int, tuple[Fault, ...]]) -> tuple[Archive, list[int]]:
    """The archive after the five recorded days, and the status of every answer that arXiv gave."""
    async with world(folder) as here:
        for day in DAYS:
            here.replay.listings = listings_of(recorded_day(day), FOUR)
            here.replay.faults.extend(faults.get(day, ()))
            here.announce(recorded_day(day))
            await here.published(f"arxiv:2025-12-{day:02}")
            await eventually(lambda day=day: counted(here, day), timeout=30, message=f"day {day} not counted")  # type: ignore[misc]
        return await archive(here), [asked.status for asked in here.replay.asked]


async def counted(here: World, day: int) -> bool:
    """Whether the status says that everything which is listed for the day has come."""
    days = {one["date"]: one for one in (await here.status()).get("days", ())}
    found = days.get(f"2025-12-{day:02}")
    return bool(found and found["complete"] and all(one["announced"] for one in found["categories"]))


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The archive after a week in which nothing goes wrong."""
    return asyncio.run(a_week(tmp_path_factory.mktemp("quiet"), {}))[0]


async def test_a_week_with_faults_on_each_day_ends_with_the_same_archive(tmp_path: Path, quiet: Archive) -> None:
    seen, answers = await a_week(tmp_path, FAULTS)

    assert {name: seen[name] == quiet[name] for name in quiet} == dict.fromkeys(quiet, True)
    assert not {429, 503, 404} - set(answers)


def test_the_week_holds_every_recorded_paper_once_and_all_of_them_are_counted(quiet: Archive) -> None:
    recorded = {item.paper.versioned_id for day in DAYS for item in parse(recorded_day(day)).items}

    assert {f"{row[0]}v{row[1]}" for row in quiet["papers"]} == recorded
    assert len({row[1] for row in quiet["announcements"]}) == len(quiet["announcements"]) == len(recorded)
    assert [(row[1], row[2]) for row in quiet["checks"]] == [(True, None)] * 5
