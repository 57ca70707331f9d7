"""The fetcher's resident memory while it harvests a long list over OAI-PMH, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.table import Table

from cli.bench import pipeline
from cli.bench.backfill import FORM, PAGE, a_page
from cli.bench.corpus import FIRST_DAY, recorded_papers
from cli.local.arxiv import Replay, replay_app
from cli.local.arxiv.recorded import settings
from cli.local.processes import LocalError
from cli.local.service import LocalService
from cli.local.serving import serving

MARKS = (10, 50, 100)
RECORDED_PAGES = 10  # of different papers; then they come again under other ids
SECONDS_PER_PAGE = 30
MB = 1_000_000


class Memory:
    """Resident memory of the command of a leashed process, after as many pages, in bytes."""

    def __init__(self, service: LocalService) -> None:
        self._service = service
        self.after: dict[int, int] = {}
        self.peak = 0

    def sample(self, pages: int) -> None:
        """So many pages are done."""
        pid, resident = resident_child(self._service.process.leash_pid or 0)
        self.after[pages] = resident
        self.peak = max(self.peak, resident, high_water_mark(pid))


def resident_child(parent: int) -> tuple[int, int]:
    """The pid of the only child, and its resident memory in bytes."""
    told = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    for pid, ppid, kilobytes in (map(int, line.split()) for line in told.splitlines()):
        if ppid == parent:
            return pid, kilobytes * 1024
    raise LocalError("the fetcher has ended")


def high_water_mark(pid: int) -> int:
    """The most memory that it ever had, in bytes; 0 where the system does not tell."""
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def run(pages: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="paperwire-bench-") as name, pipeline.feeds_file() as feeds:
        folder = Path(name)
        with pipeline.nats_server(folder / "nats") as nats_url:
            pipeline.CONSOLE.print(f"{pages} pages of {PAGE:,} records …", style="dim")
            memory = asyncio.run(harvest(nats_url, feeds, folder, pages))
    marks = sorted({mark for mark in MARKS if mark < pages} | {pages})
    columns = (*(f"after page {mark}" for mark in marks), "peak")
    table = Table(*columns, title=f"Resident memory of the fetcher, {pages * PAGE:,} records (MB)")
    table.add_row(*(f"{memory.after[mark] / MB:,.0f}" for mark in marks), f"{memory.peak / MB:,.0f}")
    pipeline.CONSOLE.print(table)


async def harvest(nats_url: str, feeds: Path, folder: Path, pages: int) -> Memory:
    """One order for all pages, with the real fetcher alone."""
    from cli.orders import connected, follow, give
    from shared.messages import FetchRequested
    from shared.provision import provision

    await provision(nats_url)
    replay = Replay()
    async with serving(replay_app(replay)) as url, connected(nats_url) as bus:
        given = {"NATS_URL": nats_url, "FEEDS_FILE": str(feeds), "CONTACT": "bench@localhost"}
        environment = {**os.environ, **given, **settings(url, replay)}
        service = LocalService("fetcher", environment, folder, ())
        memory = Memory(service)
        replay.oai.pages[FORM] = {FIRST_DAY: listed(pages, memory.sample)}
        service.process.start()
        try:
            order = FetchRequested(order="bench", what="backfill", since=FIRST_DAY, until=FIRST_DAY, set="cs")
            async with asyncio.timeout(pages * SECONDS_PER_PAGE):
                last = await follow(bus, order.order, await give(bus, order), lambda _: None)
            if last.papers != pages * PAGE:
                raise LocalError(f"{last.papers} papers, not {pages * PAGE}: {last.detail or last.state}")
            memory.sample(pages)
        finally:
            service.process.stop()
            service.close()
    return memory


def listed(pages: int, sample: Callable[[int], None]) -> list[Callable[[], bytes]]:
    """A list that is made page by page. Who asks for a page has done with those before it."""
    papers = recorded_papers(RECORDED_PAGES * PAGE)

    def page(number: int) -> bytes:
        if number:
            sample(number)
        first = number % RECORDED_PAGES * PAGE
        month = f"{10 + number // 12:02}{number % 12 + 1:02}"
        return a_page([{**paper, "id": f"{month}.{place:05}"} for place, paper in enumerate(papers[first:][:PAGE])])

    return [partial(page, number) for number in range(pages)]
