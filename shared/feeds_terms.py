"""The rules of a feed's terms: keywords, conditions, exclusions and authors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from shared.feeds import IN_TEXT, Term
from shared.messages import Place
from shared.toml_lines import Path
from shared.toml_reader import Reader, shown

TERM_KEYS = ("term", "weight", "in")
PLACES: tuple[Place, ...] = get_args(Place)
MOST_LETTERS = 200  # of a term; longer ones are pasted by mistake
MOST_WEIGHT = 1_000.0

LONGEST_ACRONYM = 5
TEX = re.compile(r"\\[^A-Za-z\s]|[{}$]")  # the accent of K\"ahler, and TeX's brackets
APART = re.compile(r"[\s\-‐‑‒–—_]+")  # what stands between the words of a phrase
ACCENTS = re.compile("[\u0300-\u036f]")

Written = list[tuple[Path, Term]]
"""Terms and where they stand."""


class Terms:
    """Reads terms. Equal ones are one object: ten thousand feeds share their words."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._as_written: dict[tuple[str, tuple[Place, ...]], Term] = {}
        self._equal: dict[Term, Term] = {}
        self._texts: dict[str, str] = {}

    def in_text(self, path: Path, value: Any) -> Written:
        """Terms with weight and places."""
        return self._list(path, value, TERM_KEYS, IN_TEXT)

    def excluded(self, path: Path, value: Any) -> Written:
        """Terms with places; those that keep papers out have no weight."""
        return self._list(path, value, ("term", "in"), IN_TEXT)

    def authors(self, path: Path, value: Any) -> Written:
        """Names with weight."""
        return self._list(path, value, ("term", "weight"), ("authors",))

    def groups(self, path: Path, value: Any) -> list[Written]:
        """One group of terms, or a list of groups."""
        if value is None:
            return []
        if not isinstance(value, list):
            self._reader.wrong(path, f"{shown(value)} is no list; write it in brackets, like [{shown(value)}, ...]")
            return []
        lists = sum(isinstance(item, list) for item in value)
        if 0 < lists < len(value):
            self._reader.wrong(path, 'has terms beside groups; write any = [["a", "b"], ["c"]] for two groups')
            return []
        groups = [((*path, number), group) for number, group in enumerate(value)] if lists else [(path, value)]
        return [self._group(at, group) for at, group in groups]

    def _group(self, path: Path, value: list[Any]) -> Written:
        if not value:
            self._reader.wrong(path, "is empty, so no paper has any of it; write a term or leave it out")
        return self.in_text(path, value)

    def _list(self, path: Path, value: Any, keys: tuple[str, ...], places: tuple[Place, ...]) -> Written:
        def read(at: Path, item: Any) -> tuple[Path, Term] | None:
            known = self._as_written.get((item, places)) if isinstance(item, str) else None
            term = known or self._new(at, item, keys, places)
            return (at, term) if term else None

        return list(self._reader.items(path, value, read))

    def _new(self, path: Path, value: Any, keys: tuple[str, ...], places: tuple[Place, ...]) -> Term | None:
        term = self._term(path, value, keys)
        if term is None:
            return None
        if places != IN_TEXT:
            term = replace(term, places=places)
        term = self._equal.setdefault(term, term)
        if isinstance(value, str):
            self._as_written[value, places] = term
        return term

    def _term(self, path: Path, value: Any, keys: tuple[str, ...]) -> Term | None:
        if not isinstance(value, dict):
            text = self._text(path, value)
            return Term(text) if text else None
        table: Mapping[str, Any] = self._reader.table(path, value, keys, "")
        if "term" not in table:
            self._reader.wrong(path, 'has no term; write { term = "a term" }')
            return None
        text = self._text((*path, "term"), table["term"])
        weight = self._weight((*path, "weight"), table.get("weight") if "weight" in keys else None)
        places = self._places((*path, "in"), table.get("in") if "in" in keys else None)
        return Term(text, weight, places) if text else None

    def _text(self, at: Path, value: Any) -> str:
        text = self._reader.text(at, value)
        if text and not any(letter.isalnum() for letter in text):
            self._reader.wrong(at, f"{shown(text)} has no letter or digit to look for; write a word")
            return ""
        if len(text) > MOST_LETTERS:
            what = f"{shown(text)} is longer than {MOST_LETTERS} characters; write a word or a short phrase"
            self._reader.wrong(at, what)
            return ""
        return self._texts.setdefault(text, text)

    def _weight(self, path: Path, value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and value == 0:
            self._reader.wrong(path, "adds nothing; write a weight above 0, or use `exclude` to keep papers out")
        elif is_number and value < 0:
            what = f"{shown(value)} would take points away; write a weight above 0, or use `exclude` to keep papers out"
            self._reader.wrong(path, what)
        else:
            return self._reader.number(path, value, 1.0, 0, MOST_WEIGHT)
        return 1.0

    def _places(self, path: Path, value: Any) -> tuple[Place, ...]:
        if value is None:
            return IN_TEXT
        if isinstance(value, str):
            place = self._place(path, value)
            return (place,) if place else IN_TEXT
        if value == []:
            self._reader.wrong(path, "is empty, so the term is never found; leave it out for title and abstract")
        read = self._reader.items(path, value, self._place)
        return tuple(place for place in PLACES if place in read) or IN_TEXT

    def _place(self, path: Path, value: Any) -> Place | None:
        return self._reader.choice(path, value, None, PLACES)


def sameness(text: str) -> str:
    """A key that two terms have in common when they surely find the same words.

    Hyphens are spaces, plurals are singulars, accents do not matter; case matters in `RL`, which is not `rl`.
    """
    bare = ACCENTS.sub("", unicodedata.normalize("NFKD", TEX.sub("", text)))
    words = [_singular(word) for word in APART.sub(" ", bare.lower()).split()]
    acronym = bare[:-1] if len(bare) > 2 and bare[-1] == "s" else bare
    if len(acronym) <= LONGEST_ACRONYM and acronym.isalpha() and acronym.isupper():
        return acronym
    return " ".join(words)


def _singular(word: str) -> str:
    """`studies` and `study` are `studie`, `boxes` and `box` are `box`, `caches` and `cache` are `cach`.

    No English, but what the forms of a word have in common.
    """
    if len(word) >= 4 and word[-1] == "s" and word[-2] not in "sui":
        word = word[:-1]
    if word.endswith("y") and word[-2:-1] not in ("", *"aeiou"):
        return f"{word[:-1]}ie"
    return word[:-1] if len(word) >= 4 and word.endswith(("xe", "ze", "se", "che", "she")) else word
