"""arXiv's daily announcement, as RSS 2.0 or Atom, read into papers. Pure: bytes in, values out.

https://info.arxiv.org/help/rss_specifications.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple, cast, get_args
from zoneinfo import ZoneInfo

from lxml import etree
from pydantic import ValidationError

from services.fetcher.authors import split_authors
from services.fetcher.sources.document import UnusableDocument, tree
from services.fetcher.text import IDENTIFIER, clean
from shared.messages import Kind, Paper

__all__ = ["EASTERN", "Announcement", "Item", "UnusableDocument", "parse"]

EASTERN = ZoneInfo("America/New_York")
LONG_ITEM = 50_000  # characters, from which an item's message is measured
MAX_PAPER = 240 * 1024  # bytes; a message may hold 256 KiB

ArxivKind = Literal["new", "cross", "replace", "replace-cross"]
KINDS = frozenset(get_args(ArxivKind))


class Item(NamedTuple):
    """A paper and how it was announced."""

    paper: Paper
    kind: Kind


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a source announced on one day."""

    date: date
    """The day in US Eastern time."""
    built: datetime
    """When the document was made."""
    items: tuple[Item, ...]
    """In the order of the document."""
    rejected: tuple[str, ...]
    """Items that could not be read, each with why."""


def parse(document: bytes, *, content_type: str | None = None) -> Announcement:
    """The announcement in the document; `UnusableDocument` says what is wrong with it."""
    root = tree(document, content_type=content_type)
    if root.tag == "rss":
        return _rss(root)
    if root.tag == _ATOM + "feed":
        return _atom(root)
    raise UnusableDocument(f"expected an RSS 2.0 or Atom feed, got <{str(root.tag)[:80]}>")


# ---- the two forms

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"

_COMMON = {
    _ARXIV + "announce_type": "kind",
    _ARXIV + "DOI": "doi",
    _ARXIV + "journal_reference": "journal_ref",
    _DC + "rights": "license",
    _DC + "creator": "creator",
}
_RSS_FIELDS = _COMMON | {
    "title": "title",
    "description": "description",
    "guid": "guid",
    "category": "category",
}
_ATOM_FIELDS = _COMMON | {
    _ATOM + "title": "title",
    _ATOM + "summary": "description",
    _ATOM + "id": "guid",
    _ATOM + "category": "term",
}


def _rss(root: etree._Element) -> Announcement:
    channel = root.find("channel")
    if channel is None:
        raise UnusableDocument("the RSS document has no channel")
    dates = (channel.findtext("pubDate"), channel.findtext("item/pubDate"), channel.findtext("lastBuildDate"))
    announced = _moment(dates)
    built = _moment((channel.findtext("lastBuildDate"), *dates))
    return _announcement(announced, built, channel.iterchildren("item"), _RSS_FIELDS)


def _atom(root: etree._Element) -> Announcement:
    updated = root.findtext(_ATOM + "updated")
    announced = _moment((root.findtext(f"{_ATOM}entry/{_ATOM}published"), updated))
    return _announcement(announced, _moment((updated,)), root.iterchildren(_ATOM + "entry"), _ATOM_FIELDS)


def _moment(candidates: Iterable[str | None]) -> datetime:
    """The first date that can be read, in either form's notation, as arXiv's own time."""
    for text in candidates:
        for read in (parsedate_to_datetime, datetime.fromisoformat):
            try:
                moment = read((text or "").strip())
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(EASTERN)
            except (ValueError, OverflowError):
                continue
    raise UnusableDocument("the feed has no readable date")


def _announcement(
    announced: datetime, built: datetime, elements: Iterable[etree._Element], fields: Mapping[str, str]
) -> Announcement:
    items: list[Item] = []
    rejected: list[str] = []
    for number, element in enumerate(elements, start=1):
        try:
            items.append(_item(element, fields))
        except ValueError as error:
            rejected.append(f"item {number}: {_why(error)}")
    if rejected and not items:
        raise UnusableDocument(f"none of the {len(rejected)} items can be read; {rejected[0]}")
    return Announcement(announced.date(), built, tuple(items), tuple(rejected))


def _why(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors())
    return str(error)


# ---- one item

_VERSIONED = re.compile(rf"oai:arXiv\.org:({IDENTIFIER})v([1-9][0-9]{{0,3}})")
_CATEGORY = frozenset(("category", "term"))
_OPTIONAL = frozenset(("doi", "journal_ref", "license"))
_HEAD = re.compile(r"\s*arXiv:(\S+)\s+Announce Type:\s*([a-z-]+)\s+Abstract:\s*")


def _item(element: etree._Element, fields: Mapping[str, str]) -> Item:
    """One pass over the children: a `find` per field costs 40 % more."""
    found: dict[str, Any] = {}
    categories: list[str] = []
    size = 0
    for child in element:
        field = fields.get(child.tag)
        if field is None:
            continue
        text = (child.get("term") if field == "term" else child.text) or ""
        size += len(text)
        if field in _CATEGORY:
            categories.append(text.strip())
        else:
            found[field] = text
    found["categories"] = categories
    return _read(found, size)


def _read(found: dict[str, Any], size: int) -> Item:
    """The texts as found, replaced by what they say; pydantic takes the fields of a paper out of them."""
    guid, description = found.get("guid", ""), found.get("description", "")
    if size > MAX_PAPER:
        raise ValueError(f"{guid[:60]}: {size} characters are too long")
    head = _HEAD.match(description)
    found["id"], found["version"] = _identity(guid, head)
    found["title"] = " ".join(clean(found.get("title", "")).split())
    found["authors"] = split_authors(clean(found.get("creator", "")))
    found["abstract"] = clean(description[head.end() :] if head else description).strip()
    for name in _OPTIONAL & found.keys():
        found[name] = clean(found[name]).strip() or None
    paper = Paper.model_validate(found)
    if size > LONG_ITEM and len(paper.model_dump_json().encode()) > MAX_PAPER:
        raise ValueError(f"{guid[:60]}: larger than {MAX_PAPER} bytes")
    return Item(paper, _kind(found.get("kind", "").strip() or (head[2] if head else "")))


def _identity(guid: str, head: re.Match[str] | None) -> tuple[str, int]:
    """From the guid, or from the description's head when the guid is damaged."""
    known = _VERSIONED.fullmatch(guid.strip()) or (_VERSIONED.fullmatch("oai:arXiv.org:" + head[1]) if head else None)
    if known is None:
        raise ValueError(f"guid {guid.strip()[:60]!r} is not oai:arXiv.org:<id>v<version>")
    return known[1], int(known[2])


def _kind(text: str) -> Kind:
    if text not in KINDS:
        raise ValueError(f"announce type {text[:40]!r} is none of {', '.join(sorted(KINDS))}")
    return cast("ArxivKind", text)
