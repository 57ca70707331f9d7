"""The best of a batch for each feed, and the summaries they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.scorer.marking import marked
from services.scorer.ranking import Before, Candidates, Key, Place, choose, key_of
from shared.feeds import FeedConfig, SummaryConfig
from shared.messages import Match, Paper, PaperScored, PaperSelected, Pick, SummaryKind, SummaryRequested, TextRequested


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
    batch: int | None = None,
    before: Before | None = None,
) -> Selection:
    """The `max_papers` best for each feed, by score, then by place in the announcement, then by id.

    The order of `scored` and repetitions in it change nothing. `candidates` is the number of papers announced,
    where it is not the number scored. `batch` and `before`: see `services.scorer.ranking.choose`.
    """
    papers = {key_of(paper): paper for paper in scored}
    running = Candidates(feeds, papers.values())
    running.add(papers.values())
    places = choose(running, feeds, batch=batch, before=before)
    count = candidates if candidates is not None else len(papers)
    chosen = taken(papers, places)
    requests, texts = summaries(chosen, places)
    return Selection(tuple(selected(paper, places[key_of(paper)], count) for paper in chosen), requests, texts)


def taken(papers: Mapping[Key, PaperScored], places: Iterable[Key]) -> list[PaperScored]:
    """The papers that somebody takes, in the order of the announcement."""
    return sorted((papers[key] for key in places), key=lambda paper: (paper.position, *key_of(paper)))


def selected(paper: PaperScored, places: Iterable[Place], candidates: int) -> PaperSelected:
    """The feeds that take the paper, among so many, and why: the paper comes with the matches of these feeds."""
    matches = {match.feed: match for match in paper.matches}
    return PaperSelected(
        paper_id=paper.paper.id,
        version=paper.paper.version,
        batch=paper.batch,
        date=paper.date,
        kind=paper.kind,
        picks=tuple(_pick(paper.paper, place, matches[place.feed.slug], candidates) for place in places),
    )


def _pick(paper: Paper, place: Place, match: Match, candidates: int) -> Pick:
    return Pick(
        feed=place.feed.slug,
        rank=place.rank,
        candidates=candidates,
        score=match.score,
        reasons=marked(paper, place.feed, match.reasons),
        waits_for=_waits_for(place),
    )


def _waits_for(place: Place) -> tuple[SummaryKind, ...]:
    return _all_kinds(place.feed.summary) if place.nth <= place.feed.summary.top else ()


@lru_cache(maxsize=1024)
def _all_kinds(summary: SummaryConfig) -> tuple[SummaryKind, ...]:
    return tuple(SummaryKind(style=summary.style, language=language) for language in summary.languages)


def summaries(
    chosen: Sequence[PaperScored], places: Mapping[Key, Sequence[Place]]
) -> tuple[tuple[SummaryRequested, ...], tuple[TextRequested, ...]]:
    """The summaries of the papers taken, and the texts for those that are made of them, most urgent first."""
    urgent = sorted(chosen, key=lambda paper: min(place.rank for place in places[key_of(paper)]))
    requests: dict[str, SummaryRequested] = {}
    texts = []
    for paper in urgent:
        wanted = places[key_of(paper)]
        of_text = _kinds(place for place in wanted if place.feed.summary.text == "full")
        if of_text:
            texts.append(TextRequested(paper=paper.paper, summaries=of_text))
        for kind in _kinds(wanted):
            if kind not in of_text:
                request = SummaryRequested(paper=paper.paper, style=kind.style, language=kind.language)
                requests.setdefault(request.key, request)
    return tuple(requests.values()), tuple(texts)


def _kinds(places: Iterable[Place]) -> tuple[SummaryKind, ...]:
    return tuple(dict.fromkeys(kind for place in places for kind in _waits_for(place)))
