"""On which line a value of a TOML document stands, which `tomllib` does not tell.

For documents that `tomllib` has accepted: it knows where values begin and end, not whether they are legal.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""Where a value is: `("feed", 0, "keywords", 3, "weight")`."""

TOKEN = re.compile(
    r'''(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
      | (?P<space>[ \t\r]+|\#[^\n]*)
      | (?P<newline>\n)
      | (?P<sign>[\[\]{}=,.])
      | (?P<bare>[^\s"'\[\]{}=,.\#]+)''',
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A string, a bare word, a sign or a line's end."""

    kind: str
    text: str
    line: int


@dataclass(slots=True)
class Lines:
    """The line of each value, by its path."""

    known: dict[Path, int] = field(default_factory=dict)

    def of(self, path: Path) -> int:
        """The line of the value, or of the closest thing around it."""
        while path and path not in self.known:
            path = path[:-1]
        return self.known.get(path, 1)

    def note(self, path: Path, line: int) -> None:
        """Remember where a value was first seen."""
        self.known.setdefault(path, line)


def lines_of(document: str) -> Lines:
    """The line of every table, key and array element of a legal TOML document."""
    return _Reader(document).read()


def _tokens(document: str) -> Iterator[Token]:
    line = 1
    for found in TOKEN.finditer(document):
        kind = found.lastgroup or ""
        if kind != "space":
            yield Token(kind, found[0], line)
        line += found[0].count("\n")


class _Reader:
    def __init__(self, document: str) -> None:
        self._tokens = list(_tokens(document))
        self._at = 0
        self._lines = Lines()
        self._counts: dict[Path, int] = {}

    def read(self) -> Lines:
        table: Path = ()
        while self._peek():
            if self._peek() == "\n":
                self._take()
            elif self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, *texts: str) -> None:
        while self._peek() and self._peek() in texts:
            self._take()

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`; an index goes in after every array of tables on the way."""
        line = self._take().line
        of_array = self._peek() == "["
        self._skip("[")
        *outer, last = self._keys()
        self._skip("]")
        path: Path = ()
        for key in outer:
            path = self._current((*path, key))
        path = (*path, last)
        self._lines.note(path, line)
        if of_array:
            self._counts[path] = self._counts.get(path, -1) + 1
            path = self._current(path)
            self._lines.note(path, line)
        return path

    def _current(self, path: Path) -> Path:
        return (*path, self._counts[path]) if path in self._counts else path

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._peek() == ".":
            self._take()
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        token = self._take()
        return str(tomllib.loads(f"key = {token.text}")["key"]) if token.kind == "string" else token.text

    def _pair(self, table: Path) -> None:
        line = self._tokens[self._at].line
        path = table
        for key in self._keys():
            path = (*path, key)
            self._lines.note(path, line)
        self._skip("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._peek() == "[":
            self._array(path)
        elif self._peek() == "{":
            self._inline_table(path)
        else:
            while self._peek() and self._peek() not in {",", "]", "}", "\n"}:
                self._take()

    def _array(self, path: Path) -> None:
        self._take()
        index = 0
        while self._peek() not in {"]", ""}:
            if self._peek() in {",", "\n"}:
                self._take()
                continue
            self._lines.note((*path, index), self._tokens[self._at].line)
            self._value((*path, index))
            index += 1
        self._take()

    def _inline_table(self, path: Path) -> None:
        self._take()
        while self._peek() not in {"}", ""}:
            if self._peek() in {",", "\n"}:
                self._take()
            else:
                self._pair(path)
        self._take()
