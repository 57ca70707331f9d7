"""Conditions, liked papers, caps and what other feeds took, as they are read from the feed configuration."""

from __future__ import annotations

import pytest

from shared.feeds import FeedsError, Term, parse

FEED = """\
[[feed]]
slug = "first"
keywords = ["agent"]

[[feed]]
slug = "efficient-llm"
keywords = ["LLM", { term = "benchmark", in = ["comment", "title"] }, { term = "cs.LG", in = "categories" }]
require = ["inference", { term = "GPU", weight = 0.5, in = "abstract" }]
any = [["quantization", "pruning"], [{ term = "Dao", in = "authors" }]]
like = ["2401.01234", "math.GT/0309136v2", "https://example.org/lab.BIB?raw=1", "papers/zotero.rdf", "/data/csl.json"]
like_weight = 8
min_likeness = 0.25
max_per_category = 5
max_per_author = 2
seen = ["first"]
"""


def test_every_new_key_is_read() -> None:
    feed = parse(FEED).feeds[1]

    assert feed.require == (Term("inference"), Term("GPU", 0.5, ("abstract",)))
    assert feed.any_of == ((Term("quantization"), Term("pruning")), (Term("Dao", 1.0, ("authors",)),))
    assert feed.like[2:] == ("https://example.org/lab.BIB?raw=1", "papers/zotero.rdf", "/data/csl.json")
    assert (feed.like_weight, feed.min_likeness) == (8.0, 0.25)
    assert (feed.max_per_category, feed.max_per_author) == (5, 2)
    assert feed.seen == ("first",)


def test_without_the_new_keys_nothing_is_asked_and_nothing_left_out() -> None:
    feed = parse(FEED).feeds[0]

    assert (feed.require, feed.any_of, feed.like, feed.seen) == ((), (), (), ())
    assert (feed.like_weight, feed.min_likeness) == (5.0, 0.15)
    assert (feed.max_per_category, feed.max_per_author) == (None, None)


def test_a_term_may_be_looked_for_in_every_field() -> None:
    _, comment, categories = parse(FEED).feeds[1].keywords

    assert (comment.places, categories.places) == (("title", "comment"), ("categories",))


def test_a_plain_list_is_one_group() -> None:
    (feed,) = parse('[[feed]]\nslug = "a"\nany = ["LLM", { term = "agent", weight = 2 }]').feeds

    assert feed.any_of == ((Term("LLM"), Term("agent", 2.0)),)


@pytest.mark.parametrize(
    "line",
    ['require = ["LLM"]', 'any = ["LLM"]', 'like = ["2401.01234"]', 'authors = ["Tri Dao"]', 'search = "abs:LLM"'],
)
def test_any_way_to_find_papers_makes_a_feed(line: str) -> None:
    assert parse(f'[[feed]]\nslug = "a"\n{line}').feeds


@pytest.mark.parametrize(
    "reference",
    [
        "0704.0001",
        "1412.9999v2",
        "1501.00001",
        "2401.01234v12",
        "hep-th/9901001",
        "math.GT/0309136v2",
        "cond-mat/9609089",
        "http://localhost:8000/papers.json",
        "https://github.com/lab/papers/raw/main/library.bib#top",
        "my papers.bib",
    ],
)
def test_papers_and_libraries_may_be_liked(reference: str) -> None:
    (feed,) = parse(f'[[feed]]\nslug = "a"\nlike = ["{reference}"]').feeds

    assert feed.like == (reference,)


def test_all_are_the_feeds_that_stand_before() -> None:
    feeds = parse("".join(f'[[feed]]\nslug = "{slug}"\nkeywords = ["x"]\nseen = "all"\n' for slug in "abc")).feeds

    assert [tuple(feed.seen) for feed in feeds] == [(), ("a",), ("a", "b")]
    assert feeds[2].seen == ("a", "b")
    assert (feeds[2].seen[-1], feeds[2].seen[:1], "c" in feeds[2].seen, len(feeds[2].seen)) == ("b", ("a",), False, 2)


@pytest.mark.parametrize(
    "keywords",
    [
        '"LLM", "llm"',  # LLM in capitals only, llm in any case
        '"LLM", { term = "LLM", in = "comment" }',
        '"quantization", { term = "quantization", weight = 2, in = "title" }',
        '"C", "C++", "C#"',
        '"boss", "bos"',
        '"GPT-4", "GPT-4.5", "GPT 3"',
    ],
)
def test_terms_that_find_different_things_stand_side_by_side(keywords: str) -> None:
    assert parse(f'[[feed]]\nslug = "a"\nkeywords = [{keywords}]').feeds


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("agent", "Agents"),
        ("LLM", "LLMs"),
        ("mixture of experts", "Mixture-of-Expert"),
        ("study", "studies"),
        ("cache", "caches"),
        ("box", "boxes"),
        ("Kähler", "Kahler"),
        ("Kähler", 'K\\"{a}hler'),
        ("state  space", "state–space"),
    ],
)
def test_a_term_is_not_written_twice_in_two_spellings(one: str, other: str) -> None:
    with pytest.raises(FeedsError, match=r"line 3 has .* finds the same"):
        parse(f"[[feed]]\nslug = 'a'\nrequire = ['{one}']\nkeywords = ['{other}']")


def test_a_term_may_be_excluded_where_it_is_not_looked_for() -> None:
    keywords = 'keywords = ["LLM", "survey"]\nexclude = [{ term = "survey", in = "title" }]'

    assert parse(f'[[feed]]\nslug = "a"\n{keywords}').feeds


def test_tex_and_all_letters_are_terms() -> None:
    terms = ('K\\"ahler', "$\\alpha$-stable", "大模型", "می‌شود", "C++", "naïve Bayes")
    text = ", ".join(f"'{term}'" for term in terms)

    (feed,) = parse(f"[[feed]]\nslug = 'a'\nkeywords = [{text}]").feeds

    assert tuple(term.text for term in feed.keywords) == terms


def test_what_copying_brings_along_is_taken_off() -> None:
    (feed,) = parse('[[feed]]\nslug = "a"\nkeywords = ["\\u200eKV\\u00a0cache\\ufeff", "spec\\u00adulative"]').feeds

    assert [term.text for term in feed.keywords] == ["KV cache", "speculative"]


def test_equal_values_of_many_feeds_are_one_object() -> None:
    terms = 'keywords = ["LLM", { term = "agent", weight = 2 }]\nauthors = ["LLM"]\n'
    text = f'categories = ["cs.LG"]\n{terms}[feed.summary]\ntop = 3\n'
    a, b = parse("".join(f'[[feed]]\nslug = "{slug}"\n{text}' for slug in "ab")).feeds

    assert all(one is other for one, other in zip(a.terms, b.terms, strict=True))
    assert a.categories is b.categories
    assert a.summary is b.summary
    assert a.keywords[0].text is a.authors[0].text
