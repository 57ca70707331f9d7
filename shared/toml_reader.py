"""Reading values out of a TOML document so that every mistake is told with its line, its key and its remedy."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from shared.toml_lines import Path, lines_of

T = TypeVar("T")


class Reader:
    """Reads values out of a TOML document; a bad one is noted and its default taken."""

    def __init__(self, name: str, document: str) -> None:
        self.problems: list[tuple[int, str]] = []
        self._name = name
        self._lines = lines_of(document)
        self.names: dict[Path, str] = {}
        """What to call the elements of a list that have a name of their own."""

    def line(self, path: Path) -> int:
        """The line of a value."""
        return self._lines.of(path)

    def wrong(self, path: Path, what: str) -> None:
        """Note a problem with the value there."""
        place = self._place(path)
        self.problems.append((self.line(path), f"{self.place(path)}{': ' if place else ''}{what}"))

    def place(self, path: Path) -> str:
        """The file, the line and the key of a value: `feeds.toml:12: feed[efficient-llm].slug`."""
        return f"{self._name}:{self.line(path)}: {self._place(path)}"

    def _place(self, path: Path) -> str:
        """`feed[efficient-llm].keywords[3].weight`, counted from 1 where there is no name."""
        place = ""
        for depth, step in enumerate(path, start=1):
            if isinstance(step, int):
                place += f"[{self.names.get(path[:depth], step + 1)}]"
            else:
                place += f".{step}" if place else step
        return place

    def known_keys(self, path: Path, table: Mapping[str, Any], keys: Collection[str]) -> None:
        """Every other key is a mistake, most likely a misspelling."""
        for key in table:
            if key not in keys:
                close = get_close_matches(key, keys, n=1)
                hint = f"write `{close[0]}`" if close else f"possible here: {', '.join(keys)}"
                self.wrong((*path, key), f"there is no such key; {hint}")

    def text(self, path: Path, value: Any, default: str = "") -> str:
        """A string that says something."""
        if isinstance(value, str) and value.strip() and value.isprintable():
            return value.strip()
        if value is not None:
            self.wrong(path, f"{shown(value)} is no text; write one line of text in quotes")
        return default

    def number(self, path: Path, value: Any, default: float, least: float, most: float) -> float:
        """A number within bounds."""
        if value is None:
            return default
        no_number = isinstance(value, bool) or not isinstance(value, int | float)
        if no_number or (isinstance(value, float) and not math.isfinite(value)):
            self.wrong(path, f"{shown(value)} is no number; write one like {default}")
        elif not least <= value <= most:
            self.wrong(path, f"{shown(value)} is out of range; write a number from {least:g} to {most:g}")
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
        close = get_close_matches(str(value), words, n=1)
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

    def table(self, path: Path, value: Any, keys: Collection[str], example: str) -> Mapping[str, Any]:
        """A table with no unknown key."""
        if not isinstance(value, dict):
            self.wrong(path, f"{shown(value)} is no table; write {example}")
            return {}
        self.known_keys(path, value, keys)
        return value


def shown(value: Any) -> str:
    """A value as it would be written, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value if len(value) <= 40 else value[:39] + "…"}"'
    if isinstance(value, dict | list):
        return "this"
    return str(value)[:40]


def either(words: Collection[str]) -> str:
    """`"a" or "b"`."""
    return " or ".join(f'"{word}"' for word in words)
