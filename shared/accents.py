"""TeX accents (`Erd\\H{o}s`, `{\\o}`, `Fran\\c cois`) as Unicode letters; formulas stay as they are."""

from __future__ import annotations

import re
import unicodedata

# The letters that occur in names and words, by TeX accent. Anything else behind a backslash is no accent.
_ACCENTED = {
    "`": "àèìòùǹÀÈÌÒÙǸ",
    "'": "áéíóúýćǵḱĺḿńṕŕśẃźÁÉÍÓÚÝĆǴḰĹḾŃṔŔŚẂŹ",
    "^": "âêîôûĉĝĥĵŝŵŷÂÊÎÔÛĈĜĤĴŜŴŶ",
    '"': "äëïöüÿÄËÏÖÜŸ",
    "~": "ãĩñõũẽÃĨÑÕŨẼ",
    "=": "āēīōūȳĀĒĪŌŪȲ",
    ".": "ċėġżĊĖĠİŻ",
    "c": "çģķļņŗşţÇĢĶĻŅŖŞŢ",
    "v": "ǎčďěǐľňǒřšťǔžǰǧǩȟǍČĎĚǏĽŇǑŘŠŤǓŽǦǨȞ",
    "u": "ăĕğĭŏŭĂĔĞĬŎŬ",
    "H": "őűŐŰ",
    "k": "ąęįǫųĄĘĮǪŲ",
    "r": "åůÅŮ",
    "d": "ạḅḍẹḥịḳḷṃṇọṛṣṭụṿỵẓẠḄḌẸḤỊḲḶṂṆỌṚṢṬỤṾỴẒ",
    "b": "ḇḏḵḻṉṟṯẕḆḎḴḺṈṞṮẔ",
}
_LETTERS = {
    "ss": "ß", "SS": "ẞ", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "o": "ø", "O": "Ø",
    "l": "ł", "L": "Ł", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ",
    "ng": "ŋ", "NG": "Ŋ",
}  # fmt: skip
_COMPOSED = {
    (accent, unicodedata.normalize("NFD", letter)[0]): letter
    for accent, letters in _ACCENTED.items()
    for letter in letters
}

_DOTLESS = r"\\[ij](?![A-Za-z])\s*"
_BARE = rf"{_DOTLESS}|[A-Za-z]"
_BASE = rf"(?:\{{\s*(?:{_BARE})\s*\}}|{_BARE})"
_BASE_APART = rf"(?:\s*\{{\s*(?:{_BARE})\s*\}}|\s+(?:{_BARE})|{_DOTLESS})"
_PUNCTUATION = re.compile(r"[{}\s]")
_ACCENT = rf"\\[`'^\"~=.]\s*{_BASE}|\\[cvuHkrdb]{_BASE_APART}"
_LETTER = rf"\\(?:{'|'.join(sorted(_LETTERS, key=len, reverse=True))})(?![A-Za-z])"
_MATHEMATICS = r"\$\$.{0,4000}?\$\$|\$(?:\\.|[^$\\])*\$|\\\(.{0,4000}?\\\)|\\\[.{0,4000}?\\\]"
# `\~` right behind a slash is the home folder of an address (`edu/\~name`), no tilde on the next letter.
_TOKENS = re.compile(
    rf"{_MATHEMATICS}|\\[$\\]|(?<=/)\\~"
    rf"|(?P<accent>\{{\s*(?:{_ACCENT}|{_LETTER})\s*\}}|{_ACCENT}|{_LETTER}(?:\{{\}}|\s+)?)",
    re.DOTALL,
)


# Starts with a literal, so most texts are passed at the speed of a substring search.
_CANDIDATE = re.compile(rf"\\(?:[`'^\"~=.]|[cvuHkrdb][\s{{\\]|(?:{'|'.join(_LETTERS)})(?![A-Za-z]))")


def decode_accents(text: str) -> str:
    """The text with its TeX accents as Unicode; mathematics (`$…$`, `\\(…\\)`) and other commands untouched."""
    return _TOKENS.sub(_letter, text) if _CANDIDATE.search(text) else text


def _letter(token: re.Match[str]) -> str:
    if token.lastgroup is None:
        return token[0]
    name = token[0].lstrip("{ \n")[1:].rstrip("{} \n")
    if name in _LETTERS:
        return _LETTERS[name]
    base = _PUNCTUATION.sub("", name[1:]).removeprefix("\\")
    return _COMPOSED.get((name[0], base), token[0])
