"""An answer of arXiv's OAI-PMH server (`arXiv` or `arXivRaw`), read into papers. Pure: bytes in, values out.

https://info.arxiv.org/help/oa/index.html, http://www.openarchives.org/OAI/openarchivesprotocol.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from lxml import etree

from services.fetcher.authors import split_authors
from services.fetcher.sources.arxiv_rss import EASTERN, Item
from services.fetcher.sources.document import UnusableDocument, tree
from services.fetcher.sources.papers import MAX_PAPER, checked
from services.fetcher.sources.texts import why
from services.fetcher.text import IDENTIFIER, clean, one_line
from shared.messages import Paper

__all__ = ["Dates", "Item", "OaiError", "Page", "UnusableDocument", "parse"]


class OaiError(UnusableDocument):
    """The server answered with an error of the protocol: `noRecordsMatch`, `badResumptionToken`, …"""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text


class Dates(NamedTuple):
    """Days of a paper's life, those of versions in US Eastern time where the hour is known."""

    created: date
    """Of the first version."""
    updated: date | None
    """Of the newest version, if that is another one."""
    changed: date
    """When the record last changed in any way: what a harvest by days goes by."""


@dataclass(slots=True)
class Page:
    """One answer of a list, or one record."""

    token: str | None
    """What to ask for the rest with; None at the end of the list."""
    complete_size: int | None
    """How many records the whole list has, where the server says."""
    items: tuple[Item, ...] = ()
    """In the order of the document; all of kind `backfill`."""
    dates: tuple[Dates, ...] = ()
    """Of each item."""
    deleted: tuple[str, ...] = ()
    """Identifiers whose record was withdrawn from the list."""
    rejected: tuple[str, ...] = ()
    """Records that could not be read, each with why."""


def parse(document: bytes, *, content_type: str | None = None) -> Page:
    """The page in the document; `OaiError` when it is an error, `UnusableDocument` when it is no such answer."""
    root = tree(document, content_type=content_type)
    if _name(root) != "OAI-PMH":
        raise UnusableDocument(f"expected an OAI-PMH answer, got <{str(root.tag)[:80]}>")
    for child in root:
        if _name(child) == "error":
            raise OaiError(child.get("code", "unknown")[:80], " ".join((child.text or "").split())[:300])
        if _name(child) in ("ListRecords", "GetRecord"):
            return _page(child)
    raise UnusableDocument("the OAI-PMH answer has neither records nor an error")


def _name(element: etree._Element) -> str:
    """The name without namespace: the old server leaves out the metadata's own at times."""
    return str(element.tag).rpartition("}")[2]


# ---- a page

_MAX_TOKEN = 2_000
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RECORD, _HEADER, _METADATA = (_OAI + name for name in ("record", "header", "metadata"))


@dataclass(slots=True)
class _Found:
    """What a page's records come to."""

    items: list[Item] = field(default_factory=list)
    dates: list[Dates] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


def _page(answer: etree._Element) -> Page:
    found = _Found()
    for number, record in enumerate(answer.iterchildren(_RECORD), start=1):
        try:
            _record(record, found)
        except ValueError as error:
            found.rejected.append(f"record {number}: {why(error)}")
    token, size = _continuation(answer)
    items, dates = tuple(found.items), tuple(found.dates)
    return Page(token, size, items, dates, tuple(found.deleted), tuple(found.rejected))


def _continuation(answer: etree._Element) -> tuple[str | None, int | None]:
    """The token, and the size of the whole list. An empty token ends the list as a missing one does."""
    element = answer.find(_OAI + "resumptionToken")
    if element is None:
        return None, None
    token = (element.text or "").strip() or None
    if token and len(token) > _MAX_TOKEN:
        raise UnusableDocument(f"the resumption token has {len(token)} characters")
    size = element.get("completeListSize", "").strip()
    return token, int(size) if re.fullmatch("[0-9]{1,9}", size) else None


# ---- one record

_IDENTIFIED = re.compile(rf"oai:arXiv\.org:({IDENTIFIER})")
_VERSION = re.compile(r"v([1-9][0-9]{0,3})")
_NAMESPACES = ("{http://arxiv.org/OAI/arXiv/}", "{http://arxiv.org/OAI/arXivRaw/}", _OAI, "")
_FORMS = frozenset(("arXiv", "arXivRaw"))
_NAMES = {
    "title": "title",
    "abstract": "abstract",
    "categories": "categories",
    "authors": "authors",
    "version": "version",
    "created": "created",
    "updated": "updated",
    "doi": "doi",
    "journal-ref": "journal_ref",
    "comments": "comment",
    "license": "license",
}
_FIELDS = {namespace + tag: name for namespace in _NAMESPACES for tag, name in _NAMES.items()}
_PARTS = {
    namespace + name: place
    for namespace in _NAMESPACES
    for place, name in enumerate(("forenames", "keyname", "suffix"))
}
_OPTIONAL = frozenset(("doi", "journal_ref", "comment", "license"))


