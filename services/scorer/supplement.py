"""The other batches of a day: those before a supplement, and the announcement that a search goes beside."""

from __future__ import annotations

from dataclasses import dataclass

from services.scorer.ranking import number
from shared.bus import Bus
from shared.messages import BatchClosed

SEARCH = "-search"  # arxiv-search:2025-12-10 is what the feeds' searches found beside arxiv:2025-12-10


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was closed before a batch, in the order of the batches' numbers."""

    same: tuple[BatchClosed, ...] = ()
    """Of the same announcement: the batch is a supplement to these."""
    beside: tuple[BatchClosed, ...] = ()
    """Of the announcement that the batch, the finds of searches, goes beside."""


async def earlier(bus: Bus, closed: BatchClosed) -> Earlier:
    """The batches of the same day that count for this one; none for a day's first."""
    searched = closed.source.removesuffix(SEARCH) if closed.source.endswith(SEARCH) else None
    if number(closed.batch) == 1 and searched is None:
        return Earlier()
    same: dict[int, BatchClosed] = {}
    beside: dict[int, BatchClosed] = {}
    before = True
    async for received in bus.read(BatchClosed):
        other = received.event
        before = before and other.batch != closed.batch
        if other.date != closed.date:
            continue
        if other.source == closed.source and number(other.batch) < number(closed.batch):
            same.setdefault(number(other.batch), other)
        elif other.source == searched and before:
            beside.setdefault(number(other.batch), other)
    return Earlier(_in_order(same), _in_order(beside))


def _in_order(batches: dict[int, BatchClosed]) -> tuple[BatchClosed, ...]:
    return tuple(batches[key] for key in sorted(batches))
