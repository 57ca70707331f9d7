"""Listing pages in the form that arxiv.org gives them, for the tests of completeness."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from services.fetcher.sources.arxiv_rss import parse

SHOWN = 25


def a_listing(day: date, *, new: int = 0, cross: int = 0, replaced: int = 0, category: str = "cs.AI") -> bytes:
    """`/list/<category>/new?skip=0&show=25`: sections beyond the first 25 entries are left out."""
    sections, left = [], SHOWN
    for name, total in (("New", new), ("Cross", cross), ("Replacement", replaced)):
        shown = min(total, left)
        left -= shown
        if shown:
            first = "first " if shown < total else ""
            sections.append(
                f"<dl id='articles'>\n<h3>{name} submissions (showing {first}{shown} of {total} entries)</h3>\n"
                '<dt><a name=\'item1\'>[1]</a> <a href ="/abs/2512.00001" title="Abstract" id="2512.00001">'
                "arXiv:2512.00001</a></dt>\n<dd><div class='meta'>A title</div></dd>\n</dl>"
            )
    total = new + cross + replaced
    paging = f"<div class='paging'>Total of {total} entries \n</div>" if total else ""
    body = "\n".join(sections) or "<p>No updates today.</p>"
    return (
        f"<!DOCTYPE html>\n<html lang=\"en\"><head><title>{category}</title></head><body><div id='dlpage'>\n"
        f"<h1>{category}</h1>\n<h3>Showing new listings for {day:%A}, {day.day} {day:%B} {day.year}</h3>\n"
        f"{paging}\n{body}\n{paging}\n</div></body></html>"
    ).encode()


def listings_of(
    document: bytes, categories: tuple[str, ...], more: Mapping[str, int] | None = None
) -> dict[str, bytes]:
    """The pages that agree with a feed; `more` adds papers that the feed has not shown."""
    announcement = parse(document)
    pages = {}
    for category in categories:
        kinds = [item.kind for item in announcement.items if category in item.paper.categories]
        pages[category] = a_listing(
            announcement.date,
            new=kinds.count("new") + (more or {}).get(category, 0),
            cross=kinds.count("cross"),
            replaced=len(kinds) - kinds.count("new") - kinds.count("cross"),
            category=category,
        )
    return pages


def without(document: bytes, *paper_ids: str) -> bytes:
    """The feed as it was before these papers came."""
    kept = [
        item
        for item in re.findall(rb"\s*<item>.*?</item>", document, re.DOTALL)
        if not any(f"oai:arXiv.org:{paper_id}v".encode() in item for paper_id in paper_ids)
    ]
    head, _, _ = document.partition(b"<item>")
    return head + b"".join(kept) + b"</channel></rss>"
