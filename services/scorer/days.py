"""Past announcements held against feeds once more: what each feed takes of them, as the running scorer chooses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from services.scorer.ranking import Before, number
from services.scorer.scoring import Scorer
from services.scorer.selection import Selection, select
from shared.feeds import FeedConfig
from shared.messages import PaperAnnounced, PaperScored, Pick

SEARCH = "-search"  # arxiv-search:2025-12-10 is what the feeds' searches found beside arxiv:2025-12-10


@dataclass(frozen=True, slots=True)
class Announcement:
    """A batch, as its source announced it."""

    batch: str
    source: str
    date: date
    papers: int
    """How many it held; those that never came are counted."""
    announced: tuple[PaperAnnounced, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """An announcement and what the feeds took of it."""

    announcement: Announcement
    scored: tuple[PaperScored, ...]
    selection: Selection

    @property
    def by_version(self) -> dict[tuple[str, int], PaperScored]:
        """The papers by id and version."""
        return {(paper.paper.id, paper.paper.version): paper for paper in self.scored}


@dataclass(frozen=True, slots=True)
class Taken:
    """A paper that a feed took, and as what."""

    scored: PaperScored
    pick: Pick


Scored = tuple[Announcement, tuple[PaperScored, ...]]


def judge(announcements: Iterable[Announcement], feeds: Sequence[FeedConfig], scorer: Scorer) -> list[Judged]:
    """What the feeds take of each announcement, oldest first; `scorer` is that of the same feeds.

    The supplements to a day come after it and see what it took, as they did when they were announced.
    """
    return choose([(batch, tuple(scorer.score_all(batch.announced))) for batch in announcements], feeds)


def choose(scored: Iterable[Scored], feeds: Sequence[FeedConfig]) -> list[Judged]:
    """The same for papers that are scored already."""
    judged: list[Judged] = []
    for _, batches in groupby(sorted(scored, key=lambda one: _order(one[0])), key=lambda one: _day(one[0])):
        judged += _chosen(list(batches), feeds, judged)
    return judged


def _chosen(batches: Sequence[Scored], feeds: Sequence[FeedConfig], so_far: Sequence[Judged]) -> list[Judged]:
    """The batches of one announcement: each is judged against all of the day until then."""
    beside = _beside(batches[0][0], so_far)
    judged: list[Judged] = []
    day: list[PaperScored] = []
    candidates = 0
    for batch, scored in batches:
        candidates += batch.papers
        day += scored
        before = Before(taken=_taken(judged), elsewhere=_taken(beside))
        selection = select(day, feeds, candidates=max(1, candidates), batch=number(batch.batch), before=before)
        judged.append(Judged(batch, scored, selection))
    return judged


def _beside(batch: Announcement, so_far: Sequence[Judged]) -> list[Judged]:
    """What was announced on the day on which searches found these."""
    if not batch.source.endswith(SEARCH):
        return []
    announced = batch.source.removesuffix(SEARCH)
    known = (one for one in so_far if one.announcement.date == batch.date)
    return [one for one in known if one.announcement.source == announced]


def _taken(judged: Iterable[Judged]) -> dict[str, list[str]]:
    """The ids that each feed took, in the order of the ranks."""
    ranked: dict[str, list[tuple[int, str]]] = {}
    for one in judged:
        for selected in one.selection.selected:
            for pick in selected.picks:
                ranked.setdefault(pick.feed, []).append((pick.rank, selected.paper_id))
    return {feed: [paper_id for _, paper_id in sorted(ids)] for feed, ids in ranked.items()}


def _day(batch: Announcement) -> tuple[date, str]:
    return batch.date, batch.source


def _order(batch: Announcement) -> tuple[date, str, int, str]:
    return (*_day(batch), number(batch.batch), batch.batch)


class Outcome:
    """What feeds take of some announcements, found once for all of them."""

    def __init__(self, judged: Iterable[Judged]) -> None:
        self.judged = tuple(judged)
        self.held = len({paper.paper.id for one in self.judged for paper in one.scored})
        """How many papers there are; over several days each counts once."""
        self._taken: dict[str, dict[str, Taken]] = {}
        for one in self.judged:
            self._add(one)

    def _add(self, one: Judged) -> None:
        scored = one.by_version
        for selected in one.selection.selected:
            paper = scored[selected.paper_id, selected.version]
            for pick in selected.picks:
                self._taken.setdefault(pick.feed, {}).setdefault(selected.paper_id, Taken(paper, pick))

    def taken(self, slug: str) -> list[Taken]:
        """The feed's papers, by day and rank; each once, where it appeared first."""
        found = self._taken.get(slug, {}).values()
        return sorted(found, key=lambda one: (one.scored.date, one.pick.rank, one.scored.paper.id))


def with_seen(feed: FeedConfig, feeds: Sequence[FeedConfig]) -> list[FeedConfig]:
    """The feed and those whose choices it looks at (`seen`), in the order of the file."""
    known = {one.slug: one for one in feeds}
    wanted, found = [feed.slug], {feed.slug: feed}
    while wanted:
        for slug in found[wanted.pop()].seen:
            if slug in known and slug not in found:
                found[slug] = known[slug]
                wanted.append(slug)
    return [found[one.slug] for one in feeds if one.slug in found] or [feed]
