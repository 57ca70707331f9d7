"""The fields of an entry, in whatever form: which paper of arXiv it is, and its texts as people read them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from unicodedata import normalize

from shared.accents import decode_accents
from shared.library.values import MAX_ABSTRACT, MAX_TITLE, LikedPaper

IDENTIFIER = r"(?:[a-z]+(?:-[a-z]+)*(?:\.[A-Z]{2})?/[0-9]{7}|[0-9]{4}\.[0-9]{4,5})(?:v[1-9][0-9]{0,3})?"
_BARE = re.compile(rf"\s*(?:arxiv:\s*)?({IDENTIFIER})(?:\s*\[[^\]]{{0,80}}\])?\s*", re.IGNORECASE)
_MENTIONED = re.compile(
    rf"(?:arxiv\.org/(?:abs|pdf|html)/|10\.48550/arxiv\.|\barxiv:\s*)({IDENTIFIER})(?![0-9])", re.IGNORECASE
)
MOST_FORMULAS = 100  # each is looked for to its end: a text of nothing but beginnings would take for ever
_VERSION = re.compile(r"v[0-9]+$")
_OLD_CLASS = re.compile(r"\.[A-Z]{2}(?=/)")
_INLINE = re.compile(
    r"</?(?:(?:jats:)?(?:[biua]|em|strong|italic|bold|underline|su[bp]|sc)|span)(?:\s[^<>]{0,300})?/?>", re.IGNORECASE
)
_BLOCK = re.compile(r"</?(?:jats:[a-z-]+|p|br|div|[uo]l|li|h[1-6]|title|sec)(?:\s[^<>]{0,300})?/?>", re.IGNORECASE)
_MATHEMATICS = re.compile(r"(\$\$.{0,4000}?\$\$|\$(?:\\.|[^$\\])*\$|\\\(.{0,4000}?\\\))", re.DOTALL)
_ESCAPED = re.compile(r"\\([&%$#_{}])")
_COMMAND = re.compile(r"\\(?:[A-Za-z]{1,30}\*?(?:\s+|(?=[^A-Za-z])|$)|[,;:!/ @-])")
_SIGNS = {r"\textendash": "–", r"\textemdash": "—", r"\textquoteright": "’", r"\textquoteleft": "‘", r"\&": "&"}
_SIGN = re.compile("|".join(rf"{re.escape(sign)}(?:\{{\}}|\b\s?)" for sign in list(_SIGNS)[:4]))
_ESCAPES = {"&": "&", "%": "%", "$": "$", "#": "#", "_": "_", "{": "\x01", "}": "\x02"}
_BRACES = str.maketrans({"{": "", "}": "", "\x01": "{", "\x02": "}", "~": " "})
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def paper(title: str, abstract: str, *, ids: Iterable[str], mentions: Iterable[str]) -> LikedPaper | None:
    """The paper of an entry, or None when that says neither title nor id.

    `ids` hold an identifier and nothing else when they hold one (`eprint`); in `mentions` (addresses, DOIs,
    notes) it must be written as arXiv's.
    """
    known = next((found for found in map(bare_id, ids) if found), None)
    known = known or next((found for found in map(mentioned_id, mentions) if found), None)
    title, abstract = one_line(title)[:MAX_TITLE], one_line(abstract)[:MAX_ABSTRACT]
    return LikedPaper(known, title or str(known), abstract) if title or known else None


def bare_id(text: str) -> str | None:
    """`2401.01234v2` of `2401.01234v2`, `arXiv:2401.01234v2 [cs.CL]` or an address."""
    written = _BARE.fullmatch(text[:200])
    return _plain_id(written[1]) if written else mentioned_id(text)


def mentioned_id(text: str) -> str | None:
    """The first arXiv identifier that the text names as one."""
    found = _MENTIONED.search(text[:20_000])
    return _plain_id(found[1]) if found else None


def unversioned(identifier: str) -> str:
    """`2401.01234` of `2401.01234v2`."""
    return _VERSION.sub("", identifier)


def _plain_id(text: str) -> str:
    return _OLD_CLASS.sub("", text)


def one_line(text: str) -> str:
    """Unicode in NFC, with every run of white space as one blank."""
    return " ".join(normalize("NFC", _CONTROLS.sub("", text)).split())


def without_tags(text: str) -> str:
    """What HTML or JATS says; a lone `<` stays."""
    if "<" in text:
        text = _BLOCK.sub(" ", _INLINE.sub("", text))
    return html.unescape(text) if "&" in text else text


def without_tex(text: str) -> str:
    """Accents as letters, no protective braces, no commands; formulas stay as they are."""
    if not any(sign in text for sign in "\\{}~") or text.count("\\(") + text.count("\\[") > MOST_FORMULAS:
        return text
    parts = _MATHEMATICS.split(decode_accents(text))
    return "".join(part if number % 2 else _prose(part) for number, part in enumerate(parts))


def _prose(text: str) -> str:
    text = _SIGN.sub(lambda sign: _SIGNS[sign[0].rstrip("{} \n")], text)
    text = _ESCAPED.sub(lambda escaped: _ESCAPES[escaped[1]], text)
    return _COMMAND.sub(lambda command: " " if command[0][1] in ", ;:!" else "", text).translate(_BRACES)
