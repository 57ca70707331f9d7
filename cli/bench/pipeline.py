"""From announcement bytes to rows in Postgres: fetcher, scorer and publisher beside the floor, round by round.

All variants run in one process on one event loop, with the same NATS (`sync_interval: always`), the same Postgres,
the same terms and the same tables, each on a fresh stream store and database.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.bench import floor
from cli.bench.corpus import Document, announcements, recorded_papers
from cli.local.nats import Nats
from cli.local.postgres import Postgres
from cli.local.serving import serving

POLL = 0.005
WATCH = 0.03  # counting rows costs Postgres time, too
LIMIT_SECONDS = 300
CONSOLE = Console()

Variant = Callable[[str, str, Sequence[Document], Path], Awaitable[float]]


def run(papers: int, rounds: int) -> None:
    """Measure and print."""
    figures = compare(VARIANTS, papers, rounds)
    report(figures, f"{papers} papers, announcement bytes → rows (papers/s)", OURS, (FLOOR, FASTEST_FLOOR))


def compare(variants: Mapping[str, Variant], papers: int, rounds: int) -> dict[str, list[float]]:
    """Papers per second of each variant in each round."""
    import uvloop

    documents = announcements(recorded_papers(papers))
    figures: dict[str, list[float]] = {name: [] for name in variants}
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="paperwire-bench-") as folder, feeds_file() as feeds:
        postgres = Postgres(Path(folder) / "postgres", Path(folder) / "postgres.log")
        postgres.start()
        try:
            for number in range(rounds):
                for name, variant in variants.items():
                    CONSOLE.print(f"round {number + 1} of {rounds}: {name} …", style="dim")
                    with nats_server(Path(folder) / f"nats-{number}-{len(name)}") as nats_url:
                        seconds = uvloop.run(measure(variant, nats_url, postgres, documents, feeds))
                    figures[name].append(papers / seconds)
        finally:
            postgres.destroy()
    return figures


def report(figures: dict[str, list[float]], title: str, ours: str, others: Sequence[str]) -> None:
    """Papers per second, and the pairwise ratios of ours to each of the others."""
    table = Table("variant", "min", "median", "max", title=title)
    for name, values in figures.items():
        row = (min(values), statistics.median(values), max(values))
        table.add_row(name, *(f"{value:,.0f}" for value in row))
    CONSOLE.print(table)
    for name in others:
        ratios = [mine / other for mine, other in zip(figures[ours], figures[name], strict=True)]
        CONSOLE.print(f"{ours} / {name}: {statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})")


async def measure(
    variant: Variant, nats_url: str, postgres: Postgres, documents: Sequence[Document], feeds: Path
) -> float:
    """Seconds on a fresh database; an error when a row is missing."""
    from services.publisher.migrate import migrate

    await execute(postgres.url, "DROP DATABASE IF EXISTS bench WITH (FORCE)", "CREATE DATABASE bench")
    database_url = postgres.url_of("bench")
    await migrate(database_url)
    seconds = await asyncio.wait_for(variant(nats_url, database_url, documents, feeds), LIMIT_SECONDS)
    papers = sum(document.papers for document in documents)
    if await rows(database_url) != (papers, papers):
        raise RuntimeError(f"{await rows(database_url)} rows in papers and announcements, not {papers}")
    return seconds


async def paperwire(nats_url: str, database_url: str, documents: Sequence[Document], feeds: Path) -> float:
    """The real services: everything they do is done, down to selecting and publishing entries."""
    async with announcing(documents) as (rss_url, start), services(nats_url, database_url, feeds, rss_url):
        began = time.perf_counter()
        start()
        await until_stored(database_url, sum(document.papers for document in documents))
        return time.perf_counter() - began


@asynccontextmanager
async def services(nats_url: str, database_url: str, feeds: Path, rss_url: str, **more: object) -> AsyncIterator[None]:
    """Fetcher, scorer and publisher in this process; `more` are further settings of the fetcher."""
    from services.fetcher import app as fetcher
    from services.fetcher.settings import Settings as FetcherSettings
    from services.publisher import app as publisher
    from services.publisher.settings import Settings as PublisherSettings
    from services.scorer import app as scorer
    from services.scorer.settings import Settings as ScorerSettings
    from shared.provision import provision

    await provision(nats_url)
    common: dict[str, Any] = {"nats_url": nats_url, "feeds_file": feeds, "probe_port": 0}
    fetching: dict[str, Any] = {
        "contact": "bench@localhost",
        "arxiv_rss_url": rss_url,
        "arxiv_interval": 0,
        "poll_interval": POLL,
        "check_listing": False,
    }
    async with (
        publisher.build(PublisherSettings(database_url=database_url, web_port=0, **common)),
        scorer.build(ScorerSettings(**common)),
        fetcher.build(FetcherSettings(**common | fetching | more)),
    ):
        yield


@asynccontextmanager
async def announcing(documents: Sequence[Document]) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A server like arXiv's that gives each document once, one after the other, from `start()` on."""
    left = list(documents)
    started, finished = asyncio.Event(), asyncio.Event()

    async def feed(request: Request) -> Response:
        del request
        await started.wait()
        if not left:  # polling on every few milliseconds would be measured too
            await finished.wait()
            return Response(status_code=304)
        return Response(left.pop(0).body, media_type="text/xml")

    async with serving(Starlette(routes=[Route("/rss/{categories}", feed)])) as url:
        try:
            yield f"{url}/rss", started.set
        finally:
            finished.set()


