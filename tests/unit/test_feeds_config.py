"""The feed configuration: what may be written, and how each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = GOOD.replace('"Tri Dao"', "7").replace("top = 5", "top = -5").replace('"second"', '"Second"')

    with pytest.raises(FeedsError) as error:
        parse(text, "my/feeds.toml")

    assert str(error.value).splitlines() == [
        "my/feeds.toml:8: feed[efficient-llm].authors[1]: 7 is no text; write one line of text in quotes",
        "my/feeds.toml:14: feed[efficient-llm].summary.top: -5 is out of range; write a number from 0 to 1000",
        'my/feeds.toml:18: feed[2].slug: "Second" is no slug (up to 64 lower-case letters, digits, hyphens); '
        'write "second"',
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


def test_the_lines_of_a_few_values_are_those_of_the_whole_document() -> None:
    wanted = {("feed", 0, "exclude", 0, "in", 1), ("feed", 1, "keywords"), ("feed", 0, "summary", "top")}

    lines, few = lines_of(GOOD), lines_of(GOOD, wanted)

    assert {path: few.of(path) for path in wanted} == {path: lines.of(path) for path in wanted}
    assert len(few.known) < len(lines.known) / 2
