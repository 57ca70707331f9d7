"""What TeX macros with arguments look like: rendered arguments in, one piece out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial

from services.publisher.latex_pieces import EMPTY, SPACE, Piece, around, join, literal, markup, tagged
from services.publisher.latex_symbols import script, words
from services.publisher.text import scrubbed

_ENCLOSED = re.compile(r"\([^()]*\)")
_ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


def accented(mark: str, text: str) -> Piece:
    bare = text.replace("ı", "i").replace("ȷ", "j")
    accented = "".join(char + mark if char.isalnum() or len(bare) == 1 else char for char in bare)
    return literal(unicodedata.normalize("NFC", accented))


def scripted(content: Piece, *, raised: bool, small: str | None) -> Piece:
    """A raised or lowered piece: as small characters, or in one line."""
    if not content.plain.strip():
        return EMPTY
    if small is not None:
        return literal(small)
    tag, mark = ("sup", "^") if raised else ("sub", "_")
    enclosed = len(content.plain) == 1 or _ENCLOSED.fullmatch(content.plain)
    text = content.plain if enclosed else f"({content.plain})"
    return Piece(f"{mark}{text}", tagged(tag, content).html)


def _wrapped(piece: Piece) -> Piece:
    """In brackets when it is more than one thing."""
    simple = len(piece.plain) <= 1 or piece.plain.isalnum()
    return piece if simple else around("(", piece, ")")


def _fraction(arguments: Sequence[Piece]) -> Piece:
    parts = list(arguments)
    if any(_wrapped(part) is not part for part in parts):
        parts = [around("(", part, ")") for part in parts]
    over, under = parts
    return Piece(f"{over.plain}/{under.plain}", f"{over.html}/{under.html}", "fraction")


def _root(arguments: Sequence[Piece]) -> Piece:
    degree, radicand = arguments
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree.plain)
    if sign is None:
        sign = f"{script(degree.plain, raised=True) or degree.plain}√"
    content = _wrapped(radicand)
    return Piece(f"{sign}{content.plain}", f"{markup(sign)}{content.html}")


def _stacked(mark: str, arguments: Sequence[Piece]) -> Piece:
    raised = mark == "^"
    over, base = arguments
    shown = scripted(over, raised=raised, small=script(over.plain, raised=raised))
    return Piece(base.plain + shown.plain, base.html + shown.html)


def _link(arguments: Sequence[Piece]) -> Piece:
    address, words = arguments
    if not words.plain or address.plain in words.plain or not address.plain.startswith("http"):
        return words if words.plain else address
    return Piece(f"{words.plain} ({address.plain})", f"{words.html} ({address.html})")


def _ion(arguments: Sequence[Piece]) -> Piece:
    element, stage = arguments
    digits = stage.plain if stage.plain.isascii() and stage.plain.isdigit() else "0"
    roman = _ROMAN[int(digits)] if len(digits) == 1 or digits == "10" else ""
    return literal(f"{element.plain} {roman or stage.plain.upper()}")


def _chemical(arguments: Sequence[Piece]) -> Piece:
    return literal(re.sub(r"(?<=[A-Za-z)])\d+", lambda m: script(m[0], raised=False) or m[0], arguments[0].plain))


def _quantity(arguments: Sequence[Piece]) -> Piece:
    return join([arguments[1], SPACE, arguments[2]], math=False)


def _on_nothing(mark: str, arguments: Sequence[Piece]) -> Piece:
    return _stacked(mark, [arguments[0], EMPTY])


def _character(arguments: Sequence[Piece]) -> Piece:
    """`\\unicode{x2013}` or `\\unicode{8211}`."""
    match = re.fullmatch(r"x([0-9A-Fa-f]{1,6})|(\d{1,7})", arguments[0].plain.strip())
    code = int(match[1], 16) if match and match[1] else int(match[2]) if match else 0
    return literal(scrubbed(chr(code)) if 0 < code < 0x110000 else "")


def _bracketed(left: str, right: str, arguments: Sequence[Piece]) -> Piece:
    return around(left, arguments[0], right)


def _nothing(_: Sequence[Piece]) -> Piece:
    return EMPTY


SILENT = words(
    "cite citep citet citealt citealp citeauthor citeyear nocite parencite textcite footcite label begin end "
    "vspace hspace color thanks phantom pagestyle b unicode"
)
STRUCTURES: dict[str, Callable[[Sequence[Piece]], Piece]] = {
    **dict.fromkeys(SILENT | {"rule", "ref", "eqref", "cref", "Cref", "autoref", "vskip", "hskip"}, _nothing),
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"), _fraction),
    **dict.fromkeys(("binom", "dbinom", "tbinom"), lambda a: literal(f"({a[0].plain} choose {a[1].plain})")),
    **dict.fromkeys(("SI", "qty"), _quantity),
    "overset": partial(_stacked, "^"),
    "stackrel": partial(_stacked, "^"),
    "underset": partial(_stacked, "_"),
    "textsuperscript": partial(_on_nothing, "^"),
    "textsubscript": partial(_on_nothing, "_"),
    "pmod": partial(_bracketed, " (mod ", ")"),
    "footnote": partial(_bracketed, " (", ")"),
    "abs": partial(_bracketed, "|", "|"),
    "norm": partial(_bracketed, "‖", "‖"),
    "ket": partial(_bracketed, "|", "⟩"),
    "bra": partial(_bracketed, "⟨", "|"),
    "braket": partial(_bracketed, "⟨", "⟩"),
    "textquote": partial(_bracketed, "“", "”"),
    "enquote": partial(_bracketed, "“", "”"),
    "texorpdfstring": lambda a: a[0],
    "unicode": _character,
    "sqrt": _root,
    "href": _link,
    "ion": _ion,
    "ce": _chemical,
    "textcolor": lambda a: a[1],
    "foreignlanguage": lambda a: a[1],
}
