"""What a feed found in a paper, marked on its page, whatever the text is like."""

from __future__ import annotations

import re

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as document_of

from services.publisher.cards import card
from services.publisher.latex import html, paragraphs
from services.publisher.latex_symbols import MARK_END, MARK_START
from services.publisher.marks import marked, places
from services.scorer.marking import marked as located
from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig, Term
from shared.messages import Paper, Reason, Span
from tests.builders import a_paper
from tests.entries import NASTY, PUBLIC_URL, an_entry
from tests.unit.test_latex import TEX

TAGS = {"sup", "sub", "i", "b", "code", "mark"}


def shown(text: str, *parts: str) -> str:
    """The text with the first place of each part marked."""
    spots = [(text.index(part), text.index(part) + len(part)) for part in parts]
    return "|".join(marked(text, spots, lambda source: [html(part) for part in paragraphs(source)]))


def reasons_of(paper: Paper, *keywords: str, author: str | None = None) -> tuple[Reason, ...]:
    """What the scorer says of the paper."""
    authors = (Term(author, 1.0, ("authors",)),) if author else ()
    feed = FeedConfig(slug="gpu", title="GPUs", keywords=tuple(map(Term, keywords)), authors=authors)
    (match,) = Scorer([feed]).matches(paper, "new")
    return located(paper, feed, match.reasons)


def a_reason(term: str, start: int, end: int, field: str = "title") -> Reason:
    return Reason.model_validate(
        {"term": term, "field": field, "weight": 1.0, "spans": [Span(field=field, start=start, end=end)]}
    )


@pytest.mark.parametrize(
    ("text", "parts", "markup"),
    [
        ("Fast GPUs & more", ["GPUs"], "Fast <mark>GPUs</mark> &amp; more"),
        ("An R&D lab", ["R&D"], "An <mark>R&amp;D</mark> lab"),
        ("of $x^2$ experts", ["experts"], "of x² <mark>experts</mark>"),
        ("H$_2$O ice", ["H$_2$O"], "<mark>H₂O</mark> ice"),
        ("for CO$_{max}$ now", ["CO$_{max}$"], "for <mark>CO<sub>max</sub></mark> now"),
        (r"\emph{self-attention} heads", ["attention"], "<i>self-<mark>attention</mark></i> heads"),
        (
            r"\emph{self-attention} heads",
            ["attention} heads"],
            "<i>self-<mark>attention</mark></i><mark> heads</mark>",
        ),
        (r"a \textbf{mixture} of experts", [r"\textbf{mixture}"], "a <mark><b>mixture</b></mark> of experts"),
        ('K\\"ahler metrics', ['K\\"ahler'], "<mark>Kähler</mark> metrics"),
        ("LLMs, LLM-agents", ["LLMs", "LLM-", "agents"], "<mark>LLMs</mark>, <mark>LLM-</mark><mark>agents</mark>"),
        ("at https://github.com/a/gpu_b now", ["gpu"], "at https://github.com/a/<mark>gpu</mark>_b now"),
        ("LLM.\n\nTwo\nexperts: $$x$$ LLM", ["LLM", "experts"], "<mark>LLM</mark>.|Two <mark>experts</mark>:|x|LLM"),
        ("使用量化", ["量化"], "使用<mark>量化</mark>"),
        ("``GPU'' and `GPU'", ["GPU"], "“<mark>GPU</mark>” and ‘GPU’"),
    ],
)  # fmt: skip
def test_a_place_is_marked_and_nothing_else_changes(text: str, parts: list[str], markup: str) -> None:
    assert shown(text, *parts) == markup


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("the $k$-NN graph", "k$-NN"),
        ("about $a$ and $b$ here", "$ and $"),
        (r"$\mathrm{GPU}$ time", "GPU"),
        (r"$x_\text{GPU}$ time", "GPU"),
        (r"with \(GPU\) time", "GPU"),
        (r"\cite{gpu} says", "gpu"),
        (r"an \alpha ray", "pha"),
        ("One LLM.\n\nLLM two", "LLM.\n\nLLM"),
        ("pre--training", "pre-"),
    ],
)
def test_a_mark_that_would_cross_a_formula_a_command_or_a_paragraph_is_left_out(text: str, part: str) -> None:
    assert shown(text, part) == "|".join(map(html, paragraphs(text)))


