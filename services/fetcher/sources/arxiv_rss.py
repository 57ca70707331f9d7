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

from services.fetcher.authors import split_authors
from services.fetcher.sources.document import UnusableDocument, tree
from services.fetcher.sources.papers import MAX_PAPER, checked
from services.fetcher.sources.texts import why
from services.fetcher.text import IDENTIFIER, clean, one_line
from shared.messages import Kind, Paper

__all__ = ["EASTERN", "Announcement", "Item", "UnusableDocument", "parse"]

EASTERN = ZoneInfo("America/New_York")

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
    _ATOM + "category": "category",
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
            rejected.append(f"item {number}: {why(error)}")
    if rejected and not items:
        raise UnusableDocument(f"none of the {len(rejected)} items can be read; {rejected[0]}")
    return Announcement(announced.date(), built, tuple(items), tuple(rejected))


# ---- one item

_PREFIX = "oai:arXiv.org:"
_VERSIONED = re.compile(rf"oai:arXiv\.org:(({IDENTIFIER})v([1-9][0-9]{{0,3}}))")
_OPTIONAL = ("doi", "journal_ref", "license")
_HEAD = re.compile(r"\s*arXiv:(\S+)\s+Announce Type:\s*([a-z-]+)\s+Abstract:\s*")


def _item(element: etree._Element, fields: Mapping[str, str]) -> Item:
    """One pass over the children: a `find` per field costs 40 % more."""
    found: dict[str, str] = {}
    categories: list[str] = []
    size = 0
    for child in element:
        field = fields.get(child.tag)
        if field is None:
            continue
        if field == "category":
            text = (child.text or child.get("term") or "").strip()
            categories.append(text)
        else:
            found[field] = text = child.text or ""
        size += len(text)
    return _read(found, categories, size)


def _read(found: dict[str, str], categories: list[str], size: int) -> Item:
    """A paper out of the texts as they were found."""
    guid = found.get("guid", "").strip()
    if size > MAX_PAPER:
        raise ValueError(f"{guid[:60]}: {size} characters are too long")
    known, kind, abstract = _taken_apart(guid, found.get("kind", "").strip(), found.get("description", ""))
    if kind not in KINDS:
        raise ValueError(f"announce type {kind[:40]!r} is none of {', '.join(sorted(KINDS))}")
    said: dict[str, Any] = {
        "id": known[2],
        "version": int(known[3]),
        "title": one_line(found.get("title", "")),
        "authors": split_authors(clean(found.get("creator", ""))),
        "abstract": clean(abstract).strip(),
        "categories": categories,
    }
    for name in _OPTIONAL:
        if name in found:
            said[name] = clean(found[name]).strip() or None
    return Item(checked(said, size, guid), cast("ArxivKind", kind))


def _taken_apart(guid: str, kind: str, description: str) -> tuple[re.Match[str], str, str]:
    """The identifier and version, the kind, and the abstract.

    The description's head repeats the first two, and stands in for a guid or a kind that is damaged.
    """
    known = _VERSIONED.fullmatch(guid)
    if known:
        usual = f"arXiv:{known[1]} Announce Type: {kind} \nAbstract: "
        if description.startswith(usual):
            return known, kind, description[len(usual) :]
    head = _HEAD.match(description)
    if head:
        known = known or _VERSIONED.fullmatch(_PREFIX + head[1])
        kind, description = kind or head[2], description[head.end() :]
    if known is None:
        raise ValueError(f"guid {guid[:60]!r} is not oai:arXiv.org:<id>v<version>")
    return known, kind, description
