"""The feed configuration: what may be written, and how each mistake is told."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feeds import FeedConfig, FeedsError, SourceConfig, SummaryConfig, Term, load, parse
from shared.toml_lines import lines_of

GOOD = """\
[[feed]]
slug = "efficient-llm"
title = "Efficient LLM systems"
categories = ["cs.AI", "cs.CL"]
announce = ["new", "cross"]
keywords = ["LLM", { term = "quantization", weight = 2.0 }, { term = "mixture of experts", in = "title" }]
exclude = [{ term = "survey", in = ["title", "abstract"] }]
authors = ["Tri Dao"]
min_score = 2.0
max_papers = 20
[feed.summary]
style = "structured"
languages = ["en", "zh-Hans"]
top = 5
text = "abstract"

[[feed]]
slug = "second"
categories = ["cs.CL", "cond-mat.mes-hall", "hep-th"]
keywords = ["agent"]
"""


def test_everything_that_may_be_written_is_read() -> None:
    assert parse(GOOD).feeds[0] == FeedConfig(
        slug="efficient-llm",
        title="Efficient LLM systems",
        categories=("cs.AI", "cs.CL"),
        announce=("new", "cross"),
        keywords=(Term("LLM"), Term("quantization", 2.0), Term("mixture of experts", 1.0, ("title",))),
        exclude=(Term("survey", 1.0, ("title", "abstract")),),
        authors=(Term("Tri Dao", 1.0, ("authors",)),),
        min_score=2.0,
        max_papers=20,
        summary=SummaryConfig("structured", ("en", "zh-Hans"), 5, "abstract"),
    )


def test_what_is_left_out_has_a_sensible_value() -> None:
    assert parse(GOOD).feeds[1] == FeedConfig(
        slug="second",
        title="second",
        categories=("cs.CL", "cond-mat.mes-hall", "hep-th"),
        announce=("new", "cross", "backfill"),
        keywords=(Term("agent"),),
        min_score=1.0,
        max_papers=30,
        match="words",
        summary=SummaryConfig("structured", ("en",), 15, "abstract"),
    )


def test_the_categories_of_all_feeds_come_in_the_order_of_their_first_mention() -> None:
    assert parse(GOOD).categories == ("cs.AI", "cs.CL", "cond-mat.mes-hall", "hep-th")


SOURCES = """\
[[feed]]
slug = "brain"
sources = ["lab", "biorxiv"]
categories = ["q-bio.NC"]
keywords = ["neuron"]

[[source]]
name = "lab"
type = "rss"
url = "https://lab.example.org/feed.xml"

