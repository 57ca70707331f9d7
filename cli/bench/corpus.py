"""The recorded papers that benchmarks run on, and announcements made of them in arXiv's own form."""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import format_datetime
from importlib.resources import files
from io import BytesIO
from itertools import islice
from xml.sax.saxutils import escape

from services.publisher.feed import publication_time

FIRST_DAY = date(2025, 12, 1)
ROWS = 1_999  # an answer of 2,000 rows counts as cut

HEAD = """<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" version="2.0">
<channel><title>cs updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs</link>
<lastBuildDate>{date}</lastBuildDate><pubDate>{date}</pubDate>
"""
# The indentation is arXiv's own, too: a third of the work of a parser.
ITEM = """    <item>
      <title>{title}</title>
      <link>https://arxiv.org/abs/{id}</link>
      <description>arXiv:{id}v1 Announce Type: new 
Abstract: {abstract}</description>
      <guid isPermaLink="false">oai:arXiv.org:{id}v1</guid>{categories}
      <pubDate>{date}</pubDate>
      <arxiv:announce_type>new</arxiv:announce_type>
      <dc:rights>http://arxiv.org/licenses/nonexclusive-distrib/1.0/</dc:rights>
      <dc:creator>{authors}</dc:creator>
    </item>
"""  # noqa: W291 - the blank after the announce type is arXiv's

ATOM_HEAD = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns="http://www.w3.org/2005/Atom">
<id>http://rss.arxiv.org/atom/cs</id><title>cs updates on arXiv.org</title><updated>{date}</updated>
"""
ENTRY = """  <entry>
    <id>oai:arXiv.org:{id}v1</id>
    <title>{title}</title>
    <updated>{date}</updated>
    <link href="https://arxiv.org/abs/{id}" rel="alternate" type="text/html"/>
    <summary>arXiv:{id}v1 Announce Type: new 
Abstract: {abstract}</summary>{categories}
    <published>{date}</published>
    <arxiv:announce_type>new</arxiv:announce_type>
    <dc:rights>http://arxiv.org/licenses/nonexclusive-distrib/1.0/</dc:rights>
    <dc:creator>{authors}</dc:creator>
  </entry>
"""  # noqa: W291


@dataclass(frozen=True, slots=True)
class Document:
    """An announcement as bytes, as the fetcher downloads it."""

    day: date
    papers: int
    body: bytes


def recorded_papers(count: int) -> list[dict[str, object]]:
    """Papers that arXiv announced in December 2025: id, title, authors, abstract, categories."""
    recorded = files("cli").joinpath("data/papers-10000.jsonl.xz").read_bytes()
    with lzma.open(BytesIO(recorded)) as lines:
        papers = [json.loads(line) for line in islice(lines, count)]
    if len(papers) < count:
        raise ValueError(f"there are {len(papers)} recorded papers, not {count}")
    return papers


def announcements(papers: Sequence[dict[str, object]]) -> list[Document]:
    """The papers as announcements of consecutive days, as many a day as one answer of arXiv's can hold."""
    chunks = [papers[start : start + ROWS] for start in range(0, len(papers), ROWS)]
    return [_document(FIRST_DAY + timedelta(days=number), chunk) for number, chunk in enumerate(chunks)]


def rss_document(papers: Sequence[dict[str, object]], day: date = FIRST_DAY) -> bytes:
    """All of them in one announcement."""
    when = format_datetime(publication_time(day, 1_000))
    items = "".join(_item(ITEM, "\n      <category>{}</category>", paper, when) for paper in papers)
    return (HEAD.format(date=when) + items + "</channel></rss>\n").encode()


def atom_document(papers: Sequence[dict[str, object]], day: date = FIRST_DAY) -> bytes:
    """The same in the Atom form."""
    when = publication_time(day, 1_000).isoformat()
    items = "".join(_item(ENTRY, '\n    <category term="{}"/>', paper, when) for paper in papers)
    return (ATOM_HEAD.format(date=when) + items + "</feed>\n").encode()


def _document(day: date, papers: Sequence[dict[str, object]]) -> Document:
    return Document(day, len(papers), rss_document(papers, day))


def _item(form: str, category: str, paper: dict[str, object], when: str) -> str:
    categories, authors = paper["categories"], paper["authors"]
    assert isinstance(categories, list)
    assert isinstance(authors, list)
    return form.format(
        id=paper["id"],
        title=escape(str(paper["title"])),
        abstract=escape(str(paper["abstract"])),
        categories="".join(category.format(escape(name)) for name in categories),
        authors=escape(", ".join(authors)),
        date=when,
    )
