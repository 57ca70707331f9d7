"""Reads TeX as authors write it in titles and abstracts into nodes; everything can be read, also what is broken."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.publisher.latex_symbols import ARGUMENTS, MARK_END, MARK_START, SYMBOLS, TEXT_ARGUMENTS

MAX_DEPTH = 40

_URL = re.compile(r"https?://(?:\\[_%#&~]|[^\s{}\\$<>\"])+")
_MACRO = re.compile(r"\\([A-Za-z]+|.|$)", re.DOTALL)
_SPACE = re.compile(r"\s+")
_TEXT = re.compile(rf"[^\\{{}}$^_~&\s{MARK_START}{MARK_END}]+")
_SIGN = re.compile(f"[{MARK_START}{MARK_END}]")
_ENVIRONMENT = re.compile(r"\\begin\{((?:equation|align|eqnarray|gather|multline|displaymath|math)\*?)\}")
_TEX_MARK = re.compile(r"[\\^_{}]")
_PROSE = re.compile(r"[A-Za-z]{2,}[,;.:]?\s+(?:\S+\s+)?[A-Za-z]{2,}")
_COMMAND = re.compile(r"\\[A-Za-z]+(?:\{[^{}]*\})?")


class TooDeepError(ValueError):
    """Groups nested beyond what any author writes."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Space:
    pass


@dataclass(frozen=True, slots=True)
class Sign:
    """The start or the end of what is to be marked."""

    text: str


@dataclass(frozen=True, slots=True)
class Group:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Script:
    raised: bool
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Macro:
    name: str
    arguments: tuple[tuple[Node, ...], ...] = ()
    spaced: bool = False
    """Whether the source has a space after it, which in a formula only ends the name."""


Node = Text | Space | Sign | Group | Formula | Script | Macro


def read(text: str) -> tuple[Node, ...]:
    """The nodes of a text with formulas."""
    return _Reader(text).nodes(math=False)


