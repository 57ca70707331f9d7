"""An answer of arXiv's query API (Atom with OpenSearch totals), read into papers. Pure: bytes in, values out.

https://info.arxiv.org/help/api/user-manual.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lxml import etree

from services.fetcher.sources.arxiv_rss import Item
from services.fetcher.sources.document import UnusableDocument, tree
from services.fetcher.sources.papers import MAX_PAPER, checked
from services.fetcher.sources.texts import why
from services.fetcher.text import IDENTIFIER, clean, one_line
from shared.messages import Paper

__all__ = ["ApiError", "Dates", "Item", "Page", "UnusableDocument", "parse"]


class ApiError(UnusableDocument):
    """The API answered with its error entry; the text is arXiv's own."""


class Dates(NamedTuple):
    """When a paper's first version, and when this version, was submitted."""

    published: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of what was asked for."""

    items: tuple[Item, ...]
    """In the order of the document; all of kind `backfill`."""
    dates: tuple[Dates, ...]
    """Of each item."""
    total: int
    """How many results there are in all."""
    start: int
    """The number of results before this page."""
    per_page: int
    rejected: tuple[str, ...]
    """Entries that could not be read, each with why."""


def parse(document: bytes, *, content_type: str | None = None) -> Page:
    """The page in the document; `ApiError` when it tells an error, `UnusableDocument` when it is something else."""
    root = tree(document, content_type=content_type)
    if root.tag != _ATOM + "feed" or root.find(_TOTAL) is None:
        raise UnusableDocument(f"expected an answer of arXiv's query API, got <{str(root.tag)[:80]}>")
    return _page(root)


# ---- the document

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_TOTAL = _OPENSEARCH + "totalResults"
_NUMBER = re.compile(r"[0-9]{1,9}")
_ERROR = re.compile(r"https?://[^/]*/api/errors\b")


def _page(root: etree._Element) -> Page:
    items: list[Item] = []
    dates: list[Dates] = []
    rejected: list[str] = []
    for number, element in enumerate(root.iterchildren(_ATOM + "entry"), start=1):
        try:
            item, dated = _item(element)
        except ValueError as error:
            rejected.append(f"entry {number}: {why(error)}")
        else:
            items.append(item)
            dates.append(dated)
    if rejected and not items:
        raise UnusableDocument(f"none of the {len(rejected)} entries can be read; {rejected[0]}")
    return Page(
        items=tuple(items),
        dates=tuple(dates),
        total=_number(root, "totalResults"),
        start=_number(root, "startIndex"),
        per_page=_number(root, "itemsPerPage"),
        rejected=tuple(rejected),
    )


def _number(root: etree._Element, name: str) -> int:
    text = (root.findtext(_OPENSEARCH + name) or "").strip()
    if not _NUMBER.fullmatch(text):
        raise UnusableDocument(f"opensearch:{name} is {text[:40]!r}, not a number")
    return int(text)


# ---- one entry

_TEXTS = {
    _ATOM + "id": "address",
    _ATOM + "title": "title",
    _ATOM + "summary": "abstract",
    _ATOM + "published": "published",
    _ATOM + "updated": "updated",
    _ARXIV + "doi": "doi",
    _ARXIV + "journal_ref": "journal_ref",
    _ARXIV + "comment": "comment",
}
_AUTHOR = _ATOM + "author"
_NAME = _ATOM + "name"
_PRIMARY = _ARXIV + "primary_category"
_CATEGORIES = frozenset((_PRIMARY, _ATOM + "category"))
_OPTIONAL = frozenset(("doi", "journal_ref", "comment"))
_ADDRESS = re.compile(rf"https?://[a-z.]*arxiv\.org/abs/({IDENTIFIER})v([1-9][0-9]{{0,3}})")
# The classes of other schemes (62G10, I.2.7) stand among arXiv's own.
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z-]{2,20})?")


def _item(element: etree._Element) -> tuple[Item, Dates]:
    """One pass over the children: a `find` per field costs 40 % more."""
    found: dict[str, Any] = {}
    authors: list[str] = []
    categories: list[str] = []
    size = 0
    for child in element:
        tag = child.tag
        if tag == _AUTHOR:
            authors.append(_name(child))
            size += len(authors[-1])
        elif tag in _CATEGORIES:
            term = (child.get("term") or "").strip()
            size += len(term)
            categories.insert(0 if tag == _PRIMARY else len(categories), term)
        elif (field := _TEXTS.get(tag)) is not None:
            found[field] = child.text or ""
            size += len(found[field])
    found["authors"], found["categories"] = authors, categories
    return Item(_paper(found, size), "backfill"), _dates(found)


def _name(author: etree._Element) -> str:
    """Beside it there may be an affiliation. `findtext` takes three times as long."""
    for part in author:
        if part.tag == _NAME:
            return part.text or ""
    return ""


def _paper(found: dict[str, Any], size: int) -> Paper:
    """The texts as found, replaced by what they say; pydantic takes the fields of a paper out of them."""
    address = found.get("address", "").strip()
    known = _ADDRESS.fullmatch(address)
    if known is None:
        _refuse_error(address, found)
        raise ValueError(f"id {address[:80]!r} is not https://arxiv.org/abs/<id>v<version>")
    if size > MAX_PAPER:
        raise ValueError(f"{known[1]}: {size} characters are too long")
    found["id"], found["version"] = known[1], int(known[2])
    found["title"] = one_line(found.get("title", ""))
    found["abstract"] = clean(found.get("abstract", "")).strip()
    found["authors"] = [name for name in map(one_line, found["authors"]) if name]
    found["categories"] = [name for name in dict.fromkeys(found["categories"]) if _CATEGORY.fullmatch(name)]
    for name in _OPTIONAL & found.keys():
        found[name] = one_line(found[name]) or None
    return checked(found, size, known[1])


def _refuse_error(address: str, found: dict[str, Any]) -> None:
    """A paper may be called "Error", so the entry's id decides."""
    if _ERROR.match(address):
        raise ApiError(one_line(found.get("abstract", ""))[:300] or "an error without a text")


def _dates(found: dict[str, Any]) -> Dates:
    """Each stands for the other where one is missing."""
    published = found.get("published", "").strip() or found.get("updated", "").strip()
    updated = found.get("updated", "").strip() or published
    first = _moment(published)
    return Dates(first, first if updated == published else _moment(updated))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"date {text[:40]!r} cannot be read") from None