[[source]]
name = "biorxiv"
type = "biorxiv"
"""


def test_a_feed_chooses_its_sources() -> None:
    found = parse(SOURCES)

    assert found.sources == (
        SourceConfig("lab", "rss", {"url": "https://lab.example.org/feed.xml"}),
        SourceConfig("biorxiv", "biorxiv"),
    )
    assert found.feeds[0].sources == ("lab", "biorxiv")
    assert found.sources[0].places["url"] == "feeds.toml:10: source[lab].url"


def test_arxiv_is_asked_only_for_the_feeds_that_look_at_it() -> None:
    assert parse(GOOD).source_names == ("arxiv",)
    assert (parse(SOURCES).source_names, parse(SOURCES).categories) == (("lab", "biorxiv"), ())


def test_the_bot_mode_takes_new_papers_and_a_keyword_twice() -> None:
    (feed,) = parse('[[feed]]\nslug = "a"\nmatch = "arxiv_rss_bot"\nkeywords = ["x", "x"]').feeds

    assert (feed.announce, feed.keywords) == (("new",), (Term("x"), Term("x")))


def test_a_search_alone_makes_a_feed_and_every_search_is_told_once() -> None:
    search = '(cat:cs.LG AND abs:"KV (cache")'
    file = parse("".join(f"[[feed]]\nslug = '{slug}'\nsearch = '{search}'\n" for slug in "ab"))

    assert file.feeds[0].search == search
    assert file.searches == (search,)
    assert parse(GOOD).searches == ()


def feed(line: str, *, keywords: str = 'keywords = ["LLM"]') -> str:
    """A feed whose fourth line is the one under test."""
    return f'[[feed]]\nslug = "a"\n{keywords}\n{line}\n'


MISTAKES = [
    (feed("kewords = []"), "feeds.toml:4: feed[a].kewords: there is no such key; write `keywords`"),
    (feed("colour = 1"), "feeds.toml:4: feed[a].colour: there is no such key; possible here: slug, title, "),
    (feed('sources = ["lab"]'), 'feeds.toml:4: feed[a].sources[1]: "lab" is not known; write "arxiv"'),
    (feed("sources = []"), "feeds.toml:4: feed[a].sources: is empty, so no paper is ever looked at; leave it out for"),
    (
        feed('[[source]]\ntype = "rss"'),
        'feeds.toml:4: source[1]: has no name; write name = "a-short-name"',
    ),
    (feed('[[source]]\nname = "lab"'), 'feeds.toml:4: source[lab]: has no type; write type = "rss", or "biorxiv"'),
    (
        feed('[[source]]\nname = "The Lab"\ntype = "rss"'),
        'feeds.toml:5: source[1].name: "The Lab" is no name; write up to 32 lower-case letters, digits and hyphens',
    ),
    (
        feed('[[source]]\nname = "arxiv-blog"\ntype = "rss"'),
        'feeds.toml:5: source[1].name: "arxiv-blog" is taken: names that begin so are arXiv\'s own; write another name',
    ),
    (
        feed('[[source]]\nname = "lab"\ntype = "rss"\n[[source]]\nname = "lab"\ntype = "rss"'),
        "feeds.toml:8: source[lab].name: line 5 has the same name; write another one",
    ),
    (
        feed('[[source]]\nname = "lab"\ntype = "../rss"'),
        'feeds.toml:6: source[lab].type: "../rss" is no type of source; write "rss" or "biorxiv"',
    ),
    (
        feed('[[source]]\nname = "lab"\ntype = "rss"\nurl = 3'),
        "feeds.toml:7: source[lab].url: 3 is no text; write one line of text in quotes",
    ),
    (feed("source = 3"), "feeds.toml:4: feed[a].source: there is no such key; write `sources`"),
    ("source = 3\n" + feed(""), "feeds.toml:1: source: is no list of sources; write each as [[source]] with a name"),
    (feed("[feed.summary]\nlang = 1"), "feeds.toml:5: feed[a].summary.lang: there is no such key; write `languages`"),
    (feed('[[fed]]\nslug = "b"'), "feeds.toml:4: fed: there is no such key; write `feed`"),
    ("", "feeds.toml:1: feed: there is no feed; write at least one [[feed]] with a slug and keywords"),
    ("feed = 3", "feeds.toml:1: feed: there is no feed; write at least one [[feed]] with a slug and keywords"),
    ("feed = [3]", "feeds.toml:1: feed: there is no feed; write at least one [[feed]] with a slug and keywords"),
    ('[[feed]]\nkeywords = ["x"]', 'feeds.toml:1: feed[1]: has no slug; write slug = "a-short-name"'),
    (
        '[[feed]]\nkeywords = ["x"]\nslug = "My Feed"',
        'feeds.toml:3: feed[1].slug: "My Feed" is no slug (lower-case letters, digits, hyphens); write "my-feed"',
    ),
    (
        '[[feed]]\nkeywords = ["x"]\nslug = "all"',
        'feeds.toml:3: feed[all].slug: "all" is the page of all feeds; write another slug',
    ),
    (
        feed("") + feed("").lstrip(),
        "feeds.toml:6: feed[a].slug: line 2 has the same slug; write another one",
    ),
    (feed("title = 3"), "feeds.toml:4: feed[a].title: 3 is no text; write one line of text in quotes"),
    (feed('title = ""'), 'feeds.toml:4: feed[a].title: "" is no text; write one line of text in quotes'),
    (
        feed('categories = ["cs.AI",\n "cs.lg"]'),
        'feeds.toml:5: feed[a].categories[2]: "cs.lg" is no arXiv category; write one like cs.LG, math.AG or hep-th',
    ),
    (
        feed('categories = "cs.AI"'),
        'feeds.toml:4: feed[a].categories: "cs.AI" is no list; write it in brackets, like ["cs.AI"]',
    ),
    (feed('announce = ["news"]'), 'feeds.toml:4: feed[a].announce[1]: "news" is not known; write "new"'),
    (feed("announce = []"), "feeds.toml:4: feed[a].announce: is empty, so no paper is ever taken; write some of new, "),
    (
        feed('exclude = [{ term = "x", in = ["title",\n "titel"] }]'),
        'feeds.toml:5: feed[a].exclude[1].in[2]: "titel" is not known; write "title"',
    ),
    (
        feed('exclude = [{ term = "x", in = [] }]'),
        "feeds.toml:4: feed[a].exclude[1].in: is empty, so the term is never found; leave it out for",
    ),
    (
        feed('exclude = [{ term = "x", weight = 2 }]'),
        "feeds.toml:4: feed[a].exclude[1].weight: there is no such key; possible here: term, in",
    ),
    (feed("exclude = [3]"), "feeds.toml:4: feed[a].exclude[1]: 3 is no text; write one line of text in quotes"),
    (feed('exclude = [{ in = "title" }]'), 'feeds.toml:4: feed[a].exclude[1]: has no term; write { term = "a term" }'),
    (feed('exclude = ["..."]'), 'feeds.toml:4: feed[a].exclude[1]: "..." has no letter or digit to look for'),
    (
        feed(f'exclude = [{{ term = "{"x" * 201}" }}]'),
        f'feeds.toml:4: feed[a].exclude[1].term: "{"x" * 39}…" is longer than 200 characters; write a word or a short',
    ),
    (
        feed('authors = [{ term = "Tri Dao", weight = 0 }]'),
        "feeds.toml:4: feed[a].authors[1].weight: adds nothing; write a weight above 0, or use `exclude`",
    ),
    (
        feed('authors = [{ term = "Tri Dao", weight = "2" }]'),
        'feeds.toml:4: feed[a].authors[1].weight: "2" is no number; write one like 1.0',
    ),
    (
        feed("", keywords='keywords = [\n"LLM",\n{ term = "x", weight = nan }]'),
        "feeds.toml:5: feed[a].keywords[2].weight: nan is no number; write one like 1.0",
    ),
    (
        feed("", keywords='keywords = ["LLM",\n "LLM"]'),
        'feeds.toml:4: feed[a].keywords[2]: line 3 has "LLM" in keywords already, so it would count twice',
    ),
    (
        feed("", keywords="keywords = []"),
        "feeds.toml:1: feed[a]: has nothing to look for, so it stays empty; write keywords = [",
    ),
    (feed("search = 3"), "feeds.toml:4: feed[a].search: 3 is no text; write one line of text in quotes"),
    (feed('search = ""'), 'feeds.toml:4: feed[a].search: "" is no text; write one line of text in quotes'),
    (
        feed("search = 'abs:\"KV cache'"),
        'feeds.toml:4: feed[a].search: "abs:"KV cache" has a quote or bracket that is not closed; close it',
    ),
    (feed(f'search = "{"x" * 1001}"'), "feeds.toml:4: feed[a].search: "),
    (
        feed('match = "arxiv_rss_bot"\nsearch = "abs:LLM"'),
        'feeds.toml:5: feed[a].search: is not made with match = "arxiv_rss_bot"; leave it out',
    ),
    (feed('min_score = "2"'), 'feeds.toml:4: feed[a].min_score: "2" is no number; write one like 1.0'),
    (
        feed("min_score = -1"),
        "feeds.toml:4: feed[a].min_score: -1 is out of range; write a number from 0 to 1e+06",
    ),
    (feed("max_papers = 2.5"), "feeds.toml:4: feed[a].max_papers: 2.5 is not whole; write a number like 30"),
    (feed("max_papers = 0"), "feeds.toml:4: feed[a].max_papers: 0 is out of range; write a number from 1 to 1000"),
    (feed("max_papers = true"), "feeds.toml:4: feed[a].max_papers: true is no number; write one like 30"),
    (feed('match = "word"'), 'feeds.toml:4: feed[a].match: "word" is not known; write "words"'),
    (
        feed('match = "arxiv_rss_bot"\nauthors = ["Tri Dao"]'),
        'feeds.toml:5: feed[a].authors: are not looked at with match = "arxiv_rss_bot"; leave them out',
    ),
    (
        feed('match = "arxiv_rss_bot"\nexclude = [{ term = "x", in = "title" }]'),
        'feeds.toml:5: feed[a].exclude[1]: has neither weight nor place with match = "arxiv_rss_bot"; write "x"',
    ),
    (
        feed('match = "arxiv_rss_bot"\nannounce = ["cross"]'),
        'feeds.toml:5: feed[a].announce: with match = "arxiv_rss_bot" only new papers count; leave it out',
    ),
    (
        feed('summary.text = "pdf"'),
        'feeds.toml:4: feed[a].summary.text: "pdf" is not known; write "abstract" or "full"',
    ),
    (feed('summary.style = "deep"'), 'feeds.toml:4: feed[a].summary.style: "deep" is not known; write "structured"'),
    (feed("summary = 3"), "feeds.toml:4: feed[a].summary: 3 is no table; write [feed.summary]"),
    (
        feed('summary.languages = ["english language"]'),
        'feeds.toml:4: feed[a].summary.languages[1]: "english language" is no language; write a BCP 47 code',
    ),
    (
        feed("summary.languages = []"),
        'feeds.toml:4: feed[a].summary.languages: is empty; write ["en"], or top = 0 for no summary',
    ),
    (feed("title = unquoted"), "feeds.toml:4: is not TOML: invalid value"),
    (feed('title = "open'), "feeds.toml:4: is not TOML: illegal character '\\n'"),
    (feed('slug = "b"'), "feeds.toml:4: is not TOML: cannot overwrite a value"),
    (feed(f"max_papers = 1{'0' * 5000}"), "feeds.toml:"),
    (feed("x = " + "[" * 5000 + "]" * 5000), "feeds.toml:4: is not TOML: is nested too deeply"),
    (feed("") + "\n\nkeywords = [", "feeds.toml:7: is not TOML: invalid value"),
]


@pytest.mark.parametrize(("text", "problem"), MISTAKES, ids=[problem[:60] for _, problem in MISTAKES])
def test_a_mistake_is_told_with_file_line_key_and_remedy(text: str, problem: str) -> None:
    with pytest.raises(FeedsError) as error:
        parse(text)

    assert [told[: len(problem)] for told in error.value.problems] == [problem]


values = st.sampled_from(
    (
        "3",
        f"1{'0' * 400}",
        "-1.5",
        "nan",
        "true",
        '""',
        '"x"',
        '"words"',
        "[]",
        "[1]",
        "[[]]",
        '["x", "x"]',
        "{}",
        "{ term = 1 }",
        "1979-05-27",
    )
)
keys = st.sampled_from(
    [
        "slug",
        "title",
        "description",
        "categories",
        "announce",
        "keywords",
        "exclude",
        "authors",
        "min_score",
        "max_papers",
        "match",
        "summary",
        "summary.top",
        "summary.languages",
        "summary.text",
        "x",
    ]
)


@given(st.dictionaries(keys, values | st.lists(values, max_size=2).map(lambda found: f"[{', '.join(found)}]")))
def test_no_value_anywhere_is_more_than_a_mistake(written: dict[str, str]) -> None:
    if "summary" in written:
        written = {key: value for key, value in written.items() if not key.startswith("summary.")}
    text = "[[feed]]\n" + "\n".join(f"{key} = {value}" for key, value in written.items())

    with suppress(FeedsError):
        parse(text)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = GOOD.replace('"Tri Dao"', "7").replace("top = 5", "top = -5").replace('"second"', '"Second"')

    with pytest.raises(FeedsError) as error:
        parse(text, "my/feeds.toml")

    assert str(error.value).splitlines() == [
        "my/feeds.toml:8: feed[efficient-llm].authors[1]: 7 is no text; write one line of text in quotes",
        "my/feeds.toml:14: feed[efficient-llm].summary.top: -5 is out of range; write a number from 0 to 1000",
        'my/feeds.toml:18: feed[2].slug: "Second" is no slug (lower-case letters, digits, hyphens); write "second"',
    ]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FeedsError, match=r"nowhere.toml: cannot be read: No such file"):
        load(tmp_path / "nowhere.toml")


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "feeds.toml"
    path.write_bytes('[[feed]]\ntitle = "é"'.encode("latin-1"))

    with pytest.raises(FeedsError, match=r"feeds.toml:2: is not UTF-8"):
        load(path)


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "feeds.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    assert load(path) == parse(GOOD)


def test_lines_are_found_in_every_form_of_toml() -> None:
    document = """\
