"""arXiv's daily announcement, as RSS 2.0 or Atom, read into papers. Pure: bytes in, values out.

https://info.arxiv.org/help/rss_specifications.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple, cast, get_args
from zoneinfo import ZoneInfo

from lxml import etree
from pydantic import TypeAdapter, ValidationError

from services.fetcher.authors import split_authors
from services.fetcher.sources.document import UnusableDocument, tree
from services.fetcher.text import IDENTIFIER, clean
from shared.messages import Kind, Paper

__all__ = ["EASTERN", "Announcement", "Item", "UnusableDocument", "parse"]

EASTERN = ZoneInfo("America/New_York")
TOGETHER = 25
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


_Read = tuple[dict[str, Any], Kind]
"""The fields of a paper, not yet checked, and how it was announced."""

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
    rejected: dict[int, str] = {}
    read: dict[int, _Read] = {}
    for number, element in enumerate(elements, start=1):
        try:
            read[number] = _item(element, fields)
        except ValueError as error:
            rejected[number] = str(error)
        if len(read) == TOGETHER:
            items += _items(read, rejected)
            read = {}
    items += _items(read, rejected)
    told = tuple(f"item {number}: {rejected[number]}" for number in sorted(rejected))
    if told and not items:
        raise UnusableDocument(f"none of the {len(told)} items can be read; {told[0]}")
    return Announcement(announced.date(), built, tuple(items), told)


_PAPERS = TypeAdapter(list[Paper])


def _items(read: dict[int, _Read], rejected: dict[int, str]) -> Iterable[Item]:
    """Papers checked together, which takes half the time of one by one; what is wrong goes to the `rejected`."""
    try:
        papers = _PAPERS.validate_python([found for found, _ in read.values()])
    except ValidationError as error:
        rejected.update(_wrong(error, list(read)))
        return _items({number: found for number, found in read.items() if number not in rejected}, rejected)
    return map(Item, papers, [kind for _, kind in read.values()])


def _wrong(error: ValidationError, numbers: Sequence[int]) -> dict[int, str]:
    """What is wrong with each of the items that have these numbers."""
    told: dict[int, list[str]] = {}
    for problem in error.errors(include_url=False, include_input=False):
        position, field, *_ = problem["loc"]
        told.setdefault(numbers[int(position)], []).append(f"{field}: {problem['msg']}")
    return {number: "; ".join(problems) for number, problems in told.items()}


# ---- one item

_VERSIONED = re.compile(rf"oai:arXiv\.org:({IDENTIFIER})v([1-9][0-9]{{0,3}})")
_PREFIX = "oai:arXiv.org:"
_OPTIONAL = ("doi", "journal_ref", "license")
_HEAD = re.compile(r"\s*arXiv:(\S+)\s+Announce Type:\s*([a-z-]+)\s+Abstract:\s*")


def _item(element: etree._Element, fields: Mapping[str, str]) -> _Read:
    """One pass over the children: a `find` per field costs 40 % more."""
    found: dict[str, Any] = {}
    categories: list[str] = []
    for child in element:
        field = fields.get(child.tag)
        if field == "category":
            categories.append((child.text or child.get("term") or "").strip())
        elif field is not None:
            found[field] = child.text or ""
    size = sum(map(len, found.values())) + sum(map(len, categories))
    found["categories"] = categories
    return _read(found, size)


def _read(found: dict[str, Any], size: int) -> _Read:
    """The texts as found, replaced by what they say; pydantic takes the fields of a paper out of them."""
    guid = found.get("guid", "").strip()
    if size > MAX_PAPER:
        raise ValueError(f"{guid[:60]}: {size} characters are too long")
    head, abstract = _taken_apart(found.get("description", ""), guid, found.get("kind", ""))
    found["id"], found["version"] = _identity(guid, head)
    found["title"] = " ".join(clean(found.get("title", "")).split())
    found["authors"] = split_authors(clean(found.get("creator", "")))
    found["abstract"] = clean(abstract).strip()
    for name in _OPTIONAL:
        if name in found:
            found[name] = clean(found[name]).strip() or None
    if size > LONG_ITEM and not _fits(found):
        raise ValueError(f"{guid[:60]}: larger than {MAX_PAPER} bytes")
    return found, _kind(found.get("kind", "").strip() or (head[2] if head else ""))


def _taken_apart(description: str, guid: str, kind: str) -> tuple[re.Match[str] | None, str]:
    """The description's head, and the abstract after it. A head that only repeats the rest is not looked into."""
    usual = f"arXiv:{guid[len(_PREFIX) :]} Announce Type: {kind} \nAbstract: "
    if guid.startswith(_PREFIX) and description.startswith(usual):
        return None, description[len(usual) :]
    head = _HEAD.match(description)
    return head, description[head.end() :] if head else description


def _fits(found: dict[str, Any]) -> bool:
    """Into a message. What is no paper at all is told with all the others."""
    try:
        return len(Paper.model_validate(found).model_dump_json().encode()) <= MAX_PAPER
    except ValidationError:
        return True


def _identity(guid: str, head: re.Match[str] | None) -> tuple[str, int]:
    """From the guid, or from the description's head when the guid is damaged."""
    known = _VERSIONED.fullmatch(guid) or (_VERSIONED.fullmatch(_PREFIX + head[1]) if head else None)
    if known is None:
        raise ValueError(f"guid {guid[:60]!r} is not oai:arXiv.org:<id>v<version>")
    return known[1], int(known[2])


def _kind(text: str) -> Kind:
    if text not in KINDS:
        raise ValueError(f"announce type {text[:40]!r} is none of {', '.join(sorted(KINDS))}")
    return cast("ArxivKind", text)
