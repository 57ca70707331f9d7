"""What TeX macros mean in Unicode, as tables: symbols, accents, alphabets, scripts and arguments."""

from __future__ import annotations

import unicodedata

from pylatexenc.latex2text import get_default_latex_context_db

MARK_START, MARK_END = "\U0010fffc", "\U0010fffd"
"""Set around a part of a running text, they come out around it in HTML; in a formula they vanish."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(pairs: str) -> dict[str, str]:
    """Name, text, name, text."""
    parts = pairs.split()
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _known_symbols() -> dict[str, str]:
    """pylatexenc's own table: the macros that it replaces by a fixed text."""
    specs = get_default_latex_context_db().iter_macro_specs()
    pairs = ((spec.macroname, spec.simplify_repl) for spec in specs)
    return {name: text for name, text in pairs if isinstance(text, str) and "%" not in text}


_BLANK = ", : ; > ~ quad qquad enspace thinspace newline linebreak par newpage hfill medskip smallskip bigskip space"
_LAYOUT = (
    "! - / @ left right middle limits nolimits noindent protect big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr bigm "
    "displaystyle textstyle scriptstyle scriptscriptstyle normalsize xspace tiny scriptsize footnotesize small large "
    "Large LARGE huge Huge centering rm sf sc normalfont mdseries upshape"
)
SYMBOLS: dict[str, str] = {
    **_known_symbols(),
    **dict.fromkeys([*words(_BLANK), " ", "\n", "\t", "\\"], " "),
    **dict.fromkeys(words(_LAYOUT), ""),
    **{char: char for char in "{}_&#%$[]()"},
    "colon": ": ",
    "item": "• ",
    **_table(
        "| ‖ Vert ‖ lVert ‖ rVert ‖ vert | lvert | rvert | mid | ne ≠ neq ≠ iff ⇔ implies ⇒ impliedby ⇐ to → gets ← "
        "prime ′ circ ∘ Box □ square □ blacksquare ■ qed □ Sha Ш textless < textgreater > degree ° "
        "textdegree ° sun ☉ sqcup ⊔ dots … ldots … cdots ⋯ dotsc … dotsb ⋯ vdots ⋮ ddots ⋱ cdot · i ı j ȷ imath ı "
        "jmath ȷ textpertenthousand ‱ And & slash / textendash – textemdash — textquotesingle ' "
        "textquoteright ’ LaTeX LaTeX TeX TeX lbrace { rbrace } lbrack [ rbrack ]"
    ),
}

FUNCTIONS = words(
    "log ln lg exp sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan arg det dim ker deg gcd lcm Pr "
    "hom mod bmod rank tr Tr max min sup inf lim limsup liminf argmax argmin sgn diag span supp"
)
"""Upright names in formulas: a space keeps them apart from their argument."""

LARGE = frozenset("∑∏∐∫∬∭∮⋃⋂⨁⨂⋁⋀") | {"lim", "max", "min", "sup", "inf", "limsup", "liminf", "argmax", "argmin"}
"""What carries limits, written in one line: `∑_(i=1)^n`."""

_NOT_RELATIONS = frozenset("∞∂∇∀∃∅∆¬⊤⊥√∑∏∐∫∬∭∮⋃⋂⨁⨂⋁⋀∠")

_COMBINING = _table(
    "` 0300 ' 0301 ^ 0302 ~ 0303 = 0304 u 0306 . 0307 \" 0308 r 030a H 030b v 030c d 0323 c 0327 k 0328 b 0331 t 0361 "
    "grave 0300 acute 0301 hat 0302 widehat 0302 tilde 0303 widetilde 0303 bar 0304 overline 0305 breve 0306 dot 0307 "
    "ddot 0308 mathring 030a check 030c widecheck 030c vec 20d7 overrightarrow 20d7 underline 0332 underbar 0332 "
    "slashed 0338 not 0338 cancel 0338"
)
ACCENTS: dict[str, str] = {name: chr(int(code, 16)) for name, code in _COMBINING.items()}

ALPHABETS = _table(
    "mathbb DOUBLE-STRUCK Bbb DOUBLE-STRUCK mathds DOUBLE-STRUCK mathcal SCRIPT cal SCRIPT mathscr SCRIPT scr SCRIPT "
    "mathfrak FRAKTUR frak FRAKTUR gothic FRAKTUR"
)
"""Letter shapes that carry meaning in mathematics; bold and italic do not survive as characters."""

