"""How a term may be written in a paper: singular or plural, in one word or with a hyphen, in capitals or not."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from services.scorer.text import CLAUSE_END, UNSPACED, plain, words_of

LONGEST_ACRONYM = 5
MOST_SPELLINGS = 16  # of one term; a longer phrase is plural tolerant in its last word only

NO_NOUNS = frozenset(
    ("a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "no", "of", "on", "or", "the", "to", "via", "with")
)
SINGULAR_IN_S = ("as", "os", "ens")  # bias, chaos, lens
# Not "over" and "cross", which stand before words by themselves: "over time" is no overtime.
PREFIX = re.compile(
    "(anti|auto|fine|hyper|inter|intra|meta|micro|multi|non|post|pre|pseudo|quasi|self|semi|sub|super|ultra)([a-z]{4,})"
)
UNSPACED_LETTER = re.compile(f"[{UNSPACED}]")
COMPOUND = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")


def acronym(term: str) -> str | None:
    """`RL` of the terms `RL` and `RLs`. `Rl`, `FP8`, `As` and words of six letters are none."""
    bare = term[:-1] if len(term) > 2 and term[-1] == "s" else term
    capitals = bare.isalpha() and bare.isupper() and not is_unspaced(bare)
    return plain(bare) if capitals and len(bare) <= LONGEST_ACRONYM else None


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
    """How the word's plural may be written; single letters, numbers, prepositions and other scripts have none."""
    if len(word) < 2 or not "a" <= word[-1] <= "z" or word in NO_NOUNS:
        return []
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return [f"{word}es"]
    if word[-1] == "y" and word[-2] not in "aeiou":
        return [f"{word[:-1]}ies"]
    return [f"{word}s", f"{word}es"] if word[-1] == "o" else [f"{word}s"]


@lru_cache(maxsize=4096)
def in_both_numbers(word: str) -> frozenset[str]:
    """The word in singular and plural, whichever of them is given."""
    found = singulars(word)
    bases = found if found and not word.endswith(SINGULAR_IN_S) else [word, *found]
    return frozenset([word, *bases]).union(*map(plurals, bases))


def in_one_or_two(word: str) -> frozenset[str]:
    """The word in both numbers; `multimodal` is `multi modal` as well, which is how `multi-modal` reads."""
    forms = in_both_numbers(word)
    parts = PREFIX.fullmatch(word)
    return forms.union(f"{parts[1]} {base}" for base in in_both_numbers(parts[2])) if parts else forms


def spellings(term: str) -> frozenset[str]:
    """Every way to write the term, in lower case, words between single spaces."""
    found = _spellings(term)
    # `pre-training` is `pretraining` as well
    return found | _spellings(COMPOUND.sub("", term)) if term.count("-") == 1 else found


def _spellings(term: str) -> frozenset[str]:
    said = [word for word in words_of(plain(term).lower()) if word != CLAUSE_END]
    forms = [in_one_or_two(word) for word in said]
    count = 1
    for form in forms:
        count *= len(form)
    if count > MOST_SPELLINGS:
        forms[:-1] = [frozenset({word}) for word in said[:-1]]
    return frozenset(" ".join(phrase) for phrase in product(*forms))


def is_unspaced(text: str) -> bool:
    """Whether there is a letter of a script that sets no spaces between words."""
    return not text.isascii() and UNSPACED_LETTER.search(text) is not None


def with_borders(spelling: str) -> str:
    """With a space at each end where the script sets one, so that it is found as a whole word there."""
    before, after = ("" if UNSPACED_LETTER.match(letter) else " " for letter in (spelling[0], spelling[-1]))
    return f"{before}{spelling}{after}"
