"""Filling a feed from past announcements: the messages that the scorer would have sent for this feed alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.scorer.days import Judged, Outcome, Taken
from shared.feeds import FeedConfig
from shared.messages import Message, Paper, PaperSelected, SummaryKind, SummaryRequested, TextRequested

PREFIX = "fill"

Answer = tuple[str, int, str, str]
"""An answered summary request: paper id, version, style, language."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a feed gets of a past announcement."""

    batch: str
    date: date
    taken: int
    """How many papers it takes, those that it has already among them."""
    selected: tuple[PaperSelected, ...]
    requests: tuple[SummaryRequested, ...]
    texts: tuple[TextRequested, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        """All of it, in the order in which the scorer sends."""
        return (*self.selected, *self.requests, *self.texts)


def batch_of(slug: str, batch: str) -> str:
    """`fill:gpu:arxiv:2025-12-10`: no announcement is called like that, and no account is kept of it."""
    return f"{PREFIX}:{slug}:{batch}"


def fill(
    outcome: Outcome,
    feed: FeedConfig,
    newest: Mapping[str, Paper],
    *,
    there: Collection[str],
    answered: Collection[Answer],
) -> list[Filled]:
    """For each announcement what the feed lacks: the papers under the ranks that they would have had.

    A paper in several announcements comes with its first, as in a feed that was there from the beginning. `newest`
    are the papers in the versions that summaries can be made of; `there` are the ids that the feed has already,
    which stay as they are; what is `answered` is not asked again, for other feeds show these summaries too.
    """
    by_batch: dict[str, list[Taken]] = {}
    for one in outcome.taken(feed.slug):
        by_batch.setdefault(one.scored.batch, []).append(one)
    return [
        _filled(one, by_batch.get(one.announcement.batch, ()), feed, newest, there, answered) for one in outcome.judged
    ]


def _filled(
    judged: Judged,
    taken: Sequence[Taken],
    feed: FeedConfig,
    newest: Mapping[str, Paper],
    there: Collection[str],
    answered: Collection[Answer],
) -> Filled:
    lacking = [one for one in taken if one.scored.paper.id not in there]
    wanted = [(newest[one.scored.paper.id], _open(one, answered)) for one in lacking]
    full = feed.summary.text == "full"
    return Filled(
        batch=judged.announcement.batch,
        date=judged.announcement.date,
        taken=len(taken),
        selected=tuple(_selected(one, feed.slug) for one in sorted(lacking, key=lambda one: one.scored.position)),
        requests=() if full else tuple(_requests(wanted)),
        texts=tuple(TextRequested(paper=paper, summaries=kinds) for paper, kinds in wanted if kinds) if full else (),
    )


def _open(one: Taken, answered: Collection[Answer]) -> tuple[SummaryKind, ...]:
    """The summaries that it waits for, and that nobody has made for this version or a newer one."""
    known = {
        (style, language)
        for paper, version, style, language in answered
        if paper == one.scored.paper.id and version >= one.scored.paper.version
    }
    return tuple(kind for kind in one.pick.waits_for if (kind.style, kind.language) not in known)


def _requests(wanted: Iterable[tuple[Paper, tuple[SummaryKind, ...]]]) -> Iterable[SummaryRequested]:
    for paper, kinds in wanted:
        for kind in kinds:
            yield SummaryRequested(paper=paper, style=kind.style, language=kind.language)


def _selected(one: Taken, slug: str) -> PaperSelected:
    scored = one.scored
    return PaperSelected(
        paper_id=scored.paper.id,
        version=scored.paper.version,
        batch=batch_of(slug, scored.batch),
        date=scored.date,
        kind=scored.kind,
        picks=(one.pick,),
    )
