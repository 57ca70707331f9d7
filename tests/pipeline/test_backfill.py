"""`paperwire backfill` with nothing running: it starts the pipeline, fills the archive, and stops it again."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from cli.local import scratch
from cli.local.arxiv import Replay, replay_app
from cli.local.postgres import Postgres
from cli.local.serving import serving
from tests.announcements import ALL, WEEKEND
from tests.announcements import recorded as announcement
from tests.oai import LAST_PAGE, recorded

FEEDS = '[[feed]]\nslug = "a"\ntitle = "A"\ncategories = ["cs.AI"]\nkeywords = ["algorithm"]\n'

pytestmark = pytest.mark.timeout(240)


async def backfill(url: str, folder: Path) -> tuple[int | None, str]:
    environment = os.environ | {
        "CONTACT": "test@localhost",
        "ARXIV_RSS_URL": f"{url}/rss",
        "ARXIV_OAI_URL": f"{url}/oai",
        "ARXIV_INTERVAL": "0",
    }
    days = ("--from", "2016-03-09", "--until", "2016-03-09", "--form", "arXiv")
    places = ("--feeds", str(folder / "feeds.toml"), "--data", str(folder / "data"))
    command = [sys.executable, "-m", "cli.main", "backfill", *days, *places]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    return process.returncode, said.decode()


async def archive(folder: Path) -> tuple[int, int, int]:
    """Papers, entries and accounts of announcements other than the weekend's in the database that was left."""
    server = Postgres(folder / "data" / "postgres", folder / "postgres.log")
    await asyncio.to_thread(server.start)
    try:
        connection = await asyncpg.connect(server.url)
        counts = [
            await connection.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("papers", "entries", "batches WHERE batch <> 'arxiv:2026-08-01'")
        ]
        await connection.close()
    finally:
        await asyncio.to_thread(server.close)
    return (counts[0], counts[1], counts[2])


@pytest.fixture(autouse=True)
def removed(tmp_path: Path) -> Iterator[None]:
    """As root, Postgres has its data elsewhere: it goes with the test's folder."""
    yield
    scratch.remove(tmp_path / "data")


async def test_the_archive_is_filled_and_readers_are_told_nothing(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text(FEEDS, encoding="utf-8")
    arxiv = Replay({ALL: announcement(WEEKEND)})
    arxiv.oai.pages["arXiv"] = {date(2016, 3, 9): [recorded(LAST_PAGE)]}
    async with serving(replay_app(arxiv)) as url:
        first = await backfill(url, tmp_path)
        asked = len(arxiv.arguments("/oai"))
        again = await backfill(url, tmp_path)

    assert (first[0], again[0]) == (0, 0), first[1] + again[1]
    assert "538 of 538 papers" in first[1]
    assert len(arxiv.arguments("/oai")) == asked
    assert await archive(tmp_path) == (538, 0, 0)
