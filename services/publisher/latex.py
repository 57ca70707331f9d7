"""Shows TeX as people read it: Unicode first, and in HTML a raised or lowered word where Unicode has no character.

`$10^{-24}$` is 10⁻²⁴, `\\mathcal{N}=4` is 𝒩=4, `x_{max}` is `x_(max)` in plain text and x<sub>max</sub> in HTML.
Every text gives a result; what is nested beyond reading is shown as its source.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from services.publisher.latex_macros import SILENT, STRUCTURES, accented, scripted
from services.publisher.latex_nodes import Formula, Group, Macro, Node, Script, Sign, Space, Text, TooDeepError, read
from services.publisher.latex_pieces import EMPTY, SPACE, Kind, Piece, join, literal, markup, tagged
from services.publisher.latex_symbols import (
    ACCENTS,
    ALPHABETS,
    ARGUMENTS,
    DECLARATIONS,
    FUNCTIONS,
    LARGE,
    SYMBOLS,
    TAGS,
    in_alphabet,
    is_relation,
    script,
)
from services.publisher.text import one_line, scrubbed

_NOTHING_TO_DO = re.compile(r"[^\\${}~^_%`]*")
_DOUBLE_MARK = re.compile(r"--|''")
_QUOTED = re.compile(r"``([^`\"$\\]{1,200})\"")
_SINGLE_QUOTED = re.compile(r"(?<!`)`([^`'$\\]{1,200})(?:'(?!')|`(?!`))")
_DISPLAYED = re.compile(
    r"(\$\$.+?\$\$|\\\[.+?\\\]|\\begin\{(equation|align|eqnarray|gather|multline)\*?\}.+?\\end\{\2\*?\})", re.DOTALL
)
_ENCLOSED = re.compile(r"\([^()]*\)")
_BLANK_LINE = re.compile(r"\n\s*\n")
_ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


def plain(text: str) -> str:
    """The text in Unicode only, on one line: for titles, search, JSON."""
    return _rendered(text).plain


def html(text: str) -> str:
    """The text as HTML, on one line; the only tags are sup, sub, i, b and code."""
    return _rendered(text).html


def paragraphs(text: str) -> list[str]:
    """The source's paragraphs: a blank line ends one, a displayed formula is its own; single newlines are wraps."""
    parts = (part for block in _BLANK_LINE.split(text) for part in _around_displays(block))
    return [part.strip() for part in parts if part.strip()]


def _around_displays(block: str) -> Iterable[str]:
    parts = _DISPLAYED.split(block)
    for index in range(0, len(parts), 3):
        yield parts[index]
        yield from parts[index + 1 : index + 2]


@lru_cache(maxsize=4096)
def _rendered(text: str) -> Piece:
    source = unicodedata.normalize("NFC", scrubbed(text))
    if _NOTHING_TO_DO.fullmatch(source) and not _DOUBLE_MARK.search(source):
        return literal(one_line(source))
    try:
        piece = _argument(read(_quoted(source)), math=False)
    except TooDeepError:
        return tagged("code", literal(one_line(source)))
    return Piece(one_line(unicodedata.normalize("NFC", piece.plain)), one_line(piece.html))


def _quoted(source: str) -> str:
    return _SINGLE_QUOTED.sub(r"‘\1’", _QUOTED.sub(r"“\1”", source))


# Nodes to pieces


def _pieces(nodes: Sequence[Node], *, math: bool) -> list[Piece]:
    pieces: list[Piece] = []
    index = 0
    while index < len(nodes):
        node = nodes[index]
        index += 1
        if isinstance(node, Macro) and node.name in DECLARATIONS:
            held = nodes[index + 1 :] if node.spaced else nodes[index:]
            pieces.append(_declared(node.name, _argument(held, math=math)))
            break
        if isinstance(node, Script):
            second = nodes[index] if index < len(nodes) else None
            both = [node, second] if isinstance(second, Script) and second.raised != node.raised else [node]
            index += len(both) - 1
            pieces.append(_scripts(both, pieces[-1] if pieces else EMPTY))
        else:
            pieces.append(_piece(node, math=math))
    return pieces


