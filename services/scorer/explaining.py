"""Why a feed takes a paper, or does not: every term, every condition, and what it would have needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services.scorer.probing import Asked, Make, Probe, Role, categories_of, open_to_all
from services.scorer.scoring import Scorer
from shared.feeds import ARXIV, FeedConfig
from shared.messages import Paper, PaperAnnounced, Place, Reason

About = Literal["source", "announce", "categories", "search", "exclude", "require", "any", "score"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A term of the feed, and where the paper has it."""

    term: str
    role: Role
    group: int | None
    """Of `any`: the number of its group, from 0."""
    weight: float
    places: tuple[Place, ...]
    """Where it is looked for."""
    reason: Reason | None
    """Where it was found and with what points; None when it was not. Exclusions add no points: their weight is 0."""


@dataclass(frozen=True, slots=True)
class Check:
    """A condition for being taken, whether the paper meets it, and why, in words."""

    about: About
    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A feed's judgement on one paper, without regard to the other papers of its day."""

    paper: Paper
    kind: str
    batch: str
    date: str
    feed: str
    findings: tuple[Finding, ...]
    like: Reason | None
    """What it adds that the paper resembles those that the feed likes."""
    score: float
    """The whole score, also where a condition keeps the paper out."""
    min_score: float
    checks: tuple[Check, ...]

    @property
    def matches(self) -> bool:
        """Whether the paper can be taken, if there is room."""
        return all(check.passed for check in self.checks)


def explain(announced: PaperAnnounced, feed: FeedConfig, make: Make = Scorer) -> Explanation:
    """The judgement of the feed; the score is the scorer's own."""
    paper = announced.paper
    probe = Probe(feed)
    (found,) = probe.find([paper])
    findings = tuple(_finding(one, found.get(number)) for number, one in enumerate(probe.asked))
    reasons, score = _score(announced, feed, make)
    return Explanation(
        paper=paper,
        kind=announced.kind,
        batch=announced.batch,
        date=announced.date.isoformat(),
        feed=feed.slug,
        findings=findings,
        like=next((reason for reason in reasons if reason.field == "like"), None),
        score=score,
        min_score=feed.min_score,
        checks=tuple(_checks(announced, feed, findings, score)),
    )


def _score(announced: PaperAnnounced, feed: FeedConfig, make: Make) -> tuple[Sequence[Reason], float]:
    """What the scorer makes of it when nothing keeps it out."""
    whole = open_to_all(feed, announced.paper.source, (announced.kind,))
    matches = make([whole]).score(announced).matches
    return (matches[0].reasons, matches[0].score) if matches else ((), 0.0)


def _finding(one: Asked, reason: Reason | None) -> Finding:
    weight = 0.0 if one.role == "exclude" else one.term.weight
    if reason is not None and one.role == "exclude":
        reason = reason.model_copy(update={"weight": 0.0})
    return Finding(one.term.text, one.role, one.group, weight, one.term.places, reason)


def _checks(announced: PaperAnnounced, feed: FeedConfig, findings: Sequence[Finding], score: float) -> Iterator[Check]:
    if announced.found_by:
        yield _by_search(announced, feed)
    else:
        yield from _gates(announced, feed)
    yield from _excluded(findings)
    yield from _required(findings)
    if announced.found_by:  # what a search found is taken whatever its score
        return
    enough = score > 0 and score >= feed.min_score
    how = "reaches" if enough else "is below" if score < feed.min_score else "is nothing, though it reaches"
    yield Check("score", enough, f"score {score:g} {how} min_score {feed.min_score:g}")


def _by_search(announced: PaperAnnounced, feed: FeedConfig) -> Check:
    if feed.search in announced.found_by:
        return Check("search", True, f"the feed's search found it: {feed.search}")
    return Check("search", False, "it came with what other feeds' searches found; only those look at it")


def _gates(announced: PaperAnnounced, feed: FeedConfig) -> Iterator[Check]:
    paper, kind = announced.paper, announced.kind
    of_source = paper.source in feed.sources
    yield Check("source", of_source, f"from {paper.source}; the feed looks at {_list(feed.sources)}")
    yield Check("announce", kind in feed.announce, f"announced as {kind}; the feed takes {_list(feed.announce)}")
    if paper.source == ARXIV and feed.categories:
        text = f"in {_list(paper.categories)}; the feed looks at {_list(feed.categories)}"
        yield Check("categories", bool(categories_of(feed, paper)), text)


def _excluded(findings: Iterable[Finding]) -> Iterator[Check]:
    for one in findings:
        if one.role == "exclude":
            where = f"stands in the {one.reason.field}" if one.reason else f"is not in {_list(one.places)}"
            yield Check("exclude", one.reason is None, f"excluded term {one.term!r} {where}")


def _required(findings: Sequence[Finding]) -> Iterator[Check]:
    for one in findings:
        if one.role == "require":
            yield Check("require", one.reason is not None, f"required term {one.term!r} {_found(one)}")
    groups = dict.fromkeys(one.group for one in findings if one.role == "any")
    for group in groups:
        members = [one for one in findings if one.role == "any" and one.group == group]
        has = [one.term for one in members if one.reason]
        what = f"found: {_list(has)}" if has else f"none found of: {_list([one.term for one in members])}"
        yield Check("any", bool(has), f"any of group {(group or 0) + 1}: {what}")


def _found(one: Finding) -> str:
    return f"found in the {one.reason.field}" if one.reason else "not found"


def _list(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"
