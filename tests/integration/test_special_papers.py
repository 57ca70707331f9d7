"""Papers that are hard to store or show, from the announcement to the reader."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

import feedparser

from services.fetcher.sources.arxiv_rss import parse
from services.publisher.formats import rss
from services.publisher.page import paper_page
from shared.accents import decode_accents
from shared.messages import Paper
from tests.builders import a_scored
from tests.entries import PUBLIC_URL, a_feed
from tests.publishing import Publisher, a_pick, a_publisher, a_selected
from tests.special import announcement, rows, special

RAW_TEX = re.compile(r"\$|\\[A-Za-z]")


def announced() -> list[Paper]:
    found = parse(announcement())
    assert found.rejected == ()
    return [item.paper for item in found.items]


async def published(publisher: Publisher, papers: list[Paper]) -> None:
    """Stored and shown, in two transactions."""
    await publisher.store.scored([a_scored(place, paper=paper) for place, paper in enumerate(papers)])
    picks = [
        a_pick(rank=place + 1, waits_for=()).model_copy(update={"candidates": 1_000}) for place in range(len(papers))
    ]
    await publisher.store.selected([a_selected(paper.id, pick) for paper, pick in zip(papers, picks, strict=True)])
    await publisher.store.reveal([paper.id for paper in papers])


def unreadable(shown: str, paper: Paper) -> bool:
    """Whether TeX is left in a title whose formulas are closed."""
    return paper.title.count("$") % 2 == 0 and RAW_TEX.search(shown) is not None


def as_read(name: str) -> str:
    return unicodedata.normalize("NFC", decode_accents(" ".join(name.split())))


def test_thousands_of_authors_are_read_one_by_one() -> None:
    papers = {paper.id: paper for paper in announced()}
    listed = {row["id"]: row["authors"] for row in rows() if row["about"] == "authors"}

    assert max(map(len, listed.values())) == 3_303
    for identifier, names in listed.items():
        assert list(papers[identifier].authors) == [as_read(name) for name in names]


async def test_all_are_stored_and_shown_and_none_is_lost(database_url: str) -> None:
    papers = announced()
    async with a_publisher(database_url) as publisher:
        await published(publisher, papers)
        entries = await publisher.library.latest("gpu", 1_000)

    assert {entry.paper.id: entry.paper for entry in entries} == {paper.id: paper for paper in papers}
    feed = feedparser.parse(rss.render(a_feed(*entries)))
    assert not feed.bozo
    assert len(feed.entries) == len(papers) == len(rows())
    shown = [(item.title, entry.paper) for item, entry in zip(feed.entries, entries, strict=True)]
    assert [title for title, paper in shown if not title.strip() or unreadable(title, paper)] == []


def test_every_page_shows_a_readable_title_and_no_endless_list_of_authors() -> None:
    for paper in announced():
        page = paper_page(paper, [], [("gpu", "GPUs")], public_url=PUBLIC_URL).decode()
        (title,) = re.findall(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
        (authors,) = re.findall(r'<p class="meta"><span dir="auto">(.*?)</span>', page, re.DOTALL)
        assert not unreadable(unescape(title), paper), paper.title
        if len(paper.authors) > 101:
            assert authors.endswith(f"and {len(paper.authors) - 100} more")


def test_the_sample_holds_what_it_should() -> None:
    assert {about: len(special(about)) for about in ("withdrawn", "authors", "latex")} == {
        "withdrawn": 8,
        "authors": 10,
        "latex": 300,
    }
