"""`paperwire feeds fill`: a new or changed feed gets what it would have taken on past days."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Column, Table

from cli.feeds_file import Trouble, count, feed_of, read
from cli.feeds_liked import in_archive, in_services
from cli.feeds_papers import Papers, announcement, database_url, extent, opened
from cli.feeds_show import print_table
from cli.feeds_trial import trial
from cli.orders import address, bar, connected
from services.scorer.filling import Filled, fill
from services.scorer.probing import Make
from shared.feeds import FeedConfig
from shared.messages import Paper

if TYPE_CHECKING:
    from services.publisher.archive import Archive, ArchivedBatch
    from shared.bus import Bus

FORTNIGHT = 14
NO_NATS = (
    "NATS_URL is missing: the feed is filled by messages to the running services; say where their NATS is "
    "(NATS_URL or --nats-url), or look first at what would come with --dry-run"
)


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line says."""

    file: Path
    slug: str
    days: int | None
    """None for a fortnight, or what the archive has of it."""
    dry_run: bool
    nats_url: str | None
    database: str | None


async def run(order: Order) -> int:
    """Fill the feed, or say what would come; the exit code."""
    feeds = read(order.file).feeds
    feed = feed_of(feeds, order.slug, order.file)
    nats = address(order.nats_url)
    if nats is None and not order.dry_run:
        raise Trouble(NO_NATS)
    async with AsyncExitStack() as connections:
        archive = await connections.enter_async_context(opened(database_url(order.database, "feeds fill")))
        batches = await _batches(archive, order.days)
        bus = await connections.enter_async_context(connected(nats)) if nats else None
        if bus:
            await _provisioned(bus)
        make = await (in_services(bus, feeds, order.file) if bus else in_archive(archive, feeds, order.file))
        filled = await plan(archive, batches, feed, feeds, make)
        if bus and not order.dry_run:
            await send(bus, filled)
    _show(filled, feed, dry_run=order.dry_run)
    return 0


async def plan(
    archive: Archive, batches: Sequence[ArchivedBatch], feed: FeedConfig, feeds: Sequence[FeedConfig], make: Make
) -> list[Filled]:
    """What the feed lacks of these announcements."""
    papers = Papers(archived=tuple(map(announcement, batches)), make=make)
    outcome = trial(papers, feed, feeds)
    newest: dict[str, Paper] = {}
    for batch in batches:
        newest |= batch.newest
    there = await archive.taken(feed.slug)
    return fill(outcome, feed, newest, there=there, answered=await archive.answered(newest))


async def _batches(archive: Archive, asked_for: int | None) -> list[ArchivedBatch]:
    """The announcements of the newest days that are closed and whole; `Trouble` when the archive has not so many."""
    first, last = await extent(archive)
    reach = (last - first).days + 1
    days = asked_for or min(FORTNIGHT, reach)
    since = last - timedelta(days=days - 1)
    if since < first:
        raise Trouble(
            f"--days {days}: the archive reaches back to {first} only, {count(reach, 'day')} with "
            f"{last}; write --days {reach} at most"
        )
    batches = [batch for batch in await archive.announced(since, last) if batch.papers or not batch.closed]
    under_way = [batch for batch in batches if not batch.closed or (batch.missing and batch.date == last)]
    for batch in under_way:
        typer.echo(f"{batch.batch}: left out, it is still under way; fill again when it is complete", err=True)
    return [batch for batch in batches if batch not in under_way]


async def _provisioned(bus: Bus) -> None:
    from nats.js.errors import NotFoundError

    from shared.provision import PAPERS

    try:
        await bus.js.stream_info(PAPERS)
    except NotFoundError:
        raise Trouble("this NATS has no streams of Paperwire: is it the right one, and provisioned?") from None


async def send(bus: Bus, filled: Sequence[Filled]) -> None:
    """Send everything, day by day, and show how far it is."""
    from shared.errors import Unavailable

    async with AsyncExitStack() as opened_bar:
        tell = bar(opened_bar)
        for number, one in enumerate(filled, start=1):
            tell(f"{one.batch} · {count(len(one.selected), 'paper')}", number / len(filled), number == len(filled))
            if not one.messages:
                continue
            try:
                await bus.publish(*one.messages)
            except Unavailable as error:
                raise Trouble(
                    f"{error}; {one.batch} and later ones are not filled: give the same command again"
                ) from None


def _show(filled: Sequence[Filled], feed: FeedConfig, *, dry_run: bool) -> None:
    """What was filled, per announcement."""
    names = ("takes", "had already", "would be filled" if dry_run else "filled", "summaries asked for")
    table = Table("announcement", *(Column(name, justify="right") for name in names), box=None)
    for one in filled:
        new = len(one.selected)
        asked = len(one.requests) + sum(len(text.summaries) for text in one.texts)
        table.add_row(one.batch, *(str(number) for number in (one.taken, one.taken - new, new, asked)))
    print_table(table)
    total = count(sum(len(one.selected) for one in filled), "paper")
    typer.echo(
        f"{feed.slug}: {total} {'would be filled' if dry_run else 'filled'} from {count(len(filled), 'announcement')}"
    )
    if not dry_run and any(one.selected for one in filled):
        print(
            "They appear as their summaries come; the services must have this feed in their file too.", file=sys.stderr
        )