def _record(record: etree._Element, found: _Found) -> None:
    header = record.find(_HEADER)
    if header is None:
        raise ValueError("it has no header")
    identifier = (header.findtext(_OAI + "identifier") or "").strip()
    known = _IDENTIFIED.fullmatch(identifier)
    if known is None:
        raise ValueError(f"identifier {identifier[:60]!r} is not oai:arXiv.org:<id>")
    if header.get("status") == "deleted":
        found.deleted.append(known[1])
        return
    texts, size = _texts(_metadata(record, known[1]))
    changed = _day(header.findtext(_OAI + "datestamp"), "datestamp")
    paper, dates = _paper(known[1], texts, size, changed)
    if size > MAX_PAPER:
        raise ValueError(f"{known[1]}: larger than {MAX_PAPER} bytes")
    found.items.append(Item(paper, "backfill"))
    found.dates.append(dates)


def _metadata(record: etree._Element, identifier: str) -> etree._Element:
    metadata = record.find(_METADATA)
    if metadata is None or not len(metadata):
        raise ValueError(f"{identifier}: it has no metadata")
    if _name(metadata[0]) not in _FORMS:
        raise UnusableDocument(f"the records are in the form <{_name(metadata[0])[:80]}>, not arXiv or arXivRaw")
    return metadata[0]


def _texts(metadata: etree._Element) -> tuple[dict[str, Any], int]:
    """The fields' texts as they are, and how many characters there are: one pass over the children."""
    found: dict[str, Any] = {}
    versions: list[etree._Element] = []
    size = 0
    for child in metadata:
        name = _FIELDS.get(child.tag)
        if name is None:
            continue
        if name == "version":
            versions.append(child)
        elif name == "authors" and len(child):
            found[name] = list(_names(child))
            size += sum(map(len, found[name]))
        else:
            found[name] = child.text or ""
            size += len(found[name])
    found["versions"] = versions
    return found, size


def _names(authors: etree._Element) -> Iterator[str]:
    """Forenames, name, suffix, in this order whatever the document's; affiliations are left out."""
    for author in authors:
        parts = ["", "", ""]
        for part in author:
            place = _PARTS.get(part.tag)
            if place is not None:
                parts[place] = part.text or ""
        if name := " ".join(" ".join(parts).split()):
            yield name


def _paper(identifier: str, texts: dict[str, Any], size: int, changed: date) -> tuple[Paper, Dates]:
    """The texts, replaced by what they say; pydantic takes the fields of a paper out of them."""
    texts["id"] = identifier
    texts["version"], dates = _history(texts, changed)
    texts["title"] = one_line(texts.get("title", ""))
    authors = texts.get("authors", "")
    joined = isinstance(authors, str)
    texts["authors"] = split_authors(clean(authors)) if joined else list(map(clean, authors))
    texts["abstract"] = clean(texts.get("abstract", "")).strip()
    texts["categories"] = texts.get("categories", "").split()
    for name in _OPTIONAL & texts.keys():
        texts[name] = one_line(texts[name]) or None
    return checked(texts, size, identifier), dates


def _history(texts: dict[str, Any], changed: date) -> tuple[int, Dates]:
    """The version and its dates. Only `arXivRaw` tells versions; its last one is what the record describes."""
    versions: list[etree._Element] = texts["versions"]
    if not versions:
        created = _day(texts["created"], "created") if "created" in texts else changed
        return 1, Dates(created, _day(texts["updated"], "updated") if "updated" in texts else None, changed)
    number = _VERSION.fullmatch(versions[-1].get("version", ""))
    if number is None:
        raise ValueError(f"version {versions[-1].get('version', '')[:20]!r} is not v<number>")
    first = _submitted(versions[0])
    last = _submitted(versions[-1]) if len(versions) > 1 else None
    return int(number[1]), Dates(first or changed, last, changed)


def _submitted(version: etree._Element) -> date | None:
    """The day of a version in US Eastern time; None when it is not readable."""
    text = next((child.text for child in version if _name(child) == "date"), None) or ""
    try:
        return parsedate_to_datetime(text).astimezone(EASTERN).date()
    except (ValueError, OverflowError):
        return None


def _day(text: str | None, what: str) -> date:
    """`2026-09-25`; of a moment (`2026-09-25T05:00:00Z`) the day."""
    try:
        return date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        raise ValueError(f"{what} {(text or '')[:40]!r} is not a date") from None
