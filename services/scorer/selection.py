"""The best of a batch for each feed, and the summaries they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from shared.feeds import FeedConfig
from shared.messages import Match, PaperScored, PaperSelected, Pick, SummaryKind, SummaryRequested, TextRequested

Matched = tuple[PaperScored, Match]


@dataclass(frozen=True, slots=True)
class Selection:
    """What a batch led to: the papers taken in the order of the announcement, the summaries most urgent first."""

    selected: tuple[PaperSelected, ...]
    requests: tuple[SummaryRequested, ...]
    texts: tuple[TextRequested, ...] = ()
    """For the summaries that are made of full texts: whoever gets the text asks for them."""


def select(
    scored: Iterable[PaperScored],
    feeds: Sequence[FeedConfig],
    *,
    candidates: int | None = None,
    taken_before: Mapping[str, int] | None = None,
) -> Selection:
    """The `max_papers` best for each feed, by score, then by place in the announcement, then by id.

    The order of `scored` and repetitions in it change nothing. `candidates` is the number of papers announced,
    where it is not the number scored. `taken_before` is how many the feeds took of the same day already: a
    supplement's ranks go on from there.
    """
    before = taken_before or {}
    papers = {paper.key: paper for paper in scored}
    count = candidates if candidates is not None else len(papers)
    matched = _by_feed(papers.values())
    picks: dict[str, list[Pick]] = {}
    for feed in feeds:
        for rank, (paper, match) in enumerate(_ranking(matched.get(feed.slug, ()), feed), start=1):
            pick = _pick(feed, rank, match, count)
            picks.setdefault(paper.key, []).append(_moved(pick, before.get(feed.slug, 0)))
    chosen = sorted((papers[key] for key in picks), key=_announcement_order)
    by_urgency = sorted(chosen, key=lambda paper: min(pick.rank for pick in picks[paper.key]))
    full = frozenset(feed.slug for feed in feeds if feed.summary.text == "full")
    of_text = {paper.key: _of_text(picks[paper.key], full) for paper in chosen}
    requests = (request for paper in by_urgency for request in _requests(paper, picks[paper.key], of_text[paper.key]))
    return Selection(
        selected=tuple(_selected(paper, picks[paper.key]) for paper in chosen),
        requests=tuple({request.key: request for request in requests}.values()),
        texts=tuple(
            TextRequested(paper=paper.paper, summaries=kinds) for paper in by_urgency if (kinds := of_text[paper.key])
        ),
    )


def _announcement_order(paper: PaperScored) -> tuple[int, str, int]:
    return paper.position, paper.paper.id, paper.paper.version


def _by_feed(papers: Iterable[PaperScored]) -> dict[str, list[Matched]]:
    """The papers that each feed matches; of two versions of a paper, the newer stands for both."""
    newest: dict[str, dict[str, Matched]] = {}
    for paper in sorted(papers, key=lambda paper: paper.paper.version):
        for match in paper.matches:
            newest.setdefault(match.feed, {})[paper.paper.id] = (paper, match)
    return {feed: list(matched.values()) for feed, matched in newest.items()}


def _ranking(matched: Iterable[Matched], feed: FeedConfig) -> list[Matched]:
    return sorted(matched, key=lambda found: (-found[1].score, *_announcement_order(found[0])))[: feed.max_papers]


def _pick(feed: FeedConfig, rank: int, match: Match, candidates: int) -> Pick:
    summaries = product((feed.summary.style,), feed.summary.languages) if rank <= feed.summary.top else ()
    return Pick(
        feed=feed.slug,
        rank=rank,
        candidates=candidates,
        score=match.score,
        reasons=match.reasons,
        waits_for=tuple(SummaryKind(style=style, language=language) for style, language in summaries),
    )


def _moved(pick: Pick, places: int) -> Pick:
    return pick.model_copy(update={"rank": pick.rank + places}) if places else pick


def taken(selections: Iterable[Selection]) -> dict[str, int]:
    """How many papers each feed took."""
    return Counter(pick.feed for selection in selections for selected in selection.selected for pick in selected.picks)


def _selected(paper: PaperScored, picks: Sequence[Pick]) -> PaperSelected:
    return PaperSelected(
        paper_id=paper.paper.id,
        version=paper.paper.version,
        batch=paper.batch,
        date=paper.date,
        kind=paper.kind,
        picks=tuple(picks),
    )


def _of_text(picks: Sequence[Pick], full: frozenset[str]) -> tuple[SummaryKind, ...]:
    """The summaries that are made of the full text: those that any feed with `text = "full"` wants."""
    return tuple(dict.fromkeys(wanted for pick in picks if pick.feed in full for wanted in pick.waits_for))


def _requests(paper: PaperScored, picks: Sequence[Pick], of_text: tuple[SummaryKind, ...]) -> list[SummaryRequested]:
    """The summaries that can be made at once, each kind for all feeds."""
    kinds = dict.fromkeys(wanted for pick in picks for wanted in pick.waits_for)
    return [
        SummaryRequested(paper=paper.paper, style=wanted.style, language=wanted.language)
        for wanted in kinds
        if wanted not in of_text
    ]
