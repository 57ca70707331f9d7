"""Is a day's announcement complete? Decided from what came, what arXiv lists, and what came late. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from pydantic import Field

from services.fetcher import core
from services.fetcher.core import SOURCE, Plan
from services.fetcher.listing import Listing
from services.fetcher.sources.arxiv_rss import Item
from services.fetcher.split import LIMIT
from shared.messages import AnnouncementChecked, CategoryCheck, Value

UNKNOWN_TRIES = 5
"""How often a listing page that says nothing is asked for."""
MANY = 5
"""From so many known papers without a new one, while others have new ones, a category counts as stale."""
LONGEST_DELAY = timedelta(days=7)
"""A feed older than this is a recording, or its reader slept: not a delay."""

QUIET = {
    "weekend": "arXiv announces nothing on Saturday and Sunday.",
    "holiday": "arXiv announces nothing on this day: a holiday.",
}
NOTHING = "The announcement held nothing new."
DELAYED = "arXiv has not shown this day's announcement yet; it is asked again."
NOT_READ = "No announcement of this day was read; `paperwire backfill` brings its papers into the archive."


class Tally(Value):
    """What is known of a day's announcement."""

    day: date
    seen: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """The papers that came under this date, each with its categories, primary first."""
    batches: dict[str, int] = Field(default_factory=dict)
    """In which of the day's batches a paper went out; one that was known from an earlier day is in none."""
    listed: dict[str, int] = Field(default_factory=dict)
    """What arXiv's listing pages of this day count, by category."""
    behind: tuple[str, ...] = ()
    """Categories whose own feed still showed an earlier day."""
    cut: tuple[str, ...] = ()
    """Categories of which arXiv would not give everything."""
    absent: str | None = None
    """Why no announcement of this day was read at all."""
    asked: int = 0
    """How many rounds of asking the listing pages there were."""
    ask_at: datetime | None = None
    over: bool = False
    """The listing pages show a later day by now."""
    told: AnnouncementChecked | None = None
    """The newest check that was published."""


# ---- what came


def saw(tally: Tally, items: Iterable[Item], plan: Plan | None = None) -> Tally:
    """Count in a document of that day, and what was published out of it."""
    seen = {item.paper.id: item.paper.categories for item in items}
    changes: dict[str, object] = {"seen": {**tally.seen, **seen}}
    if plan is not None:
        sent = {versioned.rpartition("v")[0]: plan.number for versioned in plan.kinds}
        behind, cut = (dict.fromkeys((*tally.behind, *plan.behind)), dict.fromkeys((*tally.cut, *plan.cut)))
        changes |= {"batches": {**sent, **tally.batches}, "behind": tuple(behind), "cut": tuple(cut), "absent": None}
    return tally.model_copy(update=changes)


def fed(tally: Tally, category: str, shown: date) -> Tally:
    """Note what day a category's own feed showed."""
    behind = [other for other in tally.behind if other != category]
    return tally.model_copy(update={"behind": (*behind, category) if shown < tally.day else tuple(behind)})


def listed(tally: Tally, category: str, listing: Listing) -> Tally:
    """Count in a listing page. One of another day says nothing about this one; a later one ends the asking."""
    if listing.date is None or listing.count is None or listing.date < tally.day:
        return tally
    if listing.date > tally.day:
        return tally.model_copy(update={"over": True})
    return tally.model_copy(update={"listed": tally.listed | {category: listing.count}})


def absences(read: Collection[date], now: datetime, *, failure: str | None = None) -> list[Tally]:
    """The days of the last week without an announcement, each with its reason; `read` are the days that had one.

    `failure` is why arXiv could not be asked for the day that is due.
    """
    due = core.due_day(now)
    recent = [day for day in read if day >= due - LONGEST_DELAY]
    if not recent:
        return []
    days = [due - timedelta(days=back) for back in range((due - min(recent)).days)]
    awaited = f"arXiv cannot be asked ({failure}); it is tried again." if failure else DELAYED
    return [
        Tally(day=day, absent=_why_absent(day, awaited if day == due else NOT_READ)) for day in days if day not in read
    ]


def _why_absent(day: date, otherwise: str) -> str:
    quiet = core.quiet(day)
    return QUIET[quiet] if quiet else otherwise


# ---- what it comes to


