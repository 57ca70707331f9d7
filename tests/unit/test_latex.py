"""What readers see of TeX."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publisher.latex import html, paragraphs, plain

TITLES = json.loads((Path(__file__).parents[1] / "data/papers/latex_titles.json").read_text(encoding="utf-8"))
TAGS = {"sup", "sub", "i", "b", "code"}
MARKS = r"""\ $ { } ^ _ ~ % & < > - -- ' ` `` '' [ ] a 1 \frac \sqrt \begin{align} \end{align} \textbf \href \cite
\unicode \' \( \] \bf <script> https://a.b/c_d \left. \not \mathbb \ion \SI é \ce \b \operatorname \item \right"""
TEX = st.lists(st.sampled_from([*MARKS.split(), " ", "\n\n", "\x00", "\u0338"]), max_size=40).map("".join)


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"$10^{-24}$", "10⁻²⁴"),
        ("$H_2$", "H₂"),
        ("H$_2$O", "H₂O"),
        (r"$\mathcal{N}=4$", "𝒩=4"),
        (r"${\cal N}=4$", "𝒩=4"),
        (r"$\mathbb{R}^d$", "ℝᵈ"),
        (r"$a \times b \to c$", "a × b → c"),
        (r"$\lesssim 3$ and $a = \pm 3$", "≲3 and a = ±3"),
        ("$x^{ij}$", "x^(ij)"),
        ("$x_{max}$", "x_(max)"),
        (r"$x_{\max}^2$", "x_(max)^2"),
        (r"$\frac{a+b}{c}$", "(a+b)/(c)"),
        (r"$\frac{1}{2}$", "1/2"),
        (r"$2\frac{1}{2}$", "2(1/2)"),
        (r"$\sqrt{x+1}$", "√(x+1)"),
        (r"$\sum_{i=1}^n x_i$", "∑_(i=1)^n xᵢ"),
        (r"$O(n\log n)$", "O(n log n)"),
        (r"$\log^2 n$", "log² n"),
        (r"$5^{th}$", "5ᵗʰ"),
        (r"$90^\circ$", "90°"),
        (r"$g-2$", "g−2"),
        (r"$p\bar{p}$", "pp̄"),
        (r"$\not=$", "≠"),
        (r"$^{40}\mathrm{K}$", "⁴⁰K"),
        (r"SPT2349$-$56", "SPT2349−56"),
        (r"$|\psi\rangle$", "|ψ⟩"),
        (r"the \Euclid\ mission", "the Euclid mission"),
        (r"our system (\method{})", "our system (method)"),
        (r"\ion{C}{4} and \ce{H2O}", "C IV and H₂O"),
        (r"\unicode{x2013}", "–"),
    ],
)
def test_a_formula_reads_as_unicode(tex: str, shown: str) -> None:
    assert plain(tex) == shown


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        ("costs $80,000", "costs $80,000"),
        ("from $0.1 to $5 each", "from $0.1 to $5 each"),
        ("with $500 Training Cost, not $600 or $x$", "with $500 Training Cost, not $600 or x"),
        (r"\$100 budget", "$100 budget"),
        ("100% sure about C_n", "100% sure about C_n"),
        (r"50\% of A\&A", "50% of A&A"),
        ("snake_case and 2^n", "snake_case and 2^n"),
        ("a~b", "a b"),
        ("2020--2025 --- a year", "2020–2025 — a year"),
        ("``double'' and `single' quotes", "“double” and ‘single’ quotes"),
        ("don't", "don't"),
        (r"Poincar\'e, Erd\H{o}s, \L{}ukasz, na\"{\i}ve, \d{o}", "Poincaré, Erdős, Łukasz, naïve, ọ"),
        (r"see~\cite{knuth} here", "see here"),
        (r"\url{https://a.org/x_y}", "https://a.org/x_y"),
        (r"\href{https://a.org/x_y}{our page}", "our page (https://a.org/x_y)"),
        ("https://people.edu/~jane/a--b_c", "https://people.edu/~jane/a--b_c"),
        ("two\nlines\n folded", "two lines folded"),
        (r"{B}ayesian \textbf{bold} \texttt{code}", "Bayesian bold code"),
        ("a\x00b\x0bc", "abc"),
    ],
)
def test_running_text_keeps_what_is_not_tex(tex: str, shown: str) -> None:
    assert plain(tex) == shown


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        ("$x_{max}$", "x<sub>max</sub>"),
        ("$e^{kt}$", "e<sup>kt</sup>"),
        ("$10^{-24}$", "10⁻²⁴"),
        (r"\emph{so} \textbf{it} {\tt is}", "<i>so</i> <b>it</b> <code>is</code>"),
        ("<script>alert(1)</script> & co", "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co"),
        ("$a<b$", "a&lt;b"),
    ],
)
def test_html_raises_and_lowers_what_unicode_cannot(tex: str, shown: str) -> None:
    assert html(tex) == shown


def test_what_is_nested_beyond_reading_is_shown_as_its_source() -> None:
    source = "{" * 100 + "x"

    assert plain(source) == source
    assert html(source) == f"<code>{source}</code>"


def test_a_blank_line_and_a_displayed_formula_end_a_paragraph() -> None:
    assert paragraphs("One\nline.\n\nTwo: $$x=1$$ and more.") == ["One\nline.", "Two:", "$$x=1$$", "and more."]


@pytest.mark.parametrize("title", TITLES)
def test_a_real_title_shows_no_tex(title: str) -> None:
    assert not re.search(r"\\[a-z]{2,}|[_^]\{|\$(?!\d)", plain(title))


@given(TEX | st.text(max_size=60))
def test_any_text_gives_html_of_the_allowed_tags_only(text: str) -> None:
    shown = html(text)

    assert _tags(shown) <= TAGS
    assert nh3.clean(shown, tags=TAGS, attributes={}) == shown.replace("\xa0", "&nbsp;")


@given(TEX | st.text(max_size=60))
def test_any_text_gives_one_plain_line(text: str) -> None:
    assert "\n" not in plain(text)


def _tags(markup: str) -> set[str]:
    found: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.add(tag)  # type: ignore[method-assign]
    parser.feed(markup)
    parser.close()
    return found
