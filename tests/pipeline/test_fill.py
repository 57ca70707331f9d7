"""`paperwire feeds fill` on the whole pipeline: a feed that came later is filled as if it had always been there."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import nats
import pytest

from cli import web
from cli.local.stack import in_thread
from shared.provision import PAPERS
from tests.pipeline.world import FEEDS, SUFFIXES, World, recorded_day, world
from tests.waiting import eventually

DAYS = (8, 9, 10)
LATER = """
[[feed]]
slug = "gpus"
title = "GPUs"
categories = ["cs.DC", "cs.LG", "cs.AI", "cs.CL"]
keywords = ["GPU", "CUDA", "throughput", "latency", { term = "quantization", weight = 2.0 }]
max_papers = 6
[feed.summary]
top = 2
"""

pytestmark = pytest.mark.timeout(240)


async def announce_all(here: World) -> None:
    """The announcements of three days, one after the other."""
    for day in DAYS:
        here.announce(recorded_day(day))
        await here.published(f"arxiv:2025-12-{day:02}")


async def fill(here: World, feeds: Path, *options: str) -> tuple[int | None, str]:
    """The command's exit code and what it said."""
    addresses = {"NATS_URL": here.stack.nats_url, "DATABASE_URL": here.stack.database_url, "FEEDS_FILE": str(feeds)}
    command = [sys.executable, "-m", "cli.main", "feeds", "fill", "gpus", "--days", "3", *options]
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | addresses, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def later_feed(here: World) -> dict[str, bytes]:
    """What readers see of the feed."""
    return {suffix: await in_thread(here.page, f"/feeds/gpus{suffix}", here.stack.web_url) for suffix in SUFFIXES}


def single(pages: dict[str, bytes]) -> dict[str, bytes]:
    """Without the pages that show all feeds together, the later one among them."""
    return {path: page for path, page in pages.items() if path != "/" and not path.startswith("/feeds/all")}


async def messages(here: World) -> int:
    """How many there are in the stream."""
    connection = await nats.connect(here.stack.nats_url)
    try:
        return int((await connection.jetstream().stream_info(PAPERS)).state.last_seq)
    finally:
        await connection.close()


async def settled(here: World) -> None:
    """Wait until nothing is under way and no entry waits."""

    async def done() -> bool:
        status = await here.status()
        return status.get("entries_waiting") == 0 and bool(status["complete"])

    await here.published()
    await eventually(done, timeout=60)
    await here.published()


async def test_a_feed_that_came_later_is_filled_as_if_it_had_always_been_there(tmp_path: Path) -> None:
    feeds, example = tmp_path / "feeds.toml", FEEDS.read_text(encoding="utf-8")
    feeds.write_text(example + LATER, encoding="utf-8")
    async with world(tmp_path / "always", recorded_day(DAYS[0]), feeds=feeds) as always:
        await announce_all(always)
        await settled(always)
        wanted, everything = await later_feed(always), await always.snapshot()

    feeds.write_text(example, encoding="utf-8")
    async with world(tmp_path / "later", recorded_day(DAYS[0]), feeds=feeds) as later:
        await announce_all(later)
        await settled(later)
        feeds.write_text(example + LATER, encoding="utf-8")
        address = f"{later.stack.web_url}/feeds/gpus"
        await eventually(lambda: in_thread(lambda: web.get(address, 10)[0] == 200), timeout=30)
        others, empty = await later.snapshot(), await later_feed(later)
        statuses, before = await later.status(), await messages(later)

        tried = await fill(later, feeds, "--dry-run")
        assert await messages(later) == before
        filled = await fill(later, feeds)
        await settled(later)
        found, sent = await later_feed(later), await messages(later)
        again = await fill(later, feeds)
        await settled(later)

        assert (tried[0], filled[0], again[0]) == (0, 0, 0), tried[1] + filled[1] + again[1]
        assert "would be filled from 3 announcements" in tried[1]
        assert "0 papers filled" in again[1]
        assert found != empty
        assert found == wanted
        after = await later.snapshot()
        assert single(after) == single(others)
        assert after == everything
        assert await later_feed(later) == found
        assert await messages(later) == sent
        assert (await later.status())["batches"] == statuses["batches"]