def test_a_mark_left_out_costs_no_other_mark() -> None:
    text = "GPU, $k$-NN, $a$ of LLMs"

    assert shown(text, "GPU", "k$-NN", "a$ of", "LLMs") == "<mark>GPU</mark>, k-NN, a of <mark>LLMs</mark>"


def test_signs_in_a_text_from_outside_mark_nothing() -> None:
    text = f"GPU {MARK_START}x{MARK_END}"

    assert "<mark>" not in shown(text) + shown(text, "GPU")


@given(TEX | st.text(max_size=60), st.lists(st.integers(0, 80), max_size=12))
def test_marks_change_no_text_and_add_no_other_tag(text: str, cuts: list[int]) -> None:
    edges = sorted(set(cuts))
    spots = list(zip(edges[::2], edges[1::2], strict=False))

    (markup,) = marked(text, spots, lambda source: [html(source)])

    usual = html(text).replace("\xa0", "&nbsp;")
    assert re.sub("</?mark>", "", markup) == usual
    assert nh3.clean(markup, tags=TAGS, attributes={}) == markup
    assert marked(text, spots, lambda source: [html(source)]) == [markup]


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("city", "cities"),
        ("mixture of experts", "Mixtures-of-\nexperts"),
        ("Kähler", 'K\\"ahler'),
        ("LLM", "LLMs"),
        ("pre-training", "pretraining"),
        ("movies", "movie"),
        ("量化", "量 化"),
    ],
)
def test_a_place_reads_like_its_term_in_any_spelling(term: str, text: str) -> None:
    assert places([a_reason(term, 0, len(text))], "title", [text]) == [(0, len(text))]


def test_places_that_overlap_are_one() -> None:
    reasons = [a_reason("language models", 6, 21), a_reason("large language", 0, 14), a_reason("LLM", 22, 25)]

    assert places(reasons, "title", ["large language models LLM"]) == [(0, 21), (22, 25)]


@pytest.mark.parametrize("text", ["A newer title about GPUs", "GP", "", "a GPU", "(GPUs)", "on xGPUs", "on GPUsx"])
def test_places_of_an_older_version_are_not_known(text: str) -> None:
    assert places([a_reason("GPU", 2, 6)], "title", [text]) is None


def test_an_author_who_moved_is_not_marked() -> None:
    reasons = [a_reason("Tri Dao", 1, 2, "authors")]

    assert places(reasons, "authors", ["A B", "Tri Dao"]) == [(1, 2)]
    assert places(reasons, "authors", ["Tri Dao", "A B"]) is None
    assert places(reasons, "authors", ["Tri Dao"]) is None


def test_a_card_marks_what_the_scorer_found() -> None:
    paper = a_paper(
        title="Mixtures of <Experts> for $x<y$",
        authors=("Someone & Co", "Tri Dao", "C"),
        abstract="A mixture of\nexperts, $k$-NN.\n\nTwo.",
    )
    reasons = reasons_of(paper, "mixture of experts", "k-NN", author="Tri Dao")

    made = card(an_entry(paper=paper, reasons=reasons), PUBLIC_URL)

    assert made.title == "<mark>Mixtures of &lt;Experts</mark>&gt; for x&lt;y"
    assert made.authors == "Someone &amp; Co, <mark>Tri Dao</mark>, C"
    assert made.abstract == ("A <mark>mixture of experts</mark>, k-NN.", "Two.")


def test_a_newer_text_is_marked_by_looking_for_the_words() -> None:
    old = a_paper(title="x", abstract="We speed up GPUs.")
    new = a_paper(title="x", abstract="In this version, GPUs are slower.")

    made = card(an_entry(paper=new, reasons=reasons_of(old, "GPU")), PUBLIC_URL)

    assert made.abstract == ("In this version, <mark>GPUs</mark> are slower.",)


def test_markup_from_outside_stays_text_between_marks() -> None:
    paper = a_paper(title=f"GPU {NASTY} GPU", abstract=f"{NASTY} GPU <mark>GPU</mark>", authors=(NASTY,))

    made = card(an_entry(paper=paper, reasons=reasons_of(paper, "GPU", "bold", "script", author=NASTY)), PUBLIC_URL)

    for markup in (made.title, made.authors, *made.abstract):
        assert {element.tag for element in document_of.fragment_fromstring(markup, "p")} <= {"mark"}
    assert made.abstract[0].endswith("<mark>GPU</mark> &lt;mark&gt;<mark>GPU</mark>&lt;/mark&gt;")