def _piece(node: Node, *, math: bool) -> Piece:
    if isinstance(node, Space):
        return SPACE
    if isinstance(node, Sign):
        return Piece("", node.text)
    if isinstance(node, Text):
        return _symbol(node.text) if math else literal(_typeset(node.text))
    if isinstance(node, Group):
        return join(_pieces(node.nodes, math=math), math=math)
    if isinstance(node, Formula):
        return join(_pieces(node.nodes, math=True), math=True)
    return _macro(node, math=math) if isinstance(node, Macro) else EMPTY


def _typeset(text: str) -> str:
    """Dashes and quotes of running text; a longer row of hyphens is a ruler and stays."""
    if "://" in text:
        return text
    text = re.sub(r"(?<!-)---(?!-)", "—", text)
    text = re.sub(r"(?<!-)--(?!-)", "–", text)
    return text.replace("``", "“").replace("''", "”").replace("`", "‘")


def _symbol(char: str) -> Piece:
    """A single character of a formula."""
    shown = {"-": "−", "'": "′"}.get(char, char)
    return literal(shown, "relation" if is_relation(shown) else "ordinary")


def _scripts(scripts: Sequence[Script], base: Piece) -> Piece:
    contents = [join(_pieces(node.nodes, math=True), math=True) for node in scripts]
    small = [script(content.plain, raised=node.raised) for content, node in zip(contents, scripts, strict=True)]
    linear = base.plain in LARGE or None in small
    shown = [
        scripted(content, raised=node.raised, small=None if linear else tiny)
        for node, content, tiny in zip(scripts, contents, small, strict=True)
    ]
    kind: Kind = "limits" if base.kind in {"name", "limits"} or base.plain in LARGE else "script"
    return Piece("".join(p.plain for p in shown), "".join(p.html for p in shown), kind)


# Macros


def _macro(node: Macro, *, math: bool) -> Piece:
    name, arguments = node.name, node.arguments
    if not arguments:
        return _bare(node, math=math)
    if name in ACCENTS:
        return accented(ACCENTS[name], _argument(arguments[0], math=math).plain)
    if name in STRUCTURES:
        return STRUCTURES[name]([_argument(nodes, math=math) for nodes in arguments])
    if name in TAGS or name in ALPHABETS:
        return _declared(name, _argument(arguments[0], math=math))
    if name in FUNCTIONS or name.startswith("operatorname"):
        return _named(_argument(arguments[0], math=math))
    if name not in ARGUMENTS and not any(arguments):
        return literal(name, "name")  # `\method{}`: an author's own name for something
    return join([_argument(nodes, math=math) for nodes in arguments], math=math)


def _argument(nodes: Sequence[Node], *, math: bool) -> Piece:
    return join(_pieces(nodes, math=math), math=math)


def _bare(node: Macro, *, math: bool) -> Piece:
    if node.name in FUNCTIONS:
        return literal(SYMBOLS.get(node.name) or node.name, "name")
    text = SYMBOLS.get(node.name, None if node.name else "\\")
    if text is None:
        return literal("" if node.name in SILENT else node.name, "name")
    if text == " ":
        return SPACE
    if text == "" and not math:
        return EMPTY
    kind: Kind = "relation" if math and is_relation(text) else "ordinary"
    return Piece(text, markup(text), kind, node.spaced)


def _declared(name: str, content: Piece) -> Piece:
    if name in ALPHABETS:
        shown = in_alphabet(ALPHABETS[name], content.plain)
        return literal(shown) if shown != content.plain else content
    return tagged(TAGS[name], content)


def _named(content: Piece) -> Piece:
    return Piece(content.plain, content.html, "name")
