"""An answer that arXiv cuts off, asked for in parts and put together again. Pure.

arXiv's feeds end after 2,000 rows, whatever was announced: https://info.arxiv.org/help/rss_specifications.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.fetcher.sources.arxiv_rss import Announcement, Item
from shared.messages import Kind

LIMIT = 2_000
# A paper is `new` in the part that has its first category and `cross` in the others.
STRENGTH: tuple[Kind, ...] = ("new", "replace", "cross", "replace-cross", "backfill")


@dataclass(frozen=True, slots=True)
class Answer:
    """What arXiv said about some categories, in one or several documents."""

    categories: tuple[str, ...]
    documents: tuple[bytes, ...]
    announcement: Announcement
    cut: tuple[str, ...] = ()
    """Categories of which there is more than arXiv gives."""
    behind: tuple[str, ...] = ()
    """Categories whose part still showed an earlier day, and was left out."""


def is_cut(announcement: Announcement) -> bool:
    """Whether there may be more than the document holds."""
    return len(announcement.items) + len(announcement.rejected) >= LIMIT


def halves(categories: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to ask for instead; of at least two categories."""
    middle = len(categories) // 2
    return tuple(categories[:middle]), tuple(categories[middle:])


def join(parts: Sequence[Answer]) -> Answer:
    """The newest day of several answers, as if it had come in one."""
    newest = max(part.announcement.date for part in parts)
    used = [part for part in parts if part.announcement.date == newest]
    left = [part for part in parts if part.announcement.date != newest]
    return Answer(
        categories=tuple(category for part in parts for category in part.categories),
        documents=tuple(document for part in used for document in part.documents),
        announcement=merge([part.announcement for part in used]),
        cut=tuple(category for part in used for category in part.cut),
        behind=tuple(category for part in parts for category in (part.categories if part in left else part.behind)),
    )


def merge(announcements: Sequence[Announcement]) -> Announcement:
    """One day's announcement out of several documents: every version once, where it came first."""
    if len(announcements) == 1:
        return announcements[0]
    return Announcement(
        date=announcements[0].date,
        built=max(announcement.built for announcement in announcements),
        items=tuple(_merged(item for announcement in announcements for item in announcement.items)),
        rejected=tuple(dict.fromkeys(why for announcement in announcements for why in announcement.rejected)),
    )


def _merged(items: Iterable[Item]) -> Iterable[Item]:
    merged: dict[str, Item] = {}
    for item in items:
        known = merged.setdefault(item.paper.versioned_id, item)
        if STRENGTH.index(item.kind) < STRENGTH.index(known.kind):
            merged[item.paper.versioned_id] = Item(known.paper, item.kind)
    return merged.values()
