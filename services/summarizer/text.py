"""Plain text: cleaning what others wrote, cutting it into sentences, shortening it."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(  # controls, direction marks, lone surrogates, private use: XML or readers choke on them
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ud800-\udfff\ue000-\uf8ff\ufff9-\uffff]"
)
_TEX = re.compile(r"\$\$.+?\$\$|\$[^$]{1,400}\$|\\\(.+?\\\)", re.DOTALL)
_NEVER_ENDS = re.compile(
    r"(?:^|[\s(\[])(?:e\.g|i\.e|cf|vs|viz|resp|approx|Fig|Figs|Eq|Eqs|Sec|Secs|Tab|Ref|Refs|No|Nos|Thm|Lem|"
    r"Prop|Def|Cor|Ch|Vol|pp|Dr|Prof|Mr|Mrs|Ms|St|Jr|Sr|w\.r\.t|s\.t|a\.k\.a|i\.i\.d|ca|Dept|Univ)\.$",
    re.IGNORECASE,
)
_SELDOM_ENDS = re.compile(r"(?:^|[\s(\[])(?:et al|etc|Inc|Ltd|Corp|[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z])\.$")
_STARTERS = re.compile(
    r"(?:We|Our|The|This|These|Those|In|It|Its|However|To|Here|While|Although|Finally|Moreover|Furthermore|"
    r"Specifically|Experiments?|Results?|For|By|As|A|An|Existing|Recent|Yet|But|Unlike|Using|Based)\b"
)
_BREAK = re.compile(r"[.!?][\"'”’)\]]*\s+(?=[\"'“‘(\[$\\]*[A-Z0-9À-Þ\x00]|\((?:[ivx]{1,4}|[a-z])\)\s|https?:)|[。！？]")
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|br|center|cite|code|dd|del|div|dl|dt|em|font|h[1-6]|hr|i|iframe|img|ins|"
    r"kbd|li|link|mark|meta|object|ol|p|pre|q|s|script|small|span|strike|strong|style|sub|sup|svg|table|tbody|"
    r"td|th|thead|tr|tt|u|ul|var)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"<(script|style)\b.{0,20000}?</\1\s*>", re.IGNORECASE | re.DOTALL)
_MARKDOWN = (
    (re.compile(r"!?\[([^\[\]]{1,200})\]\((?:https?|mailto)[^()\s]*\)"), r"\1"),
    (re.compile(r"(?<!\w)(\*\*|__)(?=\S)(.{1,500}?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"(?<![^\s(])\*(?=\S)([^*$]{1,300}?)(?<=\S)\*(?![^\s.,;:!?)])"), r"\1"),
    (re.compile(r"(`+)([^`]{1,300})\1"), r"\2"),
    (re.compile(r"(?m)^[ \t]*(?:#{1,6}|[-*•])[ \t]+"), ""),
)


def fold(text: str) -> str:
    """One line: every run of white space is one space, nothing invisible, nothing that XML forbids."""
    return " ".join(_INVISIBLE.sub("", text).split())


def plain(text: str) -> str:
    """The text without HTML tags and Markdown marks; TeX stays."""
    text = _TAG.sub("", _SCRIPT.sub(" ", text))
    for mark, kept in _MARKDOWN:
        text = mark.sub(kept, text)
    return fold(text)


def sentences(text: str) -> list[str]:
    """The sentences in order. Formulas, abbreviations, initials and numbers are never cut."""
    text = fold(text)
    masked = _TEX.sub(lambda formula: "\0" * len(formula[0]), text)
    cuts = [found for found in _BREAK.finditer(masked) if _ends(masked, found)]
    starts = [0, *(found.end() for found in cuts)]
    ends = [*(found.end() for found in cuts), len(text)]
    parts = (text[start:end].strip() for start, end in zip(starts, ends, strict=True))
    return [part for part in parts if part]


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters: whole sentences where half of it can be kept so, else cut at a word with `…`."""
    if len(text) <= limit:
        return text
    kept = ""
    for sentence in sentences(text):
        longer = f"{kept} {sentence}".strip()
        if len(longer) > limit:
            break
        kept = longer
    return kept if len(kept) * 2 >= limit else _cut_at_word(text, limit)


def _cut_at_word(text: str, limit: int) -> str:
    head = _outside_formula(text, limit - 1)
    at = head.rfind(" ")
    return head[: at if at * 2 > limit else None].rstrip(" ,;:.–—-") + "…"


def _outside_formula(text: str, end: int) -> str:
    """The first `end` characters, or fewer where the cut would fall into a formula."""
    for formula in _TEX.finditer(text):
        if formula.start() < end < formula.end() and formula.start() * 2 > end:
            return text[: formula.start()]
    return text[:end]


def _ends(masked: str, found: re.Match[str]) -> bool:
    before = masked[max(0, found.start() - 30) : found.start() + 1]
    if masked[found.start()] != ".":
        return True
    if _NEVER_ENDS.search(before):
        return False
    return not _SELDOM_ENDS.search(before) or bool(_STARTERS.match(masked, found.end()))
