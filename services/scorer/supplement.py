"""A supplement to a day that was selected already: what the earlier batches of the day were, and what they took."""

from __future__ import annotations

from collections.abc import Sequence

from services.scorer.batch import Batch
from services.scorer.selection import select, taken
from shared.bus import Bus
from shared.feeds import FeedConfig
from shared.messages import BatchClosed


def number(batch: str) -> int:
    """1 for a day's batch (`arxiv:2025-12-10`), 2 and up for its supplements (`arxiv:2025-12-10.2`)."""
    _, dot, suffix = batch.rpartition(".")
    return int(suffix) if dot and suffix.isascii() and suffix.isdigit() else 1


async def earlier(bus: Bus, closed: BatchClosed) -> list[BatchClosed]:
    """The batches of the same day before this one; none for a day's first."""
    if number(closed.batch) == 1:
        return []
    same: dict[int, BatchClosed] = {}
    async for received in bus.read(BatchClosed):
        other = received.event
        if (other.source, other.date) == (closed.source, closed.date) and number(other.batch) < number(closed.batch):
            same.setdefault(number(other.batch), other)
    return [same[key] for key in sorted(same)]


async def taken_by(
    bus: Bus, batches: Sequence[BatchClosed], feeds: Sequence[FeedConfig], *, deadline: float
) -> dict[str, int]:
    """How many papers each feed took from these batches: chosen once more, from what the stream holds of them.

    What was published of them is not read: with several replicas it may not be complete yet.
    """
    selections = []
    for closed in batches:
        batch = Batch(closed)
        await batch.complete(bus, deadline=deadline)  # after the deadline they were selected without the rest, too
        selections.append(select(batch.matched, feeds, candidates=closed.papers))
    return taken(selections)
