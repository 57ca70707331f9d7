"""`paperwire fetch` for papers by id and by search: the order, and what came of it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.orders import carry_out, follow
from cli.progress import printable

if TYPE_CHECKING:
    from shared.bus import Bus
    from shared.messages import FetchProgressed, FetchRequested


def order_of(ids: Sequence[str], search: str | None, most: int | None) -> FetchRequested:
    """Papers of these ids, or that this search finds. Every order is a new one: arXiv may know more than last time."""
    from shared.messages import FetchRequested

    token = secrets.token_hex(6)
    if search is not None:
        return FetchRequested(order=f"search-{token}", what="search", query=search, limit=most)
    return FetchRequested(order=f"ids-{token}", what="ids", ids=tuple(ids))


async def look_up(bus: Bus, order: FetchRequested) -> int:
    """Have it carried out and print each paper that was found, on a line of its own; 1 when something was not."""
    before = await last_sequence(bus)
    await carry_out(bus, order, share, "The fetcher goes on with it; the papers will be in the archive.")
    last = await follow(bus, order.order, 1, lambda _: None)
    await show(bus, order, from_sequence=before + 1)
    if last.detail:
        print(printable(f"paperwire: {last.detail}"), file=sys.stderr)
    return 1 if last.detail else 0


async def last_sequence(bus: Bus) -> int:
    """Of the papers' stream; 0 where there is none, which giving an order complains about."""
    from nats.js.errors import NotFoundError

    from shared.provision import PAPERS

    try:
        return (await bus.js.stream_info(PAPERS)).state.last_seq
    except NotFoundError:
        return 0


def share(report: FetchProgressed) -> float:
    """How much of it is done."""
    return min(1.0, report.papers / report.total) if report.total else 0.0


async def show(bus: Bus, order: FetchRequested, *, from_sequence: int) -> None:
    """`2512.08242v1  Chopper: A Multi-Level GPU Characterization Tool`, in the order of the list or the search."""
    from shared.messages import PaperAnnounced

    found = {}
    async for received in bus.read(PaperAnnounced, from_sequence=from_sequence):
        if received.event.batch == f"backfill:{order.order}":
            found[received.event.position] = received.event.paper
    for _, paper in sorted(found.items()):
        print(printable(f"{paper.versioned_id}  {paper.title}"))
