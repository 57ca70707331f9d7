"""One form for every text and term, so that whole words and phrases are found by plain comparison.

`"Mixture-of-\\nexperts (MoE): a survey."` becomes `Mixture of experts | MoE | | a survey |`: words without accents, and
marks where a clause ends, which no phrase crosses. Letters keep their case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from services.scorer.tex import without_tex

CLAUSE_END = "|"
ENDS_CLAUSE = ".,;:!?()[]|、。"
QUOTES = "\"'`$‘’“”{}"  # they vanish: "k"-NN and $k$-NN are k NN, {LLM}s are LLMs
SIGNS = "+#*"  # part of the word in C++, C# and A*
OTHER_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE"}
    | {"œ": "oe", "Œ": "OE", "ı": "i", "ς": "σ"}
)
INVISIBLE = frozenset("\u00ad\u200c\u200d\u2060\ufeff")
BEYOND_ASCII = re.compile("[\x80-\U0010ffff]+")
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # kana and Chinese characters
)
"""Scripts that set no spaces between words: what is looked for in them may stand inside a text."""
UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")
GAP_IN_UNSPACED = re.compile(f"(?<=[{UNSPACED}]) +(?=[{UNSPACED}])")
GREEK = re.compile("[\u0370-\u03ff]+")
POINT_IN_NUMBER = re.compile(r"\.(?=\d)(?<=\d\.)")
SIGN_RUNS = tuple(re.compile(rf"\{sign}[+#*]*") for sign in SIGNS)  # one by one: a fixed first letter is found fast
POINT = "\x01"  # stands for the point of GPT-4.5; all others end a clause
SECTION = "\x02"  # between title, abstract and comment; it survives like a word


def _plain(character: str) -> str:
    if character.isalnum() or character in SIGNS or character in (POINT, SECTION):
        return character
    if character in QUOTES:
        return ""
    return CLAUSE_END if character in ENDS_CLAUSE else " "


ASCII = "".join(map(chr, range(128)))
PLAIN = bytes.maketrans(ASCII.encode(), "".join(_plain(letter) or " " for letter in ASCII).encode())  # UTF-8 stays
GONE = "".join(letter for letter in ASCII if not _plain(letter)).encode()


@lru_cache(maxsize=4096)
def _beyond_ascii(run: str) -> str:
    """Accents off, wide letters and ligatures plain, punctuation to spaces, a Greek letter by its name."""
    bare = unicodedata.normalize("NFKD", run.translate(OTHER_LETTERS))
    letters = "".join(
        letter if letter.isalnum() or unicodedata.category(letter)[0] == "M" else _plain(letter)
        for letter in bare
        if letter not in INVISIBLE and not "\u0300" <= letter <= "\u036f"
    )
    return UNSPACED_RUN.sub(r" \g<0> ", GREEK.sub(_greek, unicodedata.normalize("NFC", letters)))


def _greek(letters: re.Match[str]) -> str:
    """`α` is `alpha`, as in TeX; two letters and more are a word."""
    letter = letters[0]
    name = unicodedata.name(letter, "") if len(letter) == 1 else ""
    if " LETTER " not in name:
        return letter
    word = name.rpartition(" LETTER ")[2].partition(" ")[0].lower().replace("lamda", "lambda")
    return word.capitalize() if letter.isupper() else word


def _keep_word_signs(run: re.Match[str]) -> str:
    """`C++`, `C#`, `A*` keep their signs; `LLM+RL`, `*very*` and `#1` lose them."""
    text, start, end = run.string, run.start(), run.end()
    after_word = start > 0 and text[start - 1].isalnum()
    before_word = end < len(text) and text[end].isalnum()
    if not after_word or before_word:
        return " "
    of_one_letter = start == 1 or not text[start - 2].isalnum()
    return run[0] if "*" not in run[0] or of_one_letter else " "


def plain(text: str) -> str:
    """The text as words between spaces and the marks of clauses' ends."""
    if "\\" in text:
        text = without_tex(text)
    text = POINT_IN_NUMBER.sub(POINT, text)
    scripts = not text.isascii()
    if scripts:
        text = BEYOND_ASCII.sub(lambda run: _beyond_ascii(run[0]), text)
    text = text.encode().translate(PLAIN, GONE).decode()
    for sign, run in zip(SIGNS, SIGN_RUNS, strict=True):
        if sign in text:
            text = run.sub(_keep_word_signs, text)
    return GAP_IN_UNSPACED.sub("", text) if scripts and UNSPACED_RUN.search(text) else text


def words_of(text: str) -> list[str]:
    """The words and marks of a plain text."""
    return text.replace(CLAUSE_END, f" {CLAUSE_END} ").replace(SECTION, f" {SECTION} ").split()


def plain_names(names: Iterable[str]) -> str:
    """Names in lower case, each between two marks: `|tri dao||daniel y  fu|`."""
    joined = "||".join(names).replace(".", " ").replace(",", " ").replace(SECTION, " ")
    return plain(f"|{joined}|").lower()
