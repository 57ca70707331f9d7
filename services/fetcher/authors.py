"""Author names out of the one line that arXiv joins them to."""

from __future__ import annotations

import re

_SUFFIXES = r"(?:Jr|Sr)\b\.?|I{1,3}\b|IV\b|V\b"
_SUFFIX_AHEAD = re.compile(rf", (?:{_SUFFIXES})")
_SEPARATOR = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+")
_SEPARATOR_OUTSIDE = re.compile(r"(?:\s*,\s*(?:and\s+)?|\s+and\s+)(?![^()]{0,200}\))")
_SUFFIX = re.compile(_SUFFIXES)
_GROUP = re.compile(r"\b(?:Collaborations?|Consortium|Teams?|Groups?)\b")


def split_authors(creator: str) -> list[str]:
    """arXiv joins all authors with commas; `Jr.` and the like stay with the name before them."""
    creator = creator.strip()
    names = creator.split(", ")
    if _regular(creator, len(names)):
        return names
    names = []
    for name in _names(creator):
        if names and _SUFFIX.fullmatch(name):
            names[-1] += " " + name
        elif name:
            names.append(name)
    return names


def _regular(creator: str, names: int) -> bool:
    """Whether splitting at every ", " is all there is to do, as for most."""
    return (
        " and " not in creator
        and creator.count(",") == names - 1
        and creator != ""
        and "(" not in creator
        and "  " not in creator
        and "\n" not in creator
        and not (_may_have_suffix(creator) and _SUFFIX_AHEAD.search(creator))
    )


def _may_have_suffix(creator: str) -> bool:
    """A look for what the suffixes begin with, which takes a quarter of the expression's time."""
    return ", J" in creator or ", S" in creator or ", I" in creator or ", V" in creator


def _names(creator: str) -> list[str]:
    if _GROUP.search(creator):  # "the Belle and BaBar Collaborations" is one author
        return [" ".join(name.split()) for name in creator.split(",")]
    separator = _SEPARATOR_OUTSIDE if "(" in creator else _SEPARATOR
    return [" ".join(name.split()) for name in separator.split(creator)]
