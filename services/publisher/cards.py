"""A paper as a card of the web page: everything a template shows, already text or safe markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from services.publisher import latex, marks
from services.publisher.feed import Entry
from services.publisher.words import (
    Links,
    absence_line,
    links,
    names_line,
    number,
    reasons_line,
    shortened,
    withdrawn,
)
from shared.messages import Paper, Reason

CARD_AUTHORS = 5
PAGE_AUTHORS = 100

_MARKUP = re.compile(r"(<[^>]*>|&#?\w+;)")
_ACRONYM = re.compile(r"[A-Z]{1,5}")


@dataclass(frozen=True, slots=True)
class Why:
    """What a feed says about a paper."""

    feed: str
    rank: int
    candidates: int
    score: str
    reasons: str


@dataclass(frozen=True, slots=True)
class Card:
    """A paper as shown. Markup comes from `latex.html`, which escapes."""

    id: str
    title: Markup
    authors: Markup
    category: str
    note: str
    links: Links
    lead: Markup
    language: str
    summarised: bool
    extracted: bool
    model: str | None
    source: str
    """What the model read."""
    why: tuple[Why, ...]
    parts: tuple[tuple[str, Markup], ...]
    abstract: tuple[Markup, ...]
    withdrawn: bool


def card(entry: Entry, public_url: str) -> Card:
    """The card of an entry in a day's list."""
    return _card(entry.paper, [entry], public_url, CARD_AUTHORS)


def paper_card(paper: Paper, entries: Sequence[Entry], public_url: str) -> Card:
    """The card of a paper on its own page, with what every feed says of it."""
    return _card(paper, entries, public_url, PAGE_AUTHORS)


def _card(paper: Paper, entries: Sequence[Entry], public_url: str, authors: int) -> Card:
    reasons = tuple(reason for entry in entries for reason in entry.reasons)
    terms = {reason.term for reason in reasons if reason.field in ("title", "abstract")}
    told = next((entry for entry in entries if entry.summary), entries[0] if entries else None)
    summary = told.summary if told else None
    lead = latex.html(summary.text.tldr if summary else absence_line(told) if told else "No feed took this paper.")
    return Card(
        id=paper.id,
        title=_title(paper, reasons) or Markup(latex.html(paper.id)),  # noqa: S704 - latex.html escapes
        authors=_authors(paper, reasons, authors),
        category=paper.categories[0] if paper.categories else "",
        note=_note(paper, entries),
        links=links(paper, public_url),
        lead=marked(lead, terms) if summary else Markup(lead),  # noqa: S704 - latex.html escapes
        language=summary.language if summary else "en",
        summarised=summary is not None,
        extracted=summary is not None and summary.made_by == "extraction",
        model=summary.model if summary else None,
        source=summary.source if summary else "abstract",
        why=tuple(_why(entry) for entry in entries),
        parts=tuple(_parts(told, terms)) if told else (),
        abstract=tuple(_abstract(paper, reasons, terms)),
        withdrawn=withdrawn(paper),
    )


def _title(paper: Paper, reasons: Sequence[Reason]) -> Markup:
    source = shortened(paper.title)
    (shown,) = marks.marked(source, marks.places(reasons, "title", [source]) or (), lambda text: [latex.html(text)])
    return Markup(shown)  # noqa: S704 - latex.html escapes


def _authors(paper: Paper, reasons: Sequence[Reason], most: int) -> Markup:
    """The names in Unicode, those that a feed looks for marked."""
    meant = {start for start, _ in marks.places(reasons, "authors", paper.authors) or ()}
    names = [
        Markup("<mark>{}</mark>").format(name) if number in meant else escape(name)
        for number, name in enumerate(map(latex.plain, paper.authors))
        if name
    ]
    return Markup(names_line(names, most))  # noqa: S704 - every name is escaped


def _abstract(paper: Paper, reasons: Sequence[Reason], terms: Iterable[str]) -> Iterable[Markup]:
    """The paragraphs; where the places of the terms are not known, whatever looks like the terms is marked."""
    places = marks.places(reasons, "abstract", [paper.abstract])
    if places is None:
        return [marked(part, terms) for part in _paragraphs(paper.abstract)]
    return map(Markup, marks.marked(paper.abstract, places, _paragraphs))


def _paragraphs(text: str) -> list[str]:
    return [latex.html(part) for part in latex.paragraphs(text)]


def _note(paper: Paper, entries: Sequence[Entry]) -> str:
    """What is unusual about this announcement: `v2`, `cross-list`."""
    crossed = any("cross" in entry.kind for entry in entries)
    facts = ((f"v{paper.version}", paper.version > 1), ("cross-list", crossed))
    return ", ".join(words for words, true in facts if true)


def _why(entry: Entry) -> Why:
    reasons = reasons_line(entry.reasons)
    return Why(entry.feed, entry.rank, entry.candidates, number(entry.score), reasons)


def _parts(entry: Entry, terms: Iterable[str]) -> Iterable[tuple[str, Markup]]:
    if entry.summary is None:
        return
    for name in ("motivation", "method", "result", "conclusion"):
        if text := getattr(entry.summary.text, name).strip():
            yield name.capitalize(), marked(latex.html(text), terms)


def marked(markup: str, terms: Iterable[str]) -> Markup:
    """The markup with every matched term marked; tags and entities stay whole."""
    pattern = _pattern(terms)
    pieces = _MARKUP.split(markup)
    if pattern is not None:
        pieces[::2] = [pattern.sub(r"<mark>\g<0></mark>", piece) for piece in pieces[::2]]
    return Markup("".join(pieces))  # noqa: S704 - escaped before; only mark elements were added


def _pattern(terms: Iterable[str]) -> re.Pattern[str] | None:
    """Whole words, hyphens and plurals tolerated; an acronym only as written."""
    words = [re.split(r"[\s-]+", term.strip()) for term in sorted(set(terms), key=lambda term: (-len(term), term))]
    bodies = [r"[\s\-–]?".join(map(re.escape, parts)) for parts in words if any(parts)]
    if not bodies:
        return None
    cased = (body if _ACRONYM.fullmatch(body) else f"(?i:{body})" for body in bodies)
    return re.compile(rf"(?<!\w)(?:{'|'.join(cased)})(?:s|es)?(?!\w)")
