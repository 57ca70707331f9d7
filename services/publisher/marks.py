"""Marks in a text what a feed found in it, without touching formulas, tags or anything else of it.

The scorer tells where in the source a term stands. Two characters that no text has are set around it, the source is
rendered with them, and they become `<mark>`. A mark counts only if the text shows the same with it as without.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher

import nh3

from services.publisher import latex
from services.publisher.latex_symbols import MARK_END, MARK_START
from shared.messages import Place, Reason

MOST_MARKS = 100
"""In one text; a text with more is no prose."""
ALIKE = 0.7
"""At least this share of the letters of a place has to be the term's."""
LONGEST = 200

Places = Sequence[tuple[int, int]]
Renderer = Callable[[str], list[str]]
"""A source text to its rendered parts, such as paragraphs."""

_TEXTS = {"title", "abstract"}
_OTHER = f"[^{MARK_START}{MARK_END}]"
_SIGNS = re.compile(f"[{MARK_START}{MARK_END}]")
_PAIRS = re.compile(f"{_OTHER}*(?:{MARK_START}{_OTHER}+{MARK_END}{_OTHER}*)*")
_MARKED = re.compile(f"{MARK_START}({_OTHER}+){MARK_END}")
_ENDING = re.compile(r"(?<=\w)(?:ies|y|es|s)\b")
_TAG = re.compile(r"(</?[a-z]+>)")
_TAGS = {"sup", "sub", "i", "b", "code", "mark"}


def places(reasons: Iterable[Reason], field: Place, texts: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where the terms stand in a field, in order and apart: `texts` is the field, or for authors all of them.

    None if that is not known: an older selection has no places, and those of an older version of the paper are wrong
    as soon as one of them does not read like its term.
    """
    reasons = tuple(reasons)
    kin = _TEXTS if field in _TEXTS else {field}
    if any(not reason.spans for reason in reasons if reason.field in kin):
        return None
    found = {(span.start, span.end, reason.term) for reason in reasons for span in reason.spans if span.field == field}
    if not all(_reads_like(term, field, texts, start, end) for start, end, term in found):
        return None
    return _apart(sorted({(start, end) for start, end, _ in found}))


def marked(source: str, spots: Places, render: Renderer) -> list[str]:
    """The rendered parts of the source with those places marked, as far as they can be."""
    usual = render(source)
    tried = [] if _SIGNS.search(source) else [spot for spot in spots if spot[1] <= len(source)][:MOST_MARKS]
    shown = _shown(source, _possible(source, tried, usual, render), usual, render)
    return [_cleaned(part) for part in (usual if shown is None else (_MARKED.sub(_mark, part) for part in shown))]


def _reads_like(term: str, field: Place, texts: Sequence[str], start: int, end: int) -> bool:
    """Whether the term, in whatever spelling, stands there: `Mixture-of-\\nexperts`, `mixtures of experts`."""
    if field == "authors":
        longest = max(map(_folded, term.split()), key=len, default="")
        return start < len(texts) and longest in _folded(texts[start])
    there, wanted = texts[0][start:end], _folded(term)
    if len(there) < end - start or there.strip() != there:
        return False
    if _folded(there) == wanted:
        return bool(wanted) or there == term.strip()
    alike = SequenceMatcher(None, _singular(there), _singular(term), autojunk=False).ratio() >= ALIKE
    return alike and _folded(there)[:1] == wanted[:1] and _is_whole(texts[0], start, end)


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether no word goes on before or after it."""
    before, after = text[max(0, start - 1) : start + 1], text[end - 1 : end + 1]
    return not (len(before) == 2 and before.isalnum()) and not (len(after) == 2 and after.isalnum())


def _singular(text: str) -> str:
    """Folded, and without what an ending of the plural changes: `studies` and `study` are the same."""
    return "".join(_folded(_ENDING.sub("", word)) for word in latex.plain(text[:LONGEST]).lower().split())


def _folded(text: str) -> str:
    """Letters and digits without case and accents."""
    spread = unicodedata.normalize("NFKD", latex.plain(text[:LONGEST])).casefold()
    return "".join(char for char in spread if char.isalnum())


def _apart(spots: Places) -> list[tuple[int, int]]:
    """Places that overlap as one."""
    kept: list[tuple[int, int]] = []
    for start, end in spots:
        if kept and start < kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
        else:
            kept.append((start, end))
    return kept


def _possible(source: str, spots: Places, usual: list[str], render: Renderer) -> Places:
    """The places that can be marked: halved until the others are found."""
    if not spots or _shown(source, spots, usual, render) is not None:
        return spots
    if len(spots) == 1:
        return ()
    half = len(spots) // 2
    return [*_possible(source, spots[:half], usual, render), *_possible(source, spots[half:], usual, render)]


def _shown(source: str, spots: Places, usual: list[str], render: Renderer) -> list[str] | None:
    """The rendered parts with signs around the places; None if one got lost or anything else changed."""
    pieces: list[str] = []
    at = 0
    for start, end in spots:
        pieces += (source[at:start], MARK_START, source[start:end], MARK_END)
        at = end
    parts = render("".join((*pieces, source[at:])))
    complete = sum(part.count(MARK_START) for part in parts) == len(spots)
    whole = all(_PAIRS.fullmatch(part) for part in parts)
    return parts if complete and whole and [_SIGNS.sub("", part) for part in parts] == usual else None


def _mark(found: re.Match[str]) -> str:
    """One mark around what is whole; around each stretch between tags where a tag opens or closes in it alone."""
    pieces = _TAG.split(found[1])
    if _balanced(pieces[1::2]):
        return f"<mark>{found[1]}</mark>"
    pieces[::2] = [f"<mark>{text}</mark>" if text.strip() else text for text in pieces[::2]]
    return "".join(pieces)


def _balanced(tags: Iterable[str]) -> bool:
    opened: list[str] = []
    for tag in tags:
        if not tag.startswith("</"):
            opened.append(tag)
        elif not opened or opened.pop() != tag.replace("/", ""):
            return False
    return not opened


def _cleaned(markup: str) -> str:
    return nh3.clean(markup, tags=_TAGS, attributes={}, link_rel=None)
