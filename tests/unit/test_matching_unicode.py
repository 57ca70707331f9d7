"""The matcher against a slow and obvious one, letter by letter and word by word, on texts of many scripts."""

from __future__ import annotations

import unicodedata
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from services.scorer.matching import Matcher
from services.scorer.spelling import is_unspaced, spellings
from services.scorer.text import plain, words_of
from tests.builders import a_paper

UNSPACED = ("THAI", "LAO ", "KHMER", "MYANMAR", "HIRAGANA", "KATAKANA", "CJK UNIFIED", "CJK COMPAT", "IDEOGRAPHIC ITER")
VANISH = "\"'`$‘’“”{}\u00ad\u200c\u200d\u2060\ufeff"
LETTERS = {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "đ": "d", "ς": "σ"}


def letters(character: str) -> str:
    """The character as the matcher should read it: its letters, a blank, a bar, or nothing."""
    read = ""
    for one in unicodedata.normalize("NFKD", LETTERS.get(character, character)):
        if one in VANISH or (unicodedata.combining(one) and 0x300 <= ord(one) <= 0x36F):
            continue
        if one in ".,;:!?()[]|、。":
            read += "|"
        elif one.isalnum() or unicodedata.category(one).startswith("M"):
            read += one
        else:
            read += " "
    return read


def is_point(text: str, place: int) -> bool:
    """A point between two digits."""
    around = text[place - 1 : place] + text[place + 1 : place + 2]
    return text[place] == "." and len(around) == 2 and all(one in "0123456789" for one in around)


def unspaced(letter: str) -> bool:
    """Whether the letter is of a script that sets no spaces."""
    return unicodedata.name(letter, "").startswith(UNSPACED)


def slow_words(text: str) -> list[str]:
    """The words, letter by letter; what has no spaces is one word, even where a space or a line's end is in it."""
    read = "".join("\x01" if is_point(text, place) else letters(one) for place, one in enumerate(text))
    words: list[str] = []
    for token in read.replace("|", " | ").split():
        for has_spaces, run in groupby(token, key=lambda letter: not unspaced(letter)):
            if words and not has_spaces and unspaced(words[-1][-1]):
                words[-1] += "".join(run)
            else:
                words.append("".join(run))
    return [word.replace("\x01", ".") for word in words]


SOME = (
    "aébcdX LLM 4.5, (naïve) Straße ﬁne Ångström über\u00a0öl\tno\nна сети 模型量化、深度 学习 かな ไทย –—-/ K \u0301 ł"
)
texts = st.text(st.sampled_from(SOME), max_size=60)


@given(texts)
def test_a_text_has_the_words_that_are_read_letter_by_letter(text: str) -> None:
    assert [word.replace("\x01", ".") for word in words_of(plain(text))] == slow_words(text)


WORDS = "LLM LLMs model models naïve naive Straße сеть СЕТЬ 模型 量化 深度 かな C++ GPT-4 GPT-4.5 mixture of experts"
pieces = st.sampled_from([*WORDS.split(), "pre-training", "pretraining", "Ångström", "x" * 33, "ω", "omega", "self"])
joints = st.sampled_from(["", " ", " ", " ", "-", "\n", "\u00a0", ", ", ". ", "、", "("])
texts_of_pieces = st.lists(st.tuples(pieces, joints), max_size=12).map(
    lambda parts: "".join(piece + joint for piece, joint in parts)
)
terms = st.lists(pieces, min_size=1, max_size=3).map(" ".join)


def naive(term: str, text: str) -> bool:
    """Every way to write it, at every word."""
    words = words_of(plain(text))
    low = [word.lower() for word in words]
    if term.strip("s").isupper() and term.isalpha() and len(term.removesuffix("s")) <= 5:
        return any(word in (term.removesuffix("s"), f"{term.removesuffix('s')}s") for word in words)
    if is_unspaced(term):
        line = f" {' '.join(low)} "
        return any(_bordered(spelling) in line for spelling in spellings(term))
    wanted = [spelling.split() for spelling in spellings(term)]
    return any(low[start : start + len(some)] == some for some in wanted for start in range(len(low)))


def _bordered(spelling: str) -> str:
    before = "" if is_unspaced(spelling[0]) else " "
    return before + spelling + ("" if is_unspaced(spelling[-1]) else " ")


@given(
    st.lists(terms, min_size=1, max_size=8, unique=True),
    st.lists(st.tuples(texts_of_pieces, texts_of_pieces), max_size=4),
)
def test_many_papers_at_once_have_what_each_has_alone(wanted: list[str], papers: list[tuple[str, str]]) -> None:
    matcher = Matcher()
    meanings = {term: matcher.add_term(term) for term in wanted}
    matcher.compile()

    finds = matcher.find([a_paper(title=f"T {title}", abstract=abstract) for title, abstract in papers])

    for number, (title, abstract) in enumerate(papers):
        found = finds.of(number)
        for term, meaning in meanings.items():
            assert (meaning in found.at("title")) == naive(term, f"T {title}")
            assert (meaning in found.at("abstract")) == naive(term, abstract)


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=20), max_size=4))
def test_no_text_and_no_term_is_a_stumbling_block(text: str, wanted: list[str]) -> None:
    matcher = Matcher()
    for term in wanted:
        if any(letter.isalnum() for letter in term):
            matcher.add_term(term, in_comments=True)
            matcher.add_name(term)
            matcher.add_substring(term)
            matcher.add_category(term)
    matcher.compile()

    matcher.find([a_paper(title=text or "?", abstract=text, comment=text, authors=(text,), categories=(text,))])
