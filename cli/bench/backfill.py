"""A backfill over OAI-PMH from end to end, beside the pipeline's own rate for announcements."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from cli.bench import pipeline
from cli.bench.corpus import FIRST_DAY, Document, recorded_papers
from cli.local.arxiv import Replay, replay_app
from cli.local.serving import serving

PAGE = 1_000  # records, as arXiv's server sends them
BACKFILL = "backfill"
FORM = "arXivRaw"

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026-09-14T18:12:00Z</responseDate>
<request verb="ListRecords" metadataPrefix="arXivRaw" set="cs">https://oaipmh.arxiv.org/oai</request><ListRecords>
"""
RECORD = """<record><header><identifier>oai:arXiv.org:{id}</identifier><datestamp>{day}</datestamp>\
<setSpec>cs:cs</setSpec></header><metadata><arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{id}</id>\
<submitter>N. N.</submitter><version version="v1"><date>Mon, 1 Dec 2025 10:00:00 GMT</date><size>99kb</size></version>\
<title>{title}</title><authors>{authors}</authors><categories>{categories}</categories>\
<license>http://arxiv.org/licenses/nonexclusive-distrib/1.0/</license><abstract>  {abstract}
</abstract></arXivRaw></metadata></record>
"""


def run(papers: int, rounds: int, pages: int) -> None:
    """Measure and print; with `pages` also what memory so long a list takes."""
    variants = {pipeline.OURS: pipeline.paperwire, BACKFILL: backfill}
    figures = pipeline.compare(variants, papers, rounds)
    pipeline.report(figures, f"{papers} papers, source → rows (papers/s)", BACKFILL, (pipeline.OURS,))
    if pages:
        from cli.bench import memory

        memory.run(pages)


async def backfill(nats_url: str, database_url: str, documents: Sequence[Document], feeds: Path) -> float:
    """One order for the same papers, with the real services and a local OAI-PMH server."""
    from cli.orders import connected
    from shared.messages import FetchRequested

    count = sum(document.papers for document in documents)
    arxiv = Replay()
    arxiv.oai.pages[FORM] = {FIRST_DAY: [*pages(count)]}
    order = FetchRequested(order="bench", what="backfill", since=FIRST_DAY, until=FIRST_DAY, set="cs")
    async with serving(replay_app(arxiv)) as site, connected(nats_url) as bus:
        oai_url, rss_url = f"{site}/oai", f"{site}/rss"  # the latter is not there: nothing is announced meanwhile
        async with pipeline.services(nats_url, database_url, feeds, rss_url, arxiv_oai_url=oai_url):
            began = time.perf_counter()
            await bus.publish(order)
            await pipeline.until_stored(database_url, count)
            return time.perf_counter() - began


def pages(count: int) -> Iterator[bytes]:
    """The recorded papers as pages of a list in arXiv's own form."""
    papers = recorded_papers(count)
    for start in range(0, count, PAGE):
        yield a_page(papers[start : start + PAGE])


def a_page(papers: Sequence[dict[str, object]]) -> bytes:
    """An answer with these papers' records."""
    return f"{HEAD}{''.join(map(_record, papers))}</ListRecords></OAI-PMH>\n".encode()


def _record(paper: dict[str, object]) -> str:
    authors, categories = paper["authors"], paper["categories"]
    assert isinstance(authors, list)
    assert isinstance(categories, list)
    return RECORD.format(
        id=paper["id"],
        day=FIRST_DAY,
        title=escape(str(paper["title"])),
        authors=escape(", ".join(authors)),
        categories=" ".join(categories),
        abstract=escape(str(paper["abstract"])),
    )