def check(tally: Tally, categories: Sequence[str]) -> AnnouncementChecked:
    """The answer, numbered after the one that was told before; `tally.told` itself when nothing has changed."""
    counted = () if _quiet(tally) else _counted(tally, categories)
    lost = any(one.missing or one.stale for one in counted) or bool(tally.cut)
    before = tally.told
    now = AnnouncementChecked(
        source=SOURCE,
        date=tally.day,
        check=before.check if before else 1,
        complete=tally.absent in QUIET.values() if tally.absent else not lost,
        reason=tally.absent or " ".join(_words(tally, counted)) or None,
        categories=counted,
    )
    return now if before is None or now == before else now.model_copy(update={"check": before.check + 1})


def to_ask(tally: Tally, categories: Sequence[str], now: datetime) -> tuple[str, ...]:
    """The categories whose listing page should be read now: each once, and again while something is missing."""
    waiting = tally.ask_at is not None and now < tally.ask_at
    if tally.absent or tally.over or waiting or _quiet(tally):
        return ()
    return tuple(one.category for one in _counted(tally, categories) if _open(tally, one))


def asked(tally: Tally, now: datetime, *, first: float, retry_after: float | None = None) -> Tally:
    """A round of asking is over; the next comes later each time, and never before arXiv wants it."""
    rounds = tally.asked + 1
    delay = core.retry_delay(rounds, first=first, jitter=0.5, retry_after=retry_after)
    return tally.model_copy(update={"asked": rounds, "ask_at": now + timedelta(seconds=delay)})


def lacking(tally: Tally, category: str) -> bool:
    """Whether something of the category is known to be missing, so that its own feed should be asked."""
    return any(one.missing or one.stale for one in _counted(tally, (category,)))


def _open(tally: Tally, one: CategoryCheck) -> bool:
    unknown = one.announced is None and tally.asked < UNKNOWN_TRIES
    return tally.asked == 0 or one.missing > 0 or one.stale or unknown


def _quiet(tally: Tally) -> bool:
    """Whether nothing came, and nothing was to be expected."""
    return not tally.seen and (tally.absent == NOT_READ or core.quiet(tally.day) is not None)


def _counted(tally: Tally, categories: Sequence[str]) -> tuple[CategoryCheck, ...]:
    found: dict[str, list[str]] = {category: [] for category in categories}
    for paper, own in tally.seen.items():
        for name in {name for category in own for name in _names(category)} & found.keys():
            found[name].append(paper)
    return tuple(
        CategoryCheck(
            category=category,
            announced=tally.listed.get(category),
            seen=len(papers),
            late=sum(tally.batches.get(paper, 1) > 1 for paper in papers),
            stale=_awaited(tally) or _stale(tally, category, papers),
        )
        for category, papers in found.items()
    )


def _awaited(tally: Tally) -> bool:
    return tally.absent is not None and tally.absent not in (NOT_READ, *QUIET.values())


def _names(category: str) -> tuple[str, str]:
    """What a class may be asked for by: its own name, and its archive's (`cs.AI`, `cs`)."""
    return category, category.partition(".")[0]


def _stale(tally: Tally, category: str, papers: Sequence[str]) -> bool:
    """Its own feed shows an earlier day; or it holds only known papers while those of others are new."""
    announced = tally.listed.get(category)
    if announced is not None and announced <= len(papers):
        return False
    if category in tally.behind or (announced and not papers):
        return True
    own = [paper for paper in papers if category in _names(tally.seen[paper][0])]
    known = sum(paper not in tally.batches for paper in own)
    return bool(tally.batches) and known == len(own) and known >= (1 if announced else MANY)


def _words(tally: Tally, counted: Sequence[CategoryCheck]) -> Iterable[str]:
    if not tally.batches:
        yield NOTHING if tally.seen else QUIET.get(core.quiet(tally.day) or "", NOTHING)
    stale = [one.category for one in counted if one.stale]
    if stale:
        yield f"arXiv's feed still shows an earlier day for {', '.join(stale)}; it is asked again."
    missing = [f"{one.category} {one.missing}" for one in counted if one.missing]
    if missing:
        yield f"arXiv lists papers that its feed has not shown: {', '.join(missing)}."
    if tally.cut:
        yield f"arXiv cuts its feed off at {LIMIT} papers for {', '.join(tally.cut)}."
