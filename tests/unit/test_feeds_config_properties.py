"""Whatever stands in a feed configuration, it is feeds or a list of problems."""

from __future__ import annotations

import json
import re
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from shared.feeds import FeedsError, parse
from shared.feeds_check import FEED_KEYS, SUMMARY_KEYS
from shared.toml_lines import lines_of

KEYS = (*FEED_KEYS, *SUMMARY_KEYS, "term", "weight", "in", "name", "type", "url", "x", "a b", "\u202e")
SOME_WORDS = ("LLM", "LLMs", 'K\\"ahler', "title", "all", "a", "new", "cs.LG", "words", "arxiv_rss_bot", "en", "deep")
SOME_REFERENCES = ("2401.01234", "https://[", "http://h/x.bib", "x.json", "file://x", "~.bib", "arXiv:2401.01234v2")

words = st.sampled_from(SOME_WORDS + SOME_REFERENCES) | st.text(max_size=12)
numbers = st.integers(-3, 40) | st.sampled_from((10**400, 0.5, 1e300, -2.5))
rare = st.sampled_from(("nan", "1979-05-27", "1979-05-27T07:32:00Z", "07:32:00", "0xFFFF", "-inf", "1e400"))
leaves = words.map(lambda text: quoted(text)) | numbers.map(str) | st.sampled_from(("true", "false")) | rare


def quoted(text: str) -> str:
    """A basic string; TOML knows JSON's escapes, but no half of a pair."""
    return re.sub(r"\\ud[89a-f]..", "?", json.dumps(text, ensure_ascii=False).replace("\x7f", "?"), flags=re.IGNORECASE)


def inline(pairs: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{quoted(key)} = {value}" for key, value in pairs.items()) + " }"


values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda found: f"[{', '.join(found)}]")
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=2).map(inline)
    ),
    max_leaves=5,
)
tables = st.dictionaries(st.sampled_from(KEYS), values, max_size=4)


def written(header: str, table: dict[str, str]) -> str:
    return "\n".join([header, *(f"{quoted(key)} = {value}" for key, value in table.items())])


documents = st.lists(
    st.tuples(st.sampled_from(("[[feed]]", "[[feed]]", "[[feed]]\nslug = 'a'\n[feed.summary]", "[[source]]")), tables),
    min_size=1,
    max_size=3,
)
PROBLEM = re.compile(r"feeds\.toml:\d+: .+", re.DOTALL)


@given(documents)
def test_every_document_is_feeds_or_problems(parts: list[tuple[str, dict[str, str]]]) -> None:
    text = "\n".join(written(header, table) for header, table in parts)

    problems = problems_of(text)

    assert all(PROBLEM.fullmatch(problem) for problem in problems)
    assert all(problem.isprintable() or "\u200c" in problem or "\u200d" in problem for problem in problems)


@given(st.sampled_from((*FEED_KEYS, "summary.top", "summary.languages", "summary.style", "summary.text")), values)
def test_no_value_of_a_key_is_more_than_a_mistake_on_its_line(key: str, value: str) -> None:
    rest = "" if key == "slug" else "slug = 'a'\n"

    problems = problems_of(f"[[feed]]\n{rest}{key} = {value}")

    line = 2 if key == "slug" else 3
    assert all(problem.startswith((f"feeds.toml:{line}:", "feeds.toml:1:")) for problem in problems)


@given(documents)
def test_the_line_of_one_value_is_the_line_that_it_has_among_all(parts: list[tuple[str, dict[str, str]]]) -> None:
    text = "\n".join(written(header, table) for header, table in parts)
    try:
        tomllib.loads(text)
    except ValueError:
        return

    known = lines_of(text).known

    assert {path: lines_of(text, {path}).of(path) for path in known} == known


@given(st.text())
def test_a_text_that_is_no_toml_is_one_problem_at_least(text: str) -> None:
    assert problems_of(text)


def problems_of(text: str) -> tuple[str, ...]:
    try:
        parse(text)
    except FeedsError as error:
        return error.problems
    return ()
