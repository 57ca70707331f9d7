"""`paperwire bench backfill --pages` measures the memory of a real fetcher."""

from __future__ import annotations

from pathlib import Path

from cli.bench.memory import harvest
from cli.bench.pipeline import feeds_file
from cli.orders import connected
from shared.messages import PaperAnnounced

PAGES, PAGE = 3, 1_000


async def test_memory_is_told_after_every_page_and_no_record_is_missing(nats_url: str, tmp_path: Path) -> None:
    with feeds_file() as feeds:
        memory = await harvest(nats_url, feeds, tmp_path, PAGES)
    async with connected(nats_url) as bus:
        ids = {found.event.paper.id async for found in bus.read(PaperAnnounced)}

    assert len(ids) == PAGES * PAGE
    assert list(memory.after) == [1, 2, 3]
    assert 0 < min(memory.after.values()) <= max(memory.after.values()) <= memory.peak
