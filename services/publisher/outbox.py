"""Tells the world what appeared: one `papers.published` per visible entry, never lost and never doubled.

The entry's own row is the outbox. An event is sent before it is marked, so a crash between the two sends it
again with the same id, which the stream drops.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.publisher.feed import Entry
from services.publisher.library import Library
from services.publisher.store import Store
from services.publisher.words import links
from shared.messages import PaperPublished

AT_ONCE = 500


async def tell(library: Library, store: Store, publish: Callable[..., Awaitable[object]], public_url: str) -> int:
    """Send what has not been sent; how many entries that were."""
    sent = 0
    while untold := await library.untold(AT_ONCE):
        await publish(*(published(item.entry, item.batch, public_url) for item in untold))
        await store.told((item.entry.paper.id, item.entry.feed) for item in untold)
        sent += len(untold)
    return sent


def published(entry: Entry, batch: str, public_url: str) -> PaperPublished:
    """The event about an entry."""
    feed = f"{public_url}/feeds/{entry.feed}"
    addresses = links(entry.paper, public_url)
    return PaperPublished(
        paper=entry.paper,
        feed=entry.feed,
        batch=batch,
        date=entry.date,
        rank=entry.rank,
        score=entry.score,
        reasons=entry.reasons,
        summary=entry.summary.text if entry.summary else None,
        made_by=entry.summary.made_by if entry.summary else None,
        urls={
            "page": addresses.permalink,
            "rss": f"{feed}.rss",
            "atom": f"{feed}.atom",
            "json": f"{feed}.json",
            "abs": addresses.abs,
        },
    )
