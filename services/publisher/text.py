"""Text made safe to carry: no characters that XML forbids or that turn text around, no line breaks in one line."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates: with one of them a title rewrites what stands after it."""
_SPACES = re.compile(r"\s+")


def scrubbed(text: str) -> str:
    """Without the characters that XML forbids, one of which would lose a whole feed, and those that turn text."""
    return _TURNING.sub("", _NOT_XML.sub("", text))


def one_line(text: str) -> str:
    """Every run of white space as one space."""
    return _SPACES.sub(" ", text).strip()