class _Reader:
    """A position in a source text."""

    def __init__(self, text: str, depth: int = 0) -> None:
        self._text = text
        self._at = 0
        self._depth = depth

    def nodes(self, *, math: bool, closing: str = "") -> tuple[Node, ...]:
        """Everything up to the closing brace, or to the end."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooDeepError(f"groups nested deeper than {MAX_DEPTH}")
        found: list[Node] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "}":
                self._at += 1
                if closing:
                    break
                continue
            found.append(self._node(char, math=math))
        self._depth -= 1
        return tuple(found)

    def _node(self, char: str, *, math: bool) -> Node:
        if char == "\\":
            return self._macro(math=math)
        if char == "$":
            return self._dollar(math=math)
        if char == "{":
            return self._group(math=math)
        if space := _SPACE.match(self._text, self._at):
            self._at = space.end()
            return Space()
        if not math and (url := _URL.match(self._text, self._at)):
            self._at = url.end()
            return Text(re.sub(r"\\(.)", r"\1", url[0]))
        self._at += 1
        if math and char in "^_":
            return Script(char == "^", self._argument(math=True))
        if char == "~" or (math and char == "&"):
            return Space()
        if _SIGN.match(char):
            return Sign(char)
        return Text(char + self._rest_of_text(math=math))

    def _rest_of_text(self, *, math: bool) -> str:
        """Plain characters that follow; one at a time in a formula, where scripts bind to one."""
        rest = None if math else _TEXT.match(self._text, self._at)
        if rest is None or _URL.search(rest[0]):
            return ""
        self._at = rest.end()
        return rest[0]

    def _group(self, *, math: bool) -> Node:
        self._at += 1
        start = self._at
        nodes = self.nodes(math=math, closing="}")
        source = self._text[start : self._at]
        if not math and source.endswith("}") and "," in source and not _TEX_MARK.search(source[:-1]):
            return Group((Text("{"), *nodes, Text("}")))  # a set in running text, not a TeX group
        return Group(nodes)

    def _dollar(self, *, math: bool) -> Node:
        display = self._text.startswith("$$", self._at)
        mark = "$$" if display else "$"
        start = self._at + len(mark)
        end = self._text.find(mark, start)
        while end > 0 and self._text[end - 1] == "\\":
            end = self._text.find(mark, end + 1)
        if math or end < 0 or not (display or _is_formula(self._text[start:end], self._text[end + 1 : end + 2])):
            self._at += 1
            return Text("$")
        return self._formula(start, end, end + len(mark))

    def _formula(self, start: int, end: int, after: int) -> Formula:
        self._at = after
        source = _SIGN.sub("", self._text[start:end]).strip()
        return Formula(_Reader(source, self._depth).nodes(math=True))

    def _macro(self, *, math: bool) -> Node:
        if formula := self._delimited():
            return formula
        match = _MACRO.match(self._text, self._at)
        name = match[1] if match else ""
        self._at += 1 + len(name)
        if name in {"left", "right", "middle"} and self._text.startswith(".", self._at):
            self._at += 1
        if name == "operatorname" and self._text.startswith("*", self._at):
            self._at += 1
        arguments = self._arguments(name, math=math)
        spaced = self._text[self._at : self._at + 1].isspace()
        return Macro(name, arguments, spaced)

    def _delimited(self) -> Formula | None:
        for opening, closing in (("\\(", "\\)"), ("\\[", "\\]")):
            if self._text.startswith(opening, self._at):
                return self._until(self._at + 2, closing)
        if environment := _ENVIRONMENT.match(self._text, self._at):
            return self._until(environment.end(), f"\\end{{{environment[1]}}}")
        return None

    def _until(self, start: int, closing: str) -> Formula | None:
        end = self._text.find(closing, start)
        return None if end < 0 else self._formula(start, end, end + len(closing))

    def _arguments(self, name: str, *, math: bool) -> tuple[tuple[Node, ...], ...]:
        follows = self._text[self._at : self._at + 1]
        if name == "b" and follows != "{":
            return ()  # meant as bold far more often than as a bar below the next letter
        form = ARGUMENTS.get(name)
        if form is None:
            form = "m" if follows == "{" and name.isalpha() and name not in SYMBOLS else ""
        return tuple(self._by_form(kind, math=math and name not in TEXT_ARGUMENTS) for kind in form)

    def _by_form(self, kind: str, *, math: bool) -> tuple[Node, ...]:
        if kind == "m":
            return self._argument(math=math)
        opening, closing = ("[", "]") if kind == "o" else ("{", "}")
        return self._verbatim(opening, closing)

    def _argument(self, *, math: bool) -> tuple[Node, ...]:
        """A group, a macro, or the next character."""
        if space := _SPACE.match(self._text, self._at):
            self._at = space.end()
        char = self._text[self._at : self._at + 1]
        if char == "{":
            self._at += 1
            return self.nodes(math=math, closing="}")
        if char == "\\":
            return self._nested_macro(math=math)
        if char in {"", "}", "$"}:
            return ()
        self._at += 1
        return (Text(char),)

    def _nested_macro(self, *, math: bool) -> tuple[Node, ...]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooDeepError(f"macros nested deeper than {MAX_DEPTH}")
        node = self._macro(math=math)
        self._depth -= 1
        return (node,)

    def _verbatim(self, opening: str, closing: str) -> tuple[Node, ...]:
        end = self._text.find(closing, self._at)
        if end < 0 or not self._text.startswith(opening, self._at):
            return ()
        source = self._text[self._at + 1 : end]
        self._at = end + 1
        return (Text(source),) if source else ()


def _is_formula(source: str, follows: str) -> bool:
    """Whether the text between two dollars is a formula, not prose between two prices."""
    price = re.match(r"[.\d]", source) is not None
    if price and (_PROSE.search(_COMMAND.sub(" ", source)) or follows.isdigit()):
        return False
    if _TEX_MARK.search(source):
        return True
    loose = source[:1].isspace() or source[-1:].isspace()
    wordy = _PROSE.search(source) or (loose and (price or re.search(r"[A-Za-z]{2}", source)))
    return bool(source.strip()) and not wordy
