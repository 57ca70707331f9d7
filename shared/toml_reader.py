"""Reading values out of a TOML document so that every mistake is told with its line, its key and its remedy."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, cast

from shared.toml_lines import Path, lines_of

T = TypeVar("T")

JOINERS = frozenset("\u200c\u200d")  # letters of Persian and Indic words are held apart or together by them
UNSEEN = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)  # come along when text is copied from a page
NOWHERE: Mapping[str, str] = MappingProxyType({})
MOST_SHOWN = 40
MOST_HINTS = 200  # a hint among 10,000 names takes 50 ms


class Problem(NamedTuple):
    """Something wrong; with `earlier`, the text goes on after `line 3 ` of the value there."""

    path: Path
    text: str
    earlier: Path | None = None


class Reader:
    """Reads values out of a TOML document; a bad one is noted and its default taken.

    Lines are looked for only once there is something to tell: that takes longer than reading the document.
    """

    def __init__(self, name: str, document: str) -> None:
        self._name = name
        self._document = document
        self._found: list[Problem] = []
        self.names: dict[Path, str] = {}
        """What to call the elements of a list that have a name of their own."""

    def wrong(self, path: Path, what: str, *, earlier: Path | None = None) -> None:
        """Note a problem with the value there; with `earlier` it begins `line 3 ` of the value there."""
        self._found.append(Problem(path, what, earlier))

    def problems(self) -> list[str]:
        """Every problem with its place, in the order of the lines."""
        if not self._found:
            return []
        wanted = {path for found in self._found for path in (found.path, found.earlier) if path}
        lines = lines_of(self._document, wanted)
        ordered = sorted(self._found, key=lambda found: lines.of(found.path))
        return [self._told(found, lines.of(found.path), lines.of(found.earlier or ())) for found in ordered]

    def _told(self, found: Problem, line: int, earlier: int) -> str:
        place = label(found.path, self.names)
        before = f"line {earlier} " if found.earlier else ""
        return f"{self._name}:{line}: {place}{': ' if place else ''}{before}{found.text}"

    def places(self, path: Path, keys: Collection[str]) -> Places:
        """Where the keys of a table stand."""
        labels = {key: (at, label(at, self.names)) for key in keys for at in ((*path, key) if key else path,)}
        return Places(self._name, self._document, labels)

    def known_keys(
        self, path: Path, table: Mapping[str, Any], keys: Collection[str], elsewhere: Mapping[str, str] = NOWHERE
    ) -> None:
        """Every other key is a mistake, most likely a misspelling; `elsewhere` are those of other tables."""
        for key in table:
            if key in keys:
                continue
            if key in elsewhere:
                self.wrong((*path, key), elsewhere[key])
                continue
            close = self.closest(key, keys)
            hint = f"write `{close[0]}`" if close else f"possible here: {', '.join(keys)}"
            self.wrong((*path, key), f"there is no such key; {hint}")

    def closest(self, value: Any, words: Collection[str]) -> list[str]:
        """The word that was probably meant, if there is one; looked for only while problems are few."""
        if not isinstance(value, str) or len(self._found) > MOST_HINTS:
            return []
        return get_close_matches(value[:MOST_SHOWN], words, n=1)

    def text(self, path: Path, value: Any, default: str = "") -> str:
        """A string that says something."""
        if value is None:
            return default
        text = cleaned(value) if isinstance(value, str) else ""
        odd = next((letter for letter in text if not _is_seen(letter)), "") if not text.isprintable() else ""
        if odd:
            self.wrong(path, f"{shown(text)} has {_named(odd)}; {_remedy(odd)}")
        elif not text:
            self.wrong(path, f"{shown(value)} is no text; write one line of text in quotes")
        return default if odd else text or default

    def number(self, path: Path, value: Any, default: float, least: float, most: float) -> float:
        """A number within bounds."""
        if value is None:
            return default
        no_number = isinstance(value, bool) or not isinstance(value, int | float)
        if no_number or (isinstance(value, float) and not math.isfinite(value)):
            self.wrong(path, f"{shown(value)} is no number; write one like {default}")
        elif not least <= value <= most:
            self.wrong(path, f"{shown(value)} is out of range; write a number from {least:.0f} to {most:.0f}")
        else:
            return float(value)
        return default

    def whole(self, path: Path, value: Any, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        if isinstance(value, float):
            self.wrong(path, f"{shown(value)} is not whole; write a number like {default}")
            return default
        return int(self.number(path, value, default, least, most))

    def choice(self, path: Path, value: Any, default: T, choices: Collection[T]) -> T:
        """One of a few words."""
        if value is None:
            return default
        if value in choices:
            return cast("T", value)
        words = [str(choice) for choice in choices]
        close = self.closest(value, words)
        self.wrong(path, f"{shown(value)} is not known; write {either(close or words)}")
        return default

    def items(self, path: Path, value: Any, read: Callable[[Path, Any], T | None]) -> tuple[T, ...]:
        """A list, each element read by `read`, without the bad ones."""
        if value is None:
            return ()
        if not isinstance(value, list):
            self.wrong(path, f"{shown(value)} is no list; write it in brackets, like [{shown(value)}]")
            return ()
        read_items = (read((*path, number), item) for number, item in enumerate(value))
        return tuple(item for item in read_items if item is not None)

    def table(
        self, path: Path, value: Any, keys: Collection[str], example: str, elsewhere: Mapping[str, str] = NOWHERE
    ) -> Mapping[str, Any]:
        """A table with no unknown key."""
        if not isinstance(value, dict):
            self.wrong(path, f"{shown(value)} is no table; write {example}")
            return {}
        self.known_keys(path, value, keys, elsewhere)
        return value


class Places(Mapping[str, str]):
    """Where the keys of a table stand, for messages; the lines are looked for when one is asked for."""

    def __init__(self, name: str, document: str, labels: Mapping[str, tuple[Path, str]]) -> None:
        self._name = name
        self._document = document
        self._labels = labels

    def __getitem__(self, key: str) -> str:
        path, place = self._labels[key]
        return f"{self._name}:{lines_of(self._document, {path}).of(path)}: {place}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)


def label(path: Path, names: Mapping[Path, str]) -> str:
    """`feed[efficient-llm].keywords[3].weight`, counted from 1 where there is no name."""
    place = ""
    for depth, step in enumerate(path, start=1):
        if isinstance(step, int):
            place += f"[{names.get(path[:depth], step + 1)}]"
        else:
            key = visible(step)
            place += f".{key}" if place else key
    return place


def cleaned(text: str) -> str:
    """The text without what copying from a page brings along: no-break spaces become spaces, soft hyphens go."""
    if text.isprintable():
        return text.strip()
    bare = UNSEEN.sub("", text)
    return "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in bare).strip()


def _is_seen(letter: str) -> bool:
    return letter.isprintable() or letter in JOINERS


def visible(text: str) -> str:
    """The text shortened, with spaces for what is not seen or would change what stands beside it."""
    short = text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
    return short if short.isprintable() else "".join(letter if _is_seen(letter) else " " for letter in short)


def _named(letter: str) -> str:
    known = {"\n": "a line break", "\t": "a tab"}
    return known.get(letter, f"a character that is not seen (U+{ord(letter):04X})")


def _remedy(letter: str) -> str:
    if letter in "\b\f\t\r":
        return r"write TeX in single quotes, like '\beta'"
    return "write it in one line" if letter == "\n" else "write it without"


def shown(value: Any) -> str:
    """A value as it would be written, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{visible(value)}"'
    if isinstance(value, dict | list):
        return "this"
    if isinstance(value, int) and abs(value) >= 10**MOST_SHOWN:
        return "this number"  # Python refuses to write out a number of 5,000 digits
    return str(value)[:MOST_SHOWN]


def either(words: Collection[str]) -> str:
    """`"a" or "b"`."""
    return " or ".join(f'"{word}"' for word in words)
