"""Reading announcements: the parser beside one bare pass of lxml over the same bytes, round by round.

The floors make one pass over the children of each item and build the same strings into dictionaries: nothing checked,
no TeX accents, no name in an unusual form. The second lets lxml drop the indentation, as our parser does; the third
makes plain objects of that. They are what plain lxml can do at most.
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

from cli.bench.corpus import atom_document, recorded_papers, rss_document
from services.fetcher.sources.arxiv_rss import parse

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
    console.print(f"{papers} papers as RSS, {min(papers, ATOM_PAPERS)} as Atom; {rounds} rounds, one core")
    compare(console, "RSS", rss_document(recorded), "item", RSS_NAMES, "category", rounds)
    atom = atom_document(recorded[:ATOM_PAPERS])
    compare(console, "Atom", atom, f"{ATOM}entry", ATOM_NAMES, f"{ATOM}category", rounds)


def compare(
    console: Console, form: str, document: bytes, tag: str, names: Mapping[str, str], category: str, rounds: int
) -> None:
    """One table: papers per second of the floor and of ours, and the median of the pairwise ratios."""

    def bare() -> list[dict[str, Any]]:
        return floor(document, tag, names, category)

    def tuned() -> list[dict[str, Any]]:
        return floor(document, tag, names, category, remove_blank_text=True)

    def objects() -> list[Plain]:
        return [Plain(**paper) for paper in tuned()]

    def ours() -> Sequence[Any]:
        return parse(document).items

    if (papers := len(bare())) != len(ours()):
        raise ValueError(f"the floor reads {papers} papers, the parser {len(ours())}")
    variants = {FLOOR: bare, TUNED: tuned, OBJECTS: objects, OURS: ours}
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
    for name in (FLOOR, TUNED, OBJECTS):
        ratios = [ours / bare for bare, ours in zip(figures[name], figures[OURS], strict=True)]
        console.print(f"{OURS} / {name}: {statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})")
