"""arXiv's listing page of a category, read for the one thing it is asked: how many papers were announced, and when.

The page is only a check on the feed. Whatever cannot be read in it counts as unknown; nothing here raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from lxml import etree, html

ACCEPT = "text/html"
SHOWN = 25  # the fewest that the page can be asked for; the counts stand in its headings
MAX_PAGE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page says."""

    date: date | None = None
    count: int | None = None
    """New submissions, cross-lists and replacements together."""


UNREADABLE = Listing()


def address(site: str, category: str) -> str:
    """Where a category's newest announcement is listed."""
    return f"{site.rstrip('/')}/list/{quote(category, safe='')}/new?skip=0&show={SHOWN}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DATE = re.compile(rf"new listings for\s+(?:\w+,\s*)?([0-9]{{1,2}})\s+({'|'.join(_MONTHS)})\s+([0-9]{{4}})")
_TOTAL = re.compile(r"total of\s+([0-9]{1,6})\s+entries", re.IGNORECASE)
_SECTION = re.compile(
    r"(new|cross|replacement)\b[^()]*\((continued,\s*)?showing\s+(?:first\s+|last\s+)?([0-9]{1,6})\s+of\s+([0-9]{1,6})",
    re.IGNORECASE,
)
_NOTHING = "No updates today"


def parse(page: bytes) -> Listing:
    """The date and the count; None for what the page does not say."""
    try:
        root = html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8", no_network=True))
    except (etree.LxmlError, ValueError):
        return UNREADABLE
    headings = [_text(heading) for heading in root.iter("h3")]
    dates = (_date(text) for text in headings)
    return Listing(next((day for day in dates if day), None), _count(root, headings))


def _date(heading: str) -> date | None:
    found = _DATE.search(heading)
    if found is None:
        return None
    try:
        return date(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
    except ValueError:
        return None


def _count(root: html.HtmlElement, headings: list[str]) -> int | None:
    """The page's total, else the sum over its sections when the page shows all of them."""
    for element in root.iter("div", "small"):
        if element.get("class") == "paging" and (total := _TOTAL.search(_text(element))):
            return int(total[1])
    sections = {found[1].lower(): found for found in map(_SECTION.search, headings) if found}
    if sections:
        return _sum(list(sections.values()))
    return 0 if any(_NOTHING in _text(paragraph) for paragraph in root.iter("p")) else None


def _sum(sections: list[re.Match[str]]) -> int | None:
    shown = sum(int(section[3]) for section in sections)
    total = sum(int(section[4]) for section in sections)
    return total if shown == total < SHOWN else None


def _text(element: html.HtmlElement) -> str:
    return " ".join("".join(map(str, element.itertext())).split())
