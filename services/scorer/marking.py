"""Where a paper has the terms that were found in it, so that a page can mark them.

Only for papers that were chosen: the texts are read once more, piece by piece, keeping the place of every word.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from services.scorer.spelling import acronym, is_unspaced, spellings
from services.scorer.text import plain, plain_names, words_of
from shared.feeds import FeedConfig, Term
from shared.messages import Paper, Place, Reason, Span

PIECE = re.compile(r"\S{1,64}(?!\w)|\S{1,64}")
"""What stands between two spaces; the work for one grows with its length's square, so a long one is cut, best between
words."""
MOST_SPANS = 100
"""Of one reason: else a text that says one word ten thousand times leaves the others no room in the message."""


class Located(NamedTuple):
    """A word of a text, as the matcher reads it, and its place in the characters of the text."""

    word: str
    start: int
    end: int


def marked(paper: Paper, feed: FeedConfig, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The reasons for which the feed took the paper, with all the places of their terms."""
    terms: dict[str, list[Term]] = {}
    for term in feed.terms:
        terms.setdefault(term.text, []).append(term)
    return tuple(
        reason.model_copy(update={"spans": _spans(paper, feed, terms[reason.term])})
        if reason.field not in ("like", "search") and reason.term in terms
        else reason
        for reason in reasons
    )


def _spans(paper: Paper, feed: FeedConfig, terms: Sequence[Term]) -> tuple[Span, ...]:
    """The places of any of the terms, in the order of the text, none inside another; of very many the first."""
    found = {
        (field, start, end)
        for term in terms
        for field in term.places
        for start, end in _places(paper, feed, term, field)
    }
    kept: list[tuple[Place, int, int]] = []
    for field, start, end in sorted(found, key=lambda span: (span[0], span[1], -span[2])):
        if not kept or field != kept[-1][0] or start >= kept[-1][2]:
            kept.append((field, start, end))
    first = heapq.nsmallest(MOST_SPANS, kept, key=lambda span: span[0] != "title")  # a list of papers shows titles
    return tuple(Span(field=field, start=start, end=end) for field, start, end in sorted(first))


def _places(paper: Paper, feed: FeedConfig, term: Term, field: Place) -> Iterable[tuple[int, int]]:
    if field == "authors":
        full = term in feed.authors
        return _items([_has_name(author, term.text, full=full) for author in paper.authors])
    if field == "categories":
        low = term.text.strip().lower()
        return _items([low in (name.lower(), name.lower().partition(".")[0]) for name in paper.categories])
    text = {"title": paper.title, "abstract": paper.abstract, "comment": paper.comment or ""}[field]
    if feed.match == "arxiv_rss_bot":
        return _runs(re.escape(term.text), text if field == "title" else text.partition("\n")[0])
    if is_unspaced(term.text):
        return _runs(r"\s*".join(map(re.escape, "".join(term.text.split()))), text)
    return _phrases(term.text, text)


def _items(there: Sequence[bool]) -> Iterable[tuple[int, int]]:
    return [(number, number + 1) for number, found in enumerate(there) if found]


def _has_name(author: str, name: str, *, full: bool) -> bool:
    has, wanted = words_of(plain_names([author])), words_of(plain_names([name]))
    part = wanted if full else wanted[1:-1]
    return any(has[start : start + len(part)] == part for start in range(len(has) - len(part) + 1))


def _runs(pattern: str, text: str) -> Iterable[tuple[int, int]]:
    return [found.span() for found in re.finditer(pattern, text, re.IGNORECASE)]


def _phrases(term: str, text: str) -> Iterable[tuple[int, int]]:
    words, places = located(text)
    for forms, exact in _forms(term):
        for start in places.get(forms[0], ()):
            some = words[start : start + len(forms)]
            if exact and some and some[0].word not in exact:
                continue
            if [one.word.lower() for one in some] == list(forms):
                yield some[0].start, some[-1].end


@lru_cache(maxsize=4096)
def _forms(term: str) -> tuple[tuple[tuple[str, ...], frozenset[str] | None], ...]:
    """The words of every way to write the term; an acronym's must be written in capitals."""
    bare = acronym(term.strip())
    if bare is not None:
        exact = frozenset({bare, f"{bare}s"})
        return ((bare.lower(),), exact), ((f"{bare.lower()}s",), exact)
    return tuple((tuple(spelling.split()), None) for spelling in sorted(spellings(term)))


@lru_cache(maxsize=512)
def located(text: str) -> tuple[list[Located], dict[str, list[int]]]:
    """The words of a text with their places, and the numbers of the words by what they are in lower case."""
    words = [
        Located(one.word, piece.start() + one.start, piece.start() + one.end)
        for piece in PIECE.finditer(text)
        for one in _located_in_piece(piece[0])
    ]
    by_word: dict[str, list[int]] = {}
    for number, one in enumerate(words):
        by_word.setdefault(one.word.lower(), []).append(number)
    return words, by_word


@lru_cache(maxsize=32_768)
def _located_in_piece(piece: str) -> tuple[Located, ...]:
    """The words between two spaces of a text: each from where the rest still begins with it, to where it is whole."""
    words = words_of(plain(piece))
    if words == [piece]:
        return (Located(piece, 0, len(piece)),)
    places = range(len(piece) + 1)
    heads = [words_of(plain(piece[:place])) for place in places]
    tails = [words_of(plain(piece[place:])) for place in places]
    found: list[Located] = []
    for number, word in enumerate(words):
        start = max((place for place in places if tails[place] == words[number:]), default=0)
        ends = (place for place in places[start + 1 :] if heads[place][: number + 1] == words[: number + 1])
        found.append(Located(word, start, next(ends, len(piece))))
    return tuple(found)
