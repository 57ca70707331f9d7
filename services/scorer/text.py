"""One form for every text and term, so that whole words and phrases are found by plain comparison.

`"Mixture-of-\\nexperts (MoE): a survey."` becomes `" Mixture of experts | MoE | a survey "`: words without accents
between single spaces, with a mark where a clause ends, which no phrase crosses. Letters keep their case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import product

LONGEST_ACRONYM = 5
MOST_SPELLINGS = 16  # of one term; a longer phrase is plural tolerant in its last word only

CLAUSE_END = "|"
ENDS_CLAUSE = ".,;:!?()[]|"
QUOTES = "\"'`$‘’“”"  # they vanish: "k"-NN and $k$-NN are k NN
SIGNS = "+#*"  # part of the word in C++, C# and A*
NO_NOUNS = frozenset(
    ("a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "no", "of", "on", "or", "the", "to", "via", "with")
)
OTHER_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE"}
    | {"œ": "oe", "Œ": "OE", "ı": "i", "ς": "σ"}
)
INVISIBLE = frozenset("\u00ad\u200c\u200d\u2060\ufeff")
BEYOND_ASCII = re.compile("[\x80-\U0010ffff]+")
POINT_IN_NUMBER = re.compile(r"\.(?=\d)(?<=\d\.)")
SPACES = re.compile("  +")
SIGN_RUN = re.compile(r"[+#*]+")
POINT = "\x01"  # stands for the point of GPT-4.5 while all others end a clause
SECTION = "\x02"  # between title and abstract; it survives like a word


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
    """Accents off, wide letters and ligatures plain, punctuation to spaces."""
    bare = unicodedata.normalize("NFKD", run.translate(OTHER_LETTERS))
    letters = "".join(
        letter if letter.isalnum() or unicodedata.category(letter)[0] == "M" else _plain(letter)
        for letter in bare
        if letter not in INVISIBLE and not "\u0300" <= letter <= "\u036f"
    )
    return unicodedata.normalize("NFC", letters)


def _keep_word_signs(run: re.Match[str]) -> str:
    """`C++`, `C#`, `A*` keep their signs; `LLM+RL`, `*very*` and `#1` lose them."""
    text, start, end = run.string, run.start(), run.end()
    after_word = start > 0 and text[start - 1].isalnum()
    before_word = end < len(text) and text[end].isalnum()
    if not after_word or before_word:
        return " "
    of_one_letter = start == 1 or not text[start - 2].isalnum()
    return run[0] if "*" not in run[0] or of_one_letter else " "


def spaced(text: str) -> str:
    """The text as words between single spaces, with a space before and after."""
    if not text.isascii():
        text = BEYOND_ASCII.sub(lambda run: _beyond_ascii(run[0]), text)
    text = POINT_IN_NUMBER.sub(POINT, text)
    text = text.encode().translate(PLAIN, GONE).decode()
    if "+" in text or "#" in text or "*" in text:
        text = SIGN_RUN.sub(_keep_word_signs, text)
    clauses = f" {CLAUSE_END} ".join(filter(None, map(str.strip, text.split(CLAUSE_END))))
    if "  " in clauses:
        clauses = SPACES.sub(" ", clauses)
    return f" {clauses} ".replace(POINT, ".")


def spaced_names(names: Iterable[str]) -> str:
    """Names in lower case, each between two marks: `"| tri dao | daniel y fu |"`."""
    joined = CLAUSE_END.join(names).replace(".", " ").replace(",", " ")
    return f"{CLAUSE_END}{spaced(joined).lower()}{CLAUSE_END}"


def acronym(term: str) -> str | None:
    """`RL` of the terms `RL` and `RLs`. `Rl`, `FP8`, `As` and words of six letters are none."""
    bare = term[:-1] if len(term) > 2 and term[-1] == "s" else term
    return bare if len(bare) <= LONGEST_ACRONYM and bare.isalpha() and bare.isupper() else None


def singulars(word: str) -> list[str]:
    """What the word may be the plural of: `studies` of `study`, `movies` of `movie`, `boxes` of `box`."""
    if len(word) < 4 or word[-1] != "s" or word[-2] in "sui":
        return []
    found = [word[:-1]]
    if word.endswith("ies") and len(word) > 4:
        found.append(f"{word[:-3]}y")
    elif word.endswith(("ses", "xes", "zes", "oes", "ches", "shes")):
        found.append(word[:-2])
    return found


def plurals(word: str) -> list[str]:
    """How the word's plural may be written; single letters, numbers and prepositions have none."""
    if len(word) < 2 or not word[-1].isalpha() or word in NO_NOUNS:
        return []
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return [f"{word}es"]
    if word[-1] == "y" and word[-2] not in "aeiou":
        return [f"{word[:-1]}ies"]
    return [f"{word}s", f"{word}es"] if word[-1] == "o" else [f"{word}s"]


def in_both_numbers(word: str) -> frozenset[str]:
    """The word in singular and plural, whichever of them is given."""
    bases = [word, *singulars(word)]
    return frozenset(bases).union(*map(plurals, bases))


def spellings(term: str) -> frozenset[str]:
    """Every way to write the term, as it stands in a spaced text of lower case."""
    words = [word for word in spaced(term).lower().split() if word != CLAUSE_END]
    forms = [in_both_numbers(word) for word in words]
    count = 1
    for form in forms:
        count *= len(form)
    if count > MOST_SPELLINGS:
        forms[:-1] = [frozenset({word}) for word in words[:-1]]
    return frozenset(f" {' '.join(phrase)} " for phrase in product(*forms))