TAGS = {
    **dict.fromkeys(("textbf", "mathbf", "bf", "bm", "boldsymbol", "pmb", "bfseries", "strong"), "b"),
    **dict.fromkeys(("emph", "textit", "textsl", "em", "it", "sl", "itshape"), "i"),
    **dict.fromkeys(("texttt", "mathtt", "tt", "ttfamily", "verb", "lstinline"), "code"),
}
"""Macros whose content keeps its emphasis in HTML."""

DECLARATIONS = frozenset({"bf", "em", "it", "sl", "tt", "cal", "scr", "frak", "bfseries", "itshape", "ttfamily"})
"""Font switches that hold until the end of their group."""

_CONTENT = words(
    "text textrm textsc textsf textnormal textmd textup mbox hbox mathrm mathsf mathit mathnormal operatorname "
    "ensuremath underbrace overbrace mathop mathrel mathbin mathord smash phantom uline fbox boxed "
    "textsubscript textsuperscript substack pmod footnote abs norm ket bra num si unit textquote enquote"
)
_IGNORED = "label ref eqref cref Cref autoref color vspace hspace begin end vskip hskip pagestyle thanks url unicode"
_CITATIONS = "cite citep citet citealt citealp citeauthor citeyear nocite parencite textcite footcite"

ARGUMENTS: dict[str, str] = {
    **dict.fromkeys((*_CONTENT, *((TAGS.keys() | ALPHABETS.keys()) - DECLARATIONS), *ACCENTS), "m"),
    **dict.fromkeys(words(_IGNORED), "v"),
    **dict.fromkeys(words(_CITATIONS), "oov"),
    **dict.fromkeys(words("frac dfrac tfrac cfrac sfrac nicefrac binom dbinom tbinom overset underset stackrel"), "mm"),
    "sqrt": "om",
    "href": "vm",
    "textcolor": "vm",
    "ion": "mm",
    "SI": "omm",
    "qty": "omm",
    "ce": "v",
    "texorpdfstring": "mm",
    "rule": "vv",
    "foreignlanguage": "vm",
    "operatorname*": "m",
    "braket": "m",
}
"""How many arguments a macro takes: `m` is rendered, `v` is taken as written, `o` is optional and as written."""

TEXT_ARGUMENTS = words(
    "text textrm textsc textsf textnormal textmd textup mbox hbox textbf emph textit textsl texttt footnote"
)
"""Macros whose argument is text although they may stand in a formula."""

_SUPERSCRIPT_LETTERS = dict(zip("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True)) | dict(
    zip("ABDEGHIJKLMNOPRTUVWβγδθφχ", "ᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ", strict=True)
)
SUPERSCRIPTS = _SUPERSCRIPT_LETTERS | dict(zip("0123456789+−-()′*†°∘∗⊤", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾′*†°°*ᵀ", strict=True))
SUBSCRIPTS = dict(zip("aehijklmnoprstuvxβγρφχ", "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True)) | dict(
    zip("0123456789+−-()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎", strict=True)
)
ORDINALS = frozenset({"st", "nd", "rd", "th"})


def is_relation(text: str) -> bool:
    """Whether that symbol stands between two things: `=`, `→`, `×`, but not `∞`."""
    return text in {"·", "|", "∗", "⋆"} or (
        len(text) == 1 and unicodedata.category(text) == "Sm" and text not in _NOT_RELATIONS
    )


def in_alphabet(alphabet: str, text: str) -> str:
    """The text in that mathematical alphabet, as far as Unicode has it: `R` → `ℝ`."""
    return "".join(_letter(alphabet, char) for char in text)


def _letter(alphabet: str, char: str) -> str:
    if not (char.isascii() and char.isalnum()):
        return char
    kind = "DIGIT" if char.isdigit() else "CAPITAL" if char.isupper() else "SMALL"
    name = unicodedata.name(char).rsplit(" ", 1)[1]
    letterlike = "BLACK-LETTER" if alphabet == "FRAKTUR" else alphabet
    for full in (f"{letterlike} {kind} {name}", f"MATHEMATICAL {alphabet} {kind} {name}"):
        try:
            return unicodedata.lookup(full)
        except KeyError:
            continue
    return char


def script(text: str, *, raised: bool) -> str | None:
    """The text as Unicode super- or subscript; None where it would not read well or not exist.

    Words stay words: more than one letter of tiny Unicode is missing from many fonts, and unreadable in all.
    """
    table = SUPERSCRIPTS if raised else SUBSCRIPTS
    letters = sum(char.isalpha() for char in text)
    if (letters > 1 and not (raised and text in ORDINALS)) or not all(char in table for char in text):
        return None
    return "".join(table[char] for char in text)