async def until_stored(database_url: str, papers: int) -> None:
    """Wait until all rows are there."""
    connection = await asyncpg.connect(database_url)
    try:
        while await connection.fetchval("SELECT count(*) FROM announcements") < papers:
            await asyncio.sleep(WATCH)
    finally:
        await connection.close()


def bare(send: floor.Send) -> Variant:
    """The floor with one way of publishing."""

    async def variant(nats_url: str, database_url: str, documents: Sequence[Document], feeds: Path) -> float:
        match = matching(feeds)
        began = time.perf_counter()
        await floor.run(nats_url, database_url, documents, match, send)
        return time.perf_counter() - began

    return variant


def matching(feeds: Path) -> Callable[[dict[str, Any]], list[Any]]:
    """The same terms in the same text by a bare automaton, without scores or reasons."""
    from ahocorasick_rs import AhoCorasick

    from services.scorer.spelling import spellings
    from services.scorer.text import plain, words_of
    from shared.feeds import load

    terms = {keyword.text for feed in load(feeds).feeds for keyword in feed.keywords}
    automaton = AhoCorasick(sorted({f" {text} " for term in terms for text in spellings(term)}))

    def match(paper: dict[str, Any]) -> list[Any]:
        words = words_of(plain(f"{paper['title']} {paper['abstract']}").lower())
        return automaton.find_matches_as_indexes(f" {' '.join(words)} ", overlapping=True)

    return match


@contextmanager
def nats_server(folder: Path) -> Iterator[str]:
    """A fresh server, and its address."""
    server = Nats(folder, folder.with_suffix(".log"))
    server.start()
    try:
        yield server.url
    finally:
        server.close()


@contextmanager
def feeds_file() -> Iterator[Path]:
    """The example feeds."""
    with as_file(files("cli") / "data" / "feeds.toml") as path:
        yield path


async def execute(url: str, *statements: str) -> None:
    """Run statements outside a transaction."""
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def rows(url: str) -> tuple[int, int]:
    """How many papers and announcements are stored."""
    connection = await asyncpg.connect(url)
    try:
        papers = await connection.fetchval("SELECT count(*) FROM papers")
        return papers, await connection.fetchval("SELECT count(*) FROM announcements")
    finally:
        await connection.close()


OURS = "paperwire"
FLOOR = "bare loop"
FASTEST_FLOOR = "bare loop with atomic batches"
VARIANTS: dict[str, Variant] = {
    FLOOR: bare(floor.singly),
    FASTEST_FLOOR: bare(floor.atomically),
    OURS: paperwire,
}
