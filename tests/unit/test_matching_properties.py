"""The automaton against a slow, obvious reference, and what must never depend on what."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.scorer.matching import Matcher
from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig, Term
from shared.messages import Match
from tests.builders import a_paper

PLURALS = {
    "network": "networks",
    "study": "studies",
    "box": "boxes",
    "expert": "experts",
    "attention": "attentions",
    "RL": "RLs",
    "LLM": "LLMs",
    "moe": "moes",
    "of": "of",
}
ACRONYMS = {"RL", "LLM"}
JOINERS = (" ", "-", "/", "\n", "\u00a0", "  ", " - ", "\u2013")
BREAKS = (", ", ". ", "; ", "\n(", ") ")
GLUE = ("", "x", "Flash", "7")
WORD = r"[^\W_]"


def reference(term: tuple[str, ...], text: str) -> bool:
    """The term as one regular expression."""
    if len(term) == 1 and term[0] in ACRONYMS:
        return re.search(rf"(?<!{WORD}){term[0]}s?(?!{WORD})", text) is not None
    forms = [f"(?:{word}|{PLURALS[word]})" for word in term]
    joined = r"[-/\s\u2013]+".join(forms)
    return re.search(rf"(?<!{WORD}){joined}(?!{WORD})", text, re.IGNORECASE) is not None


words = st.sampled_from(sorted(PLURALS))
terms = st.lists(words, min_size=1, max_size=3).map(tuple)
cases = st.sampled_from((str, str.upper, str.lower, str.capitalize))
written = st.builds(
    lambda glue, word, case, plural: glue + case(PLURALS[word] if plural else word),
    st.sampled_from((*GLUE, *("",) * 8)),
    words,
    cases,
    st.booleans(),
)
texts = st.lists(st.tuples(written, st.sampled_from(JOINERS * 3 + BREAKS)), max_size=12).map(
    lambda pieces: "".join(word + gap for word, gap in pieces)
)


@given(st.lists(terms, min_size=1, max_size=8, unique=True), texts)
def test_the_matcher_agrees_with_a_regular_expression_for_each_term(wanted: list[tuple[str, ...]], text: str) -> None:
    matcher = Matcher()
    meanings = {matcher.add_term(" ".join(term)): term for term in wanted}
    matcher.compile()

    finds = matcher.find([a_paper(title="?", abstract=text)])
    found = {meanings[meaning] for meaning in finds.meanings.tolist()}

    assert found == {term for term in wanted if reference(term, text)}


keywords = st.lists(
    st.builds(
        lambda words, weight, places: Term(" ".join(words), weight, places),
        terms,
        st.sampled_from((0.1, 0.5, 1.0, 2.7)),
        st.sampled_from((("title",), ("abstract",), ("title", "abstract"), ("authors", "title"))),
    ),
    max_size=6,
    unique_by=lambda term: term.text,
)
feeds = st.builds(
    lambda keywords, exclude, mode: FeedConfig(
        slug="a", title="A", keywords=tuple(keywords), exclude=tuple(exclude), match=mode, min_score=0.5
    ),
    keywords,
    keywords.map(lambda found: found[:1]),
    st.sampled_from(("words", "words", "arxiv_rss_bot")),
)
papers = st.builds(lambda title, abstract: a_paper(title=f"T {title}", abstract=abstract, authors=()), texts, texts)


def score_of(feed: FeedConfig, paper_matches: tuple[Match, ...]) -> Match | None:
    return next((match for match in paper_matches if match.feed == feed.slug), None)


@given(feeds, papers, st.randoms(use_true_random=False))
def test_the_order_of_terms_changes_no_score(feed, paper, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(feed.keywords)
    random.shuffle(shuffled)

    before = score_of(feed, Scorer([feed]).matches(paper, "new"))
    after = score_of(feed, Scorer([replace(feed, keywords=tuple(shuffled))]).matches(paper, "new"))

    assert (before and before.score) == (after and after.score)
    assert set(before.reasons if before else ()) == set(after.reasons if after else ())


@given(st.lists(feeds, min_size=2, max_size=4), papers, st.randoms(use_true_random=False))
def test_other_feeds_change_nothing_for_a_feed(configs, paper, random) -> None:  # type: ignore[no-untyped-def]
    named = [replace(feed, slug=f"feed-{number}") for number, feed in enumerate(configs)]
    shuffled = list(named)
    random.shuffle(shuffled)

    together = Scorer(shuffled).matches(paper, "new")

    for feed in named:
        assert score_of(feed, together) == score_of(feed, Scorer([feed]).matches(paper, "new"))
