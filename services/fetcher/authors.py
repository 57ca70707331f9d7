"""Author names out of the one line that arXiv joins them to."""

from __future__ import annotations

import re

_SUFFIXES = frozenset(("Jr", "Jr.", "Sr", "Sr.", "I", "II", "III", "IV", "V"))
_NO_NAMES = _SUFFIXES | {""}
_SEPARATOR = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+")
_SEPARATOR_OUTSIDE = re.compile(r"(?:\s*,\s*(?:and\s+)?|\s+and\s+)(?![^()]{0,200}\))")
_GROUP = re.compile(r"\b(?:Collaborations?|Consortium|Teams?|Groups?)\b")


def split_authors(creator: str) -> list[str]:
    """arXiv joins all authors with commas; `Jr.` and the like stay with the name before them."""
    creator = creator.strip()
    names = creator.split(", ")
    if _regular(creator, names):
        return names
    names = []
    for name in _names(creator):
        if names and name in _SUFFIXES:
            names[-1] += " " + name
        elif name:
            names.append(name)
    return names


def _regular(creator: str, names: list[str]) -> bool:
    """Whether splitting at every ", " is all there is to do, as for most."""
    return (
        _NO_NAMES.isdisjoint(names)
        and creator.count(",") == len(names) - 1
        and not ("(" in creator or "\n" in creator or "\t" in creator or "  " in creator or " and " in creator)
    )


def _names(creator: str) -> list[str]:
    if _GROUP.search(creator):  # "the Belle and BaBar Collaborations" is one author
        return [" ".join(name.split()) for name in creator.split(",")]
    separator = _SEPARATOR_OUTSIDE if "(" in creator else _SEPARATOR
    return [" ".join(name.split()) for name in separator.split(creator)]
