"""Where the terms of a chosen paper stand, for a page that marks them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.marking import MOST_SPANS, located, marked
from services.scorer.scoring import Scorer
from services.scorer.text import plain, words_of
from shared.feeds import FeedConfig, Term
from shared.messages import Paper, Reason
from tests.builders import a_paper


def a_feed(*keywords: str | Term, **changes: Any) -> FeedConfig:
    terms = tuple(Term(keyword) if isinstance(keyword, str) else keyword for keyword in keywords)
    return FeedConfig(**{"slug": "a", "title": "A", "keywords": terms} | changes)


def marks(feed: FeedConfig, paper: Paper) -> list[str]:
    """What is marked, part by part."""
    (match,) = Scorer([feed]).matches(paper, "new")
    texts = {"title": paper.title, "abstract": paper.abstract, "comment": paper.comment or ""}
    items = {"authors": paper.authors, "categories": paper.categories}
    found = []
    for reason in marked(paper, feed, match.reasons):
        for span in reason.spans:
            part = texts.get(span.field) or "+".join(items.get(span.field, ())[span.start : span.end])
            found.append(part[span.start : span.end] if span.field in texts else part)
    return found


@pytest.mark.parametrize(
    ("term", "text", "marked_text"),
    [
        ("LLM", "(LLMs), an LLM-based llm", ["LLMs", "LLM"]),
        (
            "mixture of experts",
            "A Mixture-of-\nexperts layer, mixtures of experts.",
            ["Mixture-of-\nexperts", "mixtures of experts"],
        ),
        ("attention", "self-attention and FlashAttention", ["attention"]),
        ("Kähler", 'K\\"ahler; Ka\u0308hler, Kahler', ['K\\"ahler', "Ka\u0308hler", "Kahler"]),
        ("C++", "in C++.", ["C++"]),
        ("GPT-4", "GPT-4, GPT-4.5", ["GPT-4"]),
        ("pre-training", "pretraining pre-training", ["pretraining", "pre-training"]),
        ("k-NN", "the $k$-NN graph", ["k$-NN"]),
        ("expert", "\\emph{expert} knowledge", ["expert"]),
        ("量化", "使用LLM的量 化方法", ["量 化"]),
        ("language model", "languages. Models of language models", ["language models"]),
    ],
)
def test_what_was_found_is_marked_as_it_is_written(term: str, text: str, marked_text: list[str]) -> None:
    assert marks(a_feed(term), a_paper(title="Untitled", abstract=text)) == marked_text


def test_a_term_is_marked_in_all_its_places() -> None:
    paper = a_paper(title="Faster LLMs", abstract="An LLM is LLM.", comment="LLM")

    assert marks(a_feed(Term("LLM", places=("title", "abstract", "comment"))), paper) == ["LLM", "LLM", "LLM", "LLMs"]


def test_authors_and_categories_are_marked_by_their_number() -> None:
    paper = a_paper(title="x", authors=("Someone Else", "Tri Dao"), categories=("stat.ML", "cs.LG"))
    feed = a_feed(Term("cs", places=("categories",)), authors=(Term("Tri Dao", 1.0, ("authors",)),))

    assert sorted(marks(feed, paper)) == ["Tri Dao", "cs.LG"]


def test_the_compatibility_mode_marks_parts_of_words_in_the_first_line() -> None:
    feed = a_feed("RL", match="arxiv_rss_bot", announce=("new",))

    assert marks(feed, a_paper(title="World", abstract="early\nRL")) == ["rl", "rl"]


def test_other_reasons_stay_as_they_are() -> None:
    reason = Reason(term="abs:pruning", field="search", weight=1.0)

    assert marked(a_paper(), a_feed("x", search="abs:pruning"), (reason,)) == (reason,)


@given(st.text(st.sampled_from("ab B-+#*.,$\\{}\"'éαß|\u00a0\n4"), max_size=40))
def test_located_words_are_the_words_of_the_text(text: str) -> None:
    words, _ = located(text)

    assert all(0 <= one.start < one.end <= len(text) for one in words)
    assert [one.start for one in words] == sorted(one.start for one in words)
    if "\\" not in text and not {"+", "#", "*"} & set(text):
        assert [one.word for one in words] == words_of(plain(text))


def test_a_word_without_end_is_marked_in_pieces_and_keeps_nobody_waiting() -> None:
    chain = "-" * 2000 + "LLM-" * 2000 + "\\'" * 2000
    (reason,) = marked(a_paper(title="x", abstract=chain), a_feed("LLM"), (a_reason("LLM"),))
    assert len(reason.spans) == MOST_SPANS
    assert {chain[span.start : span.end] for span in reason.spans} == {"LLM"}


def test_a_term_that_stands_everywhere_is_marked_at_its_first_places_and_in_the_title() -> None:
    paper = a_paper(title="LLM", abstract="LLM " * 2000)
    (reason,) = marked(paper, a_feed("LLM"), (a_reason("LLM"),))
    assert len(reason.spans) == MOST_SPANS
    assert [span.field for span in reason.spans].count("title") == 1
    assert max(span.start for span in reason.spans) == 4 * (MOST_SPANS - 2)


@pytest.mark.parametrize("text", ["see https://example.org/" + "part/" * 20 + "LLM/end", "(" * 100 + "LLM)"])
def test_a_term_at_the_end_of_a_long_address_is_marked(text: str) -> None:
    (reason,) = marked(a_paper(title="x", abstract=text), a_feed("LLM"), (a_reason("LLM"),))
    assert [text[span.start : span.end] for span in reason.spans] == ["LLM"]


def a_reason(term: str) -> Reason:
    return Reason(term=term, field="abstract", weight=1.0)
