"""What every format promises, and what each reader gets."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import feedparser
import nh3
import pytest
from lxml import etree

from services.publisher.feed import Entry, Feed
from services.publisher.formats import Format, atom, item, jsonfeed, load, markdown, opml, rss
from services.publisher.words import code_address, headline
from shared.messages import Reason, Span
from tests.builders import DAY, a_paper
from tests.entries import NASTY, PUBLIC_URL, a_feed, a_summary, an_entry

FORMATS = ("rss", "atom", "jsonfeed", "markdown")
XML = ("rss", "atom")
CROWD = tuple(f"Author Number{number}" for number in range(3303))


def a_nasty_entry(rank: int = 1) -> Entry:
    paper = a_paper(
        id=f"2512.{rank:05d}",
        title=NASTY,
        abstract=f"{NASTY}\n\n{NASTY}",
        authors=(NASTY, "Erd\x07ős"),
        categories=(NASTY, "cs.LG"),
        comment=NASTY,
    )
    reasons = (Reason(term=NASTY, field="title", weight=1.0),)
    summary = a_summary(tldr=NASTY, method=NASTY, result=NASTY, model=NASTY)
    return an_entry(rank, paper=paper, reasons=reasons, summary=summary)


def parsed(content: bytes) -> Any:
    """What feedparser makes of it; any complaint of its fails the test."""
    document = feedparser.parse(content, sanitize_html=False)
    assert not document.bozo, document.bozo_exception
    return document


def titles(name: str, feed: Feed) -> list[str]:
    """The titles in the order a reader sees them."""
    content = load(name).render(feed)
    if name == "jsonfeed":
        return [entry["title"] for entry in json.loads(content)["items"]]
    if name == "markdown":
        return re.findall(r"^## \d+\. \[(.*)\]\(", content.decode(), re.MULTILINE)
    return [entry.title for entry in parsed(content).entries]


@pytest.mark.parametrize("name", [*FORMATS, "opml"])
def test_a_format_names_its_type_and_suffix(name: str) -> None:
    made: Format = load(name)

    assert re.fullmatch(r"[a-z]+/[a-z+-]+", made.CONTENT_TYPE)
    assert re.fullmatch(r"\.[a-z]+", made.SUFFIX)


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="there are rss, atom"):
        load("pdf")


@pytest.mark.parametrize("name", [*FORMATS, "opml"])
def test_the_same_feed_gives_the_same_bytes_at_any_second(name: str) -> None:
    feed = a_feed(an_entry(1), a_nasty_entry(2))
    first, second = load(name).render(feed), int(time.time())

    while int(time.time()) == second:
        assert load(name).render(feed) == first

    assert load(name).render(feed) == first


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_feed_is_a_whole_document(name: str) -> None:
    assert titles(name, a_feed()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_entries_keep_the_order_given(name: str) -> None:
    entries = [an_entry(rank, paper=a_paper(id=f"2512.{rank:05d}", title=f"Number {rank}")) for rank in (1, 2, 3)]

    assert titles(name, a_feed(*entries)) == ["Number 1", "Number 2", "Number 3"]


@pytest.mark.parametrize("name", ["rss", "atom", "markdown", "opml"])
def test_markup_from_outside_is_no_markup(name: str) -> None:
    feed = a_feed(a_nasty_entry(), title=NASTY, description=NASTY)

    content = load(name).render(feed).decode()

    assert "<script" not in content
    assert not {"\x0b", "\u202e", "\u2066"} & set(content)


def test_markup_from_outside_is_no_markup_in_json() -> None:
    entry = json.loads(jsonfeed.render(a_feed(a_nasty_entry())))["items"][0]

    assert "<script" not in entry["title"] + entry["content_html"]
    assert not {"\x0b", "\u202e", "\u2066"} & set(json.dumps(entry, ensure_ascii=False))


@pytest.mark.parametrize("name", ["rss", "atom", "markdown", "jsonfeed"])
def test_a_title_without_end_is_cut(name: str) -> None:
    content = load(name).render(a_feed(an_entry(paper=a_paper(title="A" * 100_000)))).decode()

    assert "A" * 1_000 + "…" in content
    assert len(content) < 20_000


@pytest.mark.parametrize("name", XML)
def test_every_item_has_what_readers_need(name: str) -> None:
    document = parsed(load(name).render(a_feed(an_entry(1), a_nasty_entry(2), an_entry(3, summary=None))))

    needed = {"title", "link", "id", "published_parsed", "summary", "content"}
    assert [needed - set(entry.keys()) for entry in document.entries] == [set(), set(), set()]
    assert document.feed.language == "en"
    assert document.feed.updated_parsed[:6] == (2025, 12, 10, 5, 16, 39)


@pytest.mark.parametrize("name", XML)
def test_the_feed_links_to_itself_and_to_its_page(name: str) -> None:
    made = load(name)
    document = parsed(made.render(a_feed(an_entry())))

    links = {link.rel: (link.href, link.type) for link in document.feed.links}
    assert links["self"] == (f"{PUBLIC_URL}/feeds/gpu{made.SUFFIX}", made.CONTENT_TYPE)
    assert document.feed.link == f"{PUBLIC_URL}/feeds/gpu"


def test_the_same_paper_has_the_same_identity_in_every_format_and_version() -> None:
    feed = a_feed(an_entry(paper=a_paper(version=7)))

    found = {parsed(load(name).render(feed)).entries[0].id for name in XML}
    found.add(json.loads(jsonfeed.render(feed))["items"][0]["id"])
    assert found == {"https://arxiv.org/abs/2512.08242"}


def test_ranks_have_their_own_seconds_and_the_first_is_the_newest() -> None:
    dates = [entry.published for entry in parsed(rss.render(a_feed(an_entry(1), an_entry(2)))).entries]

    assert dates == ["Wed, 10 Dec 2025 05:16:39 +0000", "Wed, 10 Dec 2025 05:16:38 +0000"]


def test_rss_has_one_creator_with_the_names_of_thousands_capped() -> None:
    tree = etree.fromstring(rss.render(a_feed(an_entry(paper=a_paper(authors=CROWD)))))

    creators = tree.findall(".//{http://purl.org/dc/elements/1.1/}creator")
    assert len(creators) == 1
    assert str(creators[0].text).endswith("Author Number19 and 3283 more")


@pytest.mark.parametrize("name", ["atom", "jsonfeed"])
def test_atom_and_json_have_one_author_each_and_say_how_many_more(name: str) -> None:
    content = load(name).render(a_feed(an_entry(paper=a_paper(authors=CROWD)))).decode()

    assert content.count("Author Number") == 20 + 20  # once as authors, once in the small print
    assert content.count("and 3283 more") == 2


def test_the_rss_description_is_escaped_as_html_once_more() -> None:
    feed = a_feed(an_entry(summary=a_summary(tldr="Fast <script> & safe")))

    assert parsed(rss.render(feed)).entries[0].summary == "Fast &lt;script&gt; &amp; safe"
    assert parsed(atom.render(feed)).entries[0].summary == "Fast <script> & safe"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Learning <word> vectors", "Learning ‹word› vectors"),
        ("Galaxies at $3<z<7$", "Galaxies at 3 < z < 7"),
        ("R&D in\n  two lines", "R&D in two lines"),
        ("At 10$^{-24}$ H$_2$O", "At 10⁻²⁴ H₂O"),
        ("Only <", "Only <"),
    ],
)
def test_a_title_is_one_line_that_no_reader_takes_for_markup(title: str, shown: str) -> None:
    feed = a_feed(an_entry(paper=a_paper(title=title)))

    assert headline(a_paper(title=title)) == shown
    assert [titles(name, feed) for name in ("rss", "atom", "jsonfeed")] == [[shown]] * 3


def test_an_item_begins_with_its_summary_and_says_why() -> None:
    body = item.body(an_entry(), PUBLIC_URL)

    assert body.startswith("<p>Chopper measures where GPUs wait.</p>\n<ul><li><b>Method:</b> Counters on every level.")
    assert "<b>Why:</b> GPU (title), LLM (abstract). Rank 1 of 412, score 8.5.</p>" in body
    assert "Summary by test-model from the abstract." in body


def test_a_summary_of_the_full_text_says_so() -> None:
    body = item.body(an_entry(summary=a_summary(source="full text")), PUBLIC_URL)

    assert "Summary by test-model from the full text." in body


def test_an_item_without_a_summary_says_so_before_the_abstract() -> None:
    pending = item.body(an_entry(summary=None), PUBLIC_URL)
    refused = item.body(an_entry(summary=None, no_summary="the model refused"), PUBLIC_URL)

    assert pending.startswith("<p><i>No summary yet.</i></p>")
    assert refused.startswith("<p><i>No summary: the model refused.</i></p>")


def test_an_extraction_never_passes_for_a_model() -> None:
    entry = an_entry(summary=replace(a_summary(), made_by="extraction", model=None))

    shown = [load(name).render(a_feed(entry)).decode() for name in FORMATS]
    assert ["sentences chosen from the abstract by rule, no model involved" in text for text in shown] == [True] * 4
    assert ["Summary by" in text for text in shown] == [False] * 4


def test_an_item_keeps_only_what_every_reader_keeps() -> None:
    body = item.body(a_nasty_entry(), PUBLIC_URL)

    tags = {"p", "ul", "li", "b", "i", "small", "h3", "a"}
    assert nh3.clean(body, tags=tags, attributes={"a": {"href"}}, url_schemes={"https"}, link_rel=None) == body


def test_an_endless_abstract_is_cut_with_a_note() -> None:
    endless = an_entry(paper=a_paper(abstract="\n\n".join(["& < words " * 200] * 40), authors=CROWD))
    one_block = an_entry(paper=a_paper(abstract="<" * 50_000))

    bodies = [item.body(entry, PUBLIC_URL) for entry in (endless, one_block)]
    assert [len(body.encode()) < item.MAX_BYTES for body in bodies] == [True, True]
    assert ["The abstract is cut here" in body for body in bodies] == [True, True]


@pytest.mark.parametrize(
    ("abstract", "address"),
    [
        ("Code: https://github.com/a/b.", "https://github.com/a/b"),
        (r"at \url{https://huggingface.co/a\_b/c}", "https://huggingface.co/a_b/c"),
        ("https://github.com.evil.org/a/b", None),
        ("https://user@github.com/a/b", None),
        ("https://evil.org/github.com/a", None),
        ("https://[broken", None),
        ("no code", None),
    ],
)
def test_code_is_linked_only_on_exactly_known_hosts(abstract: str, address: str | None) -> None:
    assert code_address(abstract) == address


def test_a_paper_of_another_source_links_to_its_doi() -> None:
    paper = a_paper(id="10.1101/2025.1", source="biorxiv", doi="10.1101/2025.1")

    entry = json.loads(jsonfeed.render(a_feed(an_entry(paper=paper))))["items"][0]
    assert entry["url"] == "https://doi.org/10.1101/2025.1"
    assert entry["id"] == "urn:x-paperwire:biorxiv:10.1101/2025.1"
    assert "arxiv.org" not in entry["content_html"]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://lab.example.org/post", "https://lab.example.org/post"),
        ("javascript:alert(1)", f"{PUBLIC_URL}/papers/lab%3Apost"),
        (None, f"{PUBLIC_URL}/papers/lab%3Apost"),
    ],
)
def test_a_post_links_to_where_its_source_shows_it(url: str | None, address: str) -> None:
    paper = a_paper(id="lab:post", source="lab", url=url)

    entry = json.loads(jsonfeed.render(a_feed(an_entry(paper=paper))))["items"][0]
    assert entry["url"] == address
    assert "javascript" not in entry["content_html"]


def test_an_empty_feed_is_dated_at_the_epoch_not_now() -> None:
    assert a_feed().updated == datetime(1970, 1, 1, tzinfo=UTC)
    assert parsed(rss.render(a_feed())).feed.updated_parsed[0] == 1970


def test_json_feed_has_the_parts_of_version_1_1() -> None:
    document = json.loads(jsonfeed.render(a_feed(an_entry())))

    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert document["items"][0]["authors"][0] == {"name": "Marco Kurzynski"}
    assert document["items"][0]["tags"] == ["cs.DC", "cs.LG"]
    assert document["items"][0]["date_published"] == "2025-12-10T05:16:39+00:00"


def test_the_digest_holds_the_newest_day_by_rank() -> None:
    earlier = an_entry(1, day=DAY.replace(day=9), paper=a_paper(title="Yesterday"))
    today = [an_entry(rank, paper=a_paper(id=f"2512.{rank}", title=f"Number {rank}")) for rank in (2, 1)]

    digest = markdown.render(a_feed(*today, earlier)).decode()

    assert digest.startswith("# GPUs &amp; more: Wednesday, 10 December 2025\n")
    assert re.findall(r"Number \d|Yesterday", digest) == ["Number 1", "Number 2"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# no *heading* [x](y)", r"\# no \*heading\* \[x\](y)"),
        ("1. no list", "1\N{WORD JOINER}. no list"),
        ("- no list", r"\- no list"),
        ("a <b> & `c`", r"a &lt;b> &amp; \`c\`"),
        ("two\nlines", "two lines"),
    ],
)
def test_text_from_outside_stays_text_in_markdown(text: str, shown: str) -> None:
    assert markdown.escaped(text) == shown


def test_opml_lists_every_feed() -> None:
    tree = etree.fromstring(opml.render_list([a_feed(), a_feed(slug="llm", title="LLMs")]))

    assert [outline.get("xmlUrl") for outline in tree.findall(".//outline")] == [
        f"{PUBLIC_URL}/feeds/gpu.rss",
        f"{PUBLIC_URL}/feeds/llm.rss",
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_marks_are_for_the_page_only(name: str) -> None:
    span = Span(field="title", start=0, end=7)
    plain, placed = (
        an_entry(reasons=(Reason(term="Chopper", field="title", weight=1.0, spans=spans),)) for spans in ((), (span,))
    )

    assert load(name).render(a_feed(placed)) == load(name).render(a_feed(plain))
