"""How the texts of arXiv's documents are cleaned, whichever form they came in."""

from __future__ import annotations

import re
from unicodedata import normalize

from shared.accents import decode_accents

IDENTIFIER = r"[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7}|[0-9]{4}\.[0-9]{4,5}"
"""An arXiv identifier without version, old style or new. As ASCII digits only: `\\d` would take every script's."""


def clean(text: str) -> str:
    """Unicode in NFC. Line breaks stay where the document has them; XML itself lets no control character in."""
    if "\\" in text:
        text = decode_accents(text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else normalize("NFC", text)


def one_line(text: str) -> str:
    """Clean, with every run of white space as one blank."""
    text = clean(text)
    if "  " not in text and text.isprintable():  # then a blank is the only white space in it
        return text.strip()
    return " ".join(text.split())


_WRITTEN = re.compile(
    rf"(?i:arxiv:|(?:https?://)?(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/)?"
    rf"(?P<id>{IDENTIFIER})(?P<version>v[1-9][0-9]{{0,3}})?(?:\.pdf)?"
)
_CLASS = re.compile(r"\.[A-Z]{2}(?=/)")


def read_id(text: str) -> str | None:
    """The id, perhaps with version, as the API writes it; None when this is no arXiv id."""
    written = _WRITTEN.fullmatch(text.strip())
    return _CLASS.sub("", written["id"]) + (written["version"] or "") if written else None
