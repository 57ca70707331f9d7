"""What the fetcher decides, as plain functions: which papers to announce, under which batch, and when to ask again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from services.fetcher.sources.arxiv_rss import EASTERN, Announcement, Item, UnusableDocument
from shared.messages import BatchClosed, EmptyReason, Kind, PaperAnnounced, Value

SOURCE = "arxiv"
DAY = 86_400.0
LONGEST_DELAY = 3_600.0
# arXiv builds its feeds at midnight US Eastern; what is older than the day an hour later is yesterday's.
BUILD_GRACE = timedelta(hours=1)
# The mailings that arXiv said it would defer (https://info.arxiv.org/help/availability.html#holiday). A mailing
# goes out in the evening, so the feed that stays empty is the one built in the night after.
DEFERRED_MAILINGS = frozenset((date(2026, 11, 26), date(2026, 12, 25), date(2026, 12, 29), date(2026, 12, 31)))
REPLACED: Mapping[Kind, Kind] = {"new": "replace", "cross": "replace-cross"}


class Cursor(Value):
    """How far the source has been read, and what a conditional request needs."""

    day: date | None = None
    """The newest day that was closed."""
    url: str = ""
    """What was asked: the validators below hold for this address only."""
    etag: str | None = None
    last_modified: str | None = None
    content: str = ""
    """The fingerprint of the papers in the last document."""


class Plan(Value):
    """A batch as decided, written down before its first message is published.

    Whoever finishes it, after however many deaths, publishes exactly this.
    """

    batch: str
    day: date
    number: int
    """1 for the day's batch, 2 and up for its supplements."""
    kinds: dict[str, Kind]
    """The versioned ids to announce, and as what."""
    reason: EmptyReason | None
    content_type: str | None = None
    documents: int = 1
    """How many documents it was decided from: an answer that arXiv cuts off is asked for in parts."""
    cut: tuple[str, ...] = ()
    """Categories of which arXiv would not give everything."""
    behind: tuple[str, ...] = ()
    """Categories whose part still showed an earlier day."""
    after: Cursor
    """The cursor once the batch is closed."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """There is nothing to publish, because."""

    reason: str


STALE = Unchanged("upstream stale")
SAME = Unchanged("unchanged")


@dataclass(slots=True)
class History:
    """What was announced before."""

    seen: dict[str, int] = field(default_factory=dict)
    """The newest announced version of each paper."""
    batches: dict[date, int] = field(default_factory=dict)
    """The number of each day's last batch."""

    def add(self, day: date, number: int, versioned_ids: Iterable[str]) -> None:
        """Count a closed batch in; the same one again changes nothing."""
        self.batches[day] = max(number, self.batches.get(day, 0))
        for versioned in versioned_ids:
            identifier, _, version = versioned.rpartition("v")
            self.seen[identifier] = max(int(version), self.seen.get(identifier, 0))


# ---- what to publish


def decide(announcement: Announcement, *, cursor: Cursor, history: History, now: datetime) -> Plan | Unchanged:
    """The batch to publish. A paper is announced once per version, on whichever day it comes."""
    day = announcement.date
    if day > eastern_day(now + timedelta(days=1)):  # the cursor would then take every real day for an old one
        raise UnusableDocument(f"the announcement is dated {day}, which is still to come")
    kinds = unseen(announcement.items, history.seen)
    content = fingerprint(announcement.items)
    if not kinds:
        if cursor.day is not None and day <= cursor.day:
            return STALE if outdated(day, now) else SAME
        if announcement.items and content == cursor.content:
            return STALE  # rebuilt under a new date, with the old papers in it
    number = history.batches.get(day, 0) + 1
    newest = max(day, cursor.day) if cursor.day else day
    return Plan(
        batch=batch_id(day, number),
        day=day,
        number=number,
        kinds=kinds,
        reason=None if kinds else empty_reason(announcement),
        after=Cursor(day=newest, content=content),
    )


def unseen(items: Iterable[Item], seen: Mapping[str, int]) -> dict[str, Kind]:
    """The versioned ids that were not announced yet, with the kind as which they go out."""
    kinds: dict[str, Kind] = {}
    here: dict[str, int] = {}
    for paper, kind in items:
        known = max(seen.get(paper.id, 0), here.get(paper.id, 0))
        if paper.version > known:
            kinds[paper.versioned_id] = REPLACED.get(kind, kind) if known else kind
            here[paper.id] = paper.version
    return kinds


def batch_id(day: date, number: int) -> str:
    """`arxiv:2025-12-10`; a supplement to a day that was closed already is `arxiv:2025-12-10.2`."""
    return f"{SOURCE}:{day}" if number == 1 else f"{SOURCE}:{day}.{number}"


def empty_reason(announcement: Announcement) -> EmptyReason:
    """Why a day brings nothing: a full feed whose papers are all known, or an empty one by its date."""
    return "nothing new" if announcement.items else quiet(announcement.date) or "nothing new"


def quiet(day: date) -> EmptyReason | None:
    """Why arXiv announces nothing on that day, if it is known beforehand."""
    if day.weekday() >= 5:
        return "weekend"
    deferred = DEFERRED_MAILINGS & {day, day - timedelta(days=1)}
    return "holiday" if deferred else None


def fingerprint(items: Iterable[Item]) -> str:
    """Equal for documents with the same papers in the same versions, whatever date they bear."""
    return hashlib.sha256("\n".join(sorted(item.paper.versioned_id for item in items)).encode()).hexdigest()


def outdated(day: date | None, now: datetime) -> bool:
    """Whether arXiv should have built a newer feed by now; it builds one every day, if only an empty one."""
    return day is not None and day < due_day(now)


def due_day(now: datetime) -> date:
    """The day whose feed should be there by now."""
    return eastern_day(now - BUILD_GRACE)


def eastern_day(moment: datetime) -> date:
    """The day it is for arXiv."""
    return moment.astimezone(EASTERN).date()


# ---- the messages


def announced(announcement: Announcement, plan: Plan) -> list[PaperAnnounced]:
    """The messages of a plan: the same plan and document always give the same ones."""
    left = dict(plan.kinds)
    events = []
    for position, item in enumerate(announcement.items):
        kind = left.pop(item.paper.versioned_id, None)
        if kind:
            events.append(
                PaperAnnounced(paper=item.paper, batch=plan.batch, date=plan.day, kind=kind, position=position)
            )
    return events


def closed(plan: Plan, papers: int, sequences: Iterable[int]) -> BatchClosed:
    """The batch's last message. Of a batch that was finished after a death any sequence may be the lowest."""
    return BatchClosed(
        batch=plan.batch,
        source=SOURCE,
        date=plan.day,
        papers=papers,
        reason=plan.reason,
        first_sequence=min(sequences, default=None),
    )


# ---- when to ask again


def retry_delay(
    failures: int,
    *,
    first: float,
    jitter: float,
    retry_after: float | None = None,
    longest: float = LONGEST_DELAY,
) -> float:
    """Seconds until the next try: doubled by every failure, spread by `jitter` (0 to 1), never before Retry-After."""
    growing = min(longest, first * 2.0 ** min(failures - 1, 30))
    return max(growing * (0.75 + jitter / 2), min(retry_after or 0.0, DAY))


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` asks for, as a number or as an HTTP date; None without a sensible one."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp())
