"""What is decided about the sources beside arXiv: which days to ask for, what of the answer to announce. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from services.fetcher.core import Cursor, History, Plan, fingerprint, unseen
from services.fetcher.sources import UNDATED
from services.fetcher.sources.arxiv_rss import Announcement, Item
from shared.feeds import SourceConfig

OVERLAP = timedelta(days=2)  # what is posted for a day comes in over that day, and after it in other time zones
LONGEST_GAP = timedelta(days=60)  # after a longer absence a source is taken up as if it were new


def window(last: date | None, today: date) -> tuple[date, date]:
    """The first and last day to ask for: from shortly before what is known, without a hole after an absence."""
    since = (last or today) - OVERLAP
    return (since if today - since <= LONGEST_GAP else today - OVERLAP), today


def joined(pages: Sequence[Announcement]) -> Announcement:
    """The pages of one answer as one announcement."""
    items = tuple(item for page in pages for item in page.items)
    rejected = tuple(reason for page in pages for reason in page.rejected)
    return Announcement(max(page.date for page in pages), max(page.built for page in pages), items, rejected)


def named(announcement: Announcement, config: SourceConfig, *, global_ids: bool) -> Announcement:
    """With the source's name in its papers: also before ids that mean something only there.

    So no feed can speak about the papers of another source.
    """
    prefix = "" if global_ids else f"{config.name}:"
    items = (
        Item(paper.model_copy(update={"id": prefix + paper.id, "source": config.name}), kind)
        for paper, kind in announcement.items
    )
    return Announcement(announcement.date, announcement.built, tuple(items), announcement.rejected)


def decide(announcement: Announcement, *, name: str, cursor: Cursor, history: History, today: date) -> Plan | None:
    """The batch to publish; None when nothing is new. Nobody waits for an empty one, as for arXiv's."""
    kinds = unseen(announcement.items, history.seen)
    if not kinds:
        return None
    # A post dated in the future is news of today; so is one without a date.
    day = today if announcement.date <= UNDATED else min(announcement.date, today)
    number = history.batches.get(day, 0) + 1
    return Plan(
        batch=f"{name}:{day}" if number == 1 else f"{name}:{day}.{number}",
        day=day,
        number=number,
        kinds=kinds,
        reason=None,
        after=Cursor(day=max(day, cursor.day or day), content=fingerprint(announcement.items)),
    )
