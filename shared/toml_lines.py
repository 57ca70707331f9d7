"""On which line a value of a TOML document stands, which `tomllib` does not tell.

For documents that `tomllib` has accepted: it knows where values begin and end, not whether they are legal.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Where a value is: `("feed", 0, "keywords", 3, "weight")`."""

TOKEN = re.compile(
    r'''(?:[ \t\r]+|\#[^\n]*)*
      (?:(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
      | (?P<newline>\n)
      | (?P<sign>[\[\]{}=,.])
      | (?P<bare>[^\s"'\[\]{}=,.\#]+)
      | (?P<end>\Z))''',
    re.VERBOSE | re.DOTALL,
)
OPENING, CLOSING = ("[", "{"), ("]", "}")


class Token(NamedTuple):
    """A string, a bare word, a sign, a line's end or the document's, which has no text."""

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


def lines_of(document: str, wanted: Collection[Path] | None = None) -> Lines:
    """The line of every table, key and array element of a legal TOML document.

    With `wanted` only of these and of what is around them: in a file of 10,000 feeds most values need no line.
    """
    return _Reader(document, None if wanted is None else _with_outer(wanted)).read()


def _with_outer(paths: Collection[Path]) -> frozenset[Path]:
    return frozenset(path[:depth] for path in paths for depth in range(1, len(path) + 1))


def _tokens(document: str) -> Iterator[Token]:
    line = 1
    for found in TOKEN.finditer(document):
        kind = found.lastgroup or ""
        text = found[kind]
        yield Token(kind, text, line)
        if kind in {"string", "newline"}:
            line += text.count("\n")


class _Reader:
    def __init__(self, document: str, wanted: frozenset[Path] | None) -> None:
        self._tokens = _tokens(document)
        self._next = next(self._tokens)
        self._wanted = wanted
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
        return self._next.text

    def _take(self) -> Token:
        token = self._next
        self._next = next(self._tokens, Token("end", "", token.line))
        return token

    def _skip(self, text: str) -> None:
        while self._peek() == text:
            self._take()

    def _wants(self, path: Path) -> bool:
        return self._wanted is None or path in self._wanted

    def _note(self, path: Path, line: int) -> None:
        if self._wants(path):
            self._lines.note(path, line)

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
        self._note(path, line)
        if of_array:
            self._counts[path] = self._counts.get(path, -1) + 1
            path = self._current(path)
            self._note(path, line)
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
        line = self._next.line
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, line)
        self._skip("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        if not self._wants(path):
            self._unwanted()
        elif self._peek() == "[":
            self._array(path)
        elif self._peek() == "{":
            self._inline_table(path)
        else:
            self._plain()

    def _plain(self) -> None:
        while self._peek() not in {",", "]", "}", "\n", ""}:
            self._take()

    def _unwanted(self) -> None:
        """Past a value, whatever it is."""
        depth = 0
        while self._next.kind != "end":
            text = self._peek()
            if not depth and text in {",", "]", "}", "\n"}:
                return
            depth += (text in OPENING) - (text in CLOSING)
            self._take()

    def _array(self, path: Path) -> None:
        self._take()
        index = 0
        while self._peek() not in {"]", ""}:
            if self._peek() in {",", "\n"}:
                self._take()
                continue
            self._note((*path, index), self._next.line)
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
