"""Reading announcements: the parser beside one bare pass of lxml over the same bytes, round by round.

The floors make one pass over the children of each item and build the same strings into dictionaries: nothing checked,
no TeX accents, no name in an unusual form. The second lets lxml drop the indentation, as our parser does; the third
makes plain objects of that. They are what plain lxml can do at most. Pages of the API and of OAI-PMH have the first.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from rich.console import Console
from rich.table import Table

from cli.bench import answers
from cli.bench.backfill import PAGE, pages
from cli.bench.corpus import atom_document, recorded_papers, rss_document
from services.fetcher.sources import arxiv_api, arxiv_oai, arxiv_rss

ATOM_PAPERS = 2_000
ATOM = "{http://www.w3.org/2005/Atom}"
ARXIV = "{http://arxiv.org/schemas/atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
OURS = "paperwire"
FLOOR, TUNED, OBJECTS = "one pass of lxml", "the same without indentation", "the same into objects"
RSS_NAMES = {
    "title": "title",
    "description": "description",
    "guid": "guid",
    f"{ARXIV}announce_type": "kind",
    f"{DC}rights": "license",
    f"{DC}creator": "creator",
}
ATOM_NAMES = {
    f"{ATOM}title": "title",
    f"{ATOM}summary": "description",
    f"{ATOM}id": "guid",
    f"{ARXIV}announce_type": "kind",
    f"{DC}rights": "license",
    f"{DC}creator": "creator",
}


@dataclass(slots=True)
class Plain:
    """What a parser without any care would give."""

    id: str
    version: str
    title: str
    authors: list[str]
    abstract: str
    categories: list[str]
    kind: str
    license: str | None


def run(papers: int, rounds: int) -> None:
    """Measure and print."""
    console = Console()
    recorded = recorded_papers(papers)
    few = recorded[:ATOM_PAPERS]
    console.print(f"{papers} papers as RSS, {len(few)} as Atom and as a page of the API; {rounds} rounds, one core")
    rss, atom, page, list_page = rss_document(recorded), atom_document(few), answers.api_page(few), next(pages(PAGE))
    tag, category = f"{ATOM}entry", f"{ATOM}category"
    announced = floors(lambda blank: floor(rss, "item", RSS_NAMES, "category", remove_blank_text=blank))
    compare(console, "RSS", announced, lambda: arxiv_rss.parse(rss).items, rounds)
    announced = floors(lambda blank: floor(atom, tag, ATOM_NAMES, category, remove_blank_text=blank))
    compare(console, "Atom", announced, lambda: arxiv_rss.parse(atom).items, rounds)
    bare = {FLOOR: lambda: answers.api_floor(page)}
    compare(console, f"API Atom page, {len(few):,} entries", bare, lambda: arxiv_api.parse(page).items, rounds)
    bare = {FLOOR: lambda: answers.oai_floor(list_page)}
    compare(console, f"OAI page, {PAGE:,} records", bare, lambda: arxiv_oai.parse(list_page).items, rounds)


Read = Callable[[], Sequence[Any]]


def floors(bare: Callable[[bool], list[dict[str, Any]]]) -> dict[str, Read]:
    """The same pass with indentation, without, and into objects."""
    return {
        FLOOR: lambda: bare(False),
        TUNED: lambda: bare(True),
        OBJECTS: lambda: [Plain(**paper) for paper in bare(True)],
    }


def compare(console: Console, form: str, floors: Mapping[str, Read], ours: Read, rounds: int) -> None:
    """One table: papers per second of the floors and of ours, and the median of the pairwise ratios."""
    variants = {**floors, OURS: ours}
    counts = {name: len(read()) for name, read in variants.items()}
    papers = counts[OURS]
    if set(counts.values()) != {papers}:
        raise ValueError(f"{form}: not all read the same number of papers: {counts}")
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, read in variants.items():
            figures[name].append(papers / seconds(read))
    report(console, form, figures)


def floor(
    document: bytes, tag: str, names: Mapping[str, str], category: str, *, remove_blank_text: bool = False
) -> list[dict[str, Any]]:
    """One pass of lxml, every text into a dictionary."""
    papers = []
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=remove_blank_text)
    for item in etree.fromstring(document, parser).iter(tag):
        categories: list[str] = []
        paper: dict[str, Any] = {"categories": categories}
        for child in item:
            kind = child.tag
            if kind == category:
                categories.append(str(child.text or child.get("term")))
            elif name := names.get(kind):
                paper[name] = child.text
        description = paper.pop("description")
        paper["abstract"] = description[description.find("Abstract: ") + len("Abstract: ") :].strip()
        paper["id"], _, paper["version"] = paper.pop("guid").rpartition(":")[2].rpartition("v")
        paper["title"] = " ".join(paper["title"].split())
        paper["authors"] = paper.pop("creator").split(", ")
        papers.append(paper)
    return papers


def seconds(read: Callable[[], Any]) -> float:
    """The processor time that it takes, from clean memory: what else runs on the machine counts less so."""
    gc.collect()
    began = time.process_time()
    read()
    return time.process_time() - began


def report(console: Console, form: str, figures: Mapping[str, Sequence[float]]) -> None:
    table = Table(form, "min", "median", "max", title=f"{form}: papers/s")
    for name, values in figures.items():
        table.add_row(name, *(f"{value:,.0f}" for value in (min(values), statistics.median(values), max(values))))
    console.print(table)
    for name in list(figures)[:-1]:
        ratios = [ours / bare for bare, ours in zip(figures[name], figures[OURS], strict=True)]
        console.print(f"{OURS} / {name}: {statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})")
