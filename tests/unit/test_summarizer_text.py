from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.summarizer.text import fold, plain, sentences, shorten


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("We use models, e.g. BERT. It works.", ["We use models, e.g. BERT.", "It works."]),
        ("As Smith et al. Showed, it is so.", ["As Smith et al. Showed, it is so."]),
        ("This follows Smith et al. We extend it.", ["This follows Smith et al.", "We extend it."]),
        ("See Fig. 3 and Eq. (2). Done.", ["See Fig. 3 and Eq. (2).", "Done."]),
        ("It gains 3.5 points. Good.", ["It gains 3.5 points.", "Good."]),
        ("J. R. Smith proved it. Then more.", ["J. R. Smith proved it.", "Then more."]),
        ("It holds in the U.S. market. Yes.", ["It holds in the U.S. market.", "Yes."]),
        ("Let $f(x. Y) = 0. Z$ hold. Then it ends.", ["Let $f(x. Y) = 0. Z$ hold.", "Then it ends."]),
        ("It is so. $X$ is a space.", ["It is so.", "$X$ is a space."]),
        ("A vs. B is open.\nWe solve it.", ["A vs. B is open.", "We solve it."]),
        ("Shapes, colours, etc. We count them.", ["Shapes, colours, etc.", "We count them."]),
        ('He said "no." She left.', ['He said "no."', "She left."]),
        ("GPT-4. (i) It reads. (ii) It writes.", ["GPT-4.", "(i) It reads.", "(ii) It writes."]),
        ("i.i.d. Gaussian noise is added.", ["i.i.d. Gaussian noise is added."]),
        ("我们提出方法。结果很好。", ["我们提出方法。", "结果很好。"]),
        ("no full stop", ["no full stop"]),
        ("  \n ", []),
    ],
)
def test_sentences_end_where_a_reader_says_so(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(max_size=300))
def test_no_word_is_lost_between_sentences(text: str) -> None:
    assert "".join(sentences(text)).replace(" ", "") == fold(text).replace(" ", "")


@given(st.text(min_size=1, max_size=300), st.integers(10, 200))
def test_a_shortened_text_is_never_too_long(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Short enough.", 20, "Short enough."),
        ("First sentence here. Second one is long.", 25, "First sentence here."),
        ("One very long sentence without an end", 20, "One very long…"),
        ("The bound is at most $O(n^2 + n)$ here", 30, "The bound is at most…"),
        ("我们提出了一种新的方法来解决这个问题", 8, "我们提出了一种…"),
    ],
)
def test_a_text_is_cut_at_a_sentence_or_a_word_never_in_a_formula(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A <b>bold</b> claim<br/>with <a href='javascript:x'>link</a>", "A bold claimwith link"),
        ("<script>alert(1)</script>Text<img src=x onerror=y>", "Text"),
        ("**Bold** and `code` and *so*", "Bold and code and so"),
        ("See [the page](https://evil.example/x).", "See the page."),
        ("- one\n- two", "one two"),
        ("## Result\nfine", "Result fine"),
        ("A* search beats D* search", "A* search beats D* search"),
        ("snake_case_name and 2 ** 3 and $x^*$", "snake_case_name and 2 ** 3 and $x^*$"),
        ("uses <think> blocks and <time> tags", "uses <think> blocks and <time> tags"),
        ("if a < b and c > d", "if a < b and c > d"),
    ],
)
def test_plain_text_has_no_markup(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_invisible_characters_do_not_survive() -> None:
    assert fold("a\x00b\x08c\u202ed\ud800e\u200bf\ufeff  g\n\th\x85i") == "abcdef g h i"
