"""Stretches of rendered TeX in both output forms, and how they join to a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Kind = Literal["ordinary", "relation", "name", "script", "limits", "space", "fraction"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of output in both forms. `html` is markup already."""

    plain: str
    html: str
    kind: Kind = "ordinary"
    spaced: bool = False


EMPTY = Piece("", "")
SPACE = Piece(" ", " ", "space")


def markup(text: str) -> str:
    return escape(text, quote=False)


def literal(text: str, kind: Kind = "ordinary") -> Piece:
    return Piece(text, markup(text), kind)


def tagged(tag: str, piece: Piece) -> Piece:
    return Piece(piece.plain, f"<{tag}>{piece.html}</{tag}>" if piece.html.strip() else piece.html)


def join(pieces: Sequence[Piece], *, math: bool) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    line = _Line()
    for index, piece in enumerate(pieces):
        if math and piece.kind != "space":
            line.add_in_formula(piece, _next_plain(pieces, index))
        elif math and index and pieces[index - 1].spaced:
            continue  # this space only ended a macro's name
        else:
            line.add(piece)
    return Piece("".join(line.plain), "".join(line.html))


def _next_plain(pieces: Sequence[Piece], index: int) -> str:
    return pieces[index + 1].plain if index + 1 < len(pieces) else ""


class _Line:
    """What has been joined so far, with the spaces that a reader of a formula expects."""

    def __init__(self) -> None:
        self.plain: list[str] = []
        self.html: list[str] = []
        self._name_ended = False
        self._tight = False

    def add(self, piece: Piece) -> None:
        if self._tight and piece.kind == "space":
            return
        self._tight = False
        self._name_ended = self._name_ended and not piece.plain
        self.plain.append(piece.plain)
        self.html.append(piece.html)

    def add_in_formula(self, piece: Piece, following: str) -> None:
        if piece.kind == "relation":
            self._add_relation(piece, following)
            return
        if self._wants_space(piece):
            self.add(SPACE)
        enclosed = piece.kind == "fraction" and (self._last().isalnum() or following[:1].isalnum())
        self.add(around("(", piece, ")") if enclosed else piece)
        self._name_ended = piece.kind in {"name", "limits"}

    def _add_relation(self, piece: Piece, following: str) -> None:
        """Space on both sides or on none; none after a sign that begins something: `∼30`, `±5`."""
        before = "".join(self.plain[-6:]).rstrip()[-1:]
        leads = before == "" or before in "=<>(,[≈∼≃→"
        spaced = not leads and (self._last() == " " or following == " " or piece.spaced)
        if spaced and self._last() != " ":
            self.add(SPACE)
        self.add(Piece(piece.plain, piece.html))
        if spaced:
            self.add(SPACE)
        self._tight = True

    def _wants_space(self, piece: Piece) -> bool:
        last, first = self._last(), piece.plain[:1]
        if piece.kind == "name":
            return last.isalnum() or last == ")"
        return self._name_ended and first.isalnum() and piece.kind != "limits"

    def _last(self) -> str:
        return next((text[-1] for text in reversed(self.plain) if text), "")


def around(left: str, piece: Piece, right: str) -> Piece:
    return Piece(f"{left}{piece.plain}{right}", f"{markup(left)}{piece.html}{markup(right)}")