# [[feed]]
[[feed]] # "
a.b = 1 # =
'c d' = '''
[x]
''' # ]
e = [
  { f = "}", g = [[1, 2],
    [3]] }, # ,
  "]",
]
[feed.h]
i = 1979-05-27 07:32:00
[[feed]]
[[feed.j]]
k = 1.5
"""
    known = lines_of(document).known

    assert known == {
        ("feed",): 2,
        ("feed", 0): 2,
        ("feed", 0, "a"): 3,
        ("feed", 0, "a", "b"): 3,
        ("feed", 0, "c d"): 4,
        ("feed", 0, "e"): 7,
        ("feed", 0, "e", 0): 8,
        ("feed", 0, "e", 0, "f"): 8,
        ("feed", 0, "e", 0, "g"): 8,
        ("feed", 0, "e", 0, "g", 0): 8,
        ("feed", 0, "e", 0, "g", 0, 0): 8,
        ("feed", 0, "e", 0, "g", 0, 1): 8,
        ("feed", 0, "e", 0, "g", 1): 9,
        ("feed", 0, "e", 0, "g", 1, 0): 9,
        ("feed", 0, "e", 1): 10,
        ("feed", 0, "h"): 12,
        ("feed", 0, "h", "i"): 13,
        ("feed", 1): 14,
        ("feed", 1, "j"): 15,
        ("feed", 1, "j", 0): 15,
        ("feed", 1, "j", 0, "k"): 16,
    }
