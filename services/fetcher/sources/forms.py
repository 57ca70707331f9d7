"""Which form a recorded document has, and its papers, whatever the form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

from services.fetcher.sources.arxiv_rss import Item
from services.fetcher.sources.document import UnusableDocument

START = 16_384

RSS = "arXiv announcement, RSS"
ATOM = "arXiv announcement, Atom"
API = "arXiv query API, Atom"
OAI_ARXIV = "arXiv OAI-PMH, arXiv"
OAI_RAW = "arXiv OAI-PMH, arXivRaw"
OAI = "arXiv OAI-PMH"
BIORXIV = "bioRxiv or medRxiv API, JSON"
FEED = "RSS or Atom feed"
UNKNOWN = "unknown form"

READERS = {
    RSS: "arxiv_rss",
    ATOM: "arxiv_rss",
    API: "arxiv_api",
    OAI_ARXIV: "arxiv_oai",
    OAI_RAW: "arxiv_oai",
    OAI: "arxiv_oai",
    BIORXIV: "biorxiv",
    FEED: "rss",
    UNKNOWN: "rss",  # it says what is wrong
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document holds."""

    form: str
    items: tuple[Item, ...]
    dates: tuple[Mapping[str, date], ...]
    """Of each item: when it was announced, created, updated, published, as far as the document says."""
    rejected: tuple[str, ...]


def recognise(document: bytes) -> str:
    """The form, by the beginning of the document; it need not be whole."""
    start = _beginning(document)
    if start.startswith("{"):
        return BIORXIV if '"collection"' in start or '"messages"' in start else UNKNOWN
    root = re.search(r"<(?:[A-Za-z]+:)?(rss|feed|RDF|OAI-PMH)\b", start)
    if root is None or _is_page(start):
        return UNKNOWN
    if root[1] == "OAI-PMH":
        return _oai_form(start)
    if root[1] == "rss":
        return RSS if _announces(start) else FEED
    if root[1] == "feed":
        return ATOM if _announces(start) else API if _answers_query(start) else FEED
    return FEED


def read(document: bytes) -> Reading:
    """The papers; `UnusableDocument` when the document must not be used."""
    form = recognise(document)
    name = f"services.fetcher.sources.{READERS[form]}"
    try:
        parser = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UnusableDocument("this form is not supported in this build") from None
    try:
        found = parser.parse(document)
    except UnusableDocument as error:
        if getattr(error, "code", None) == "noRecordsMatch":  # an error by name, an empty list by meaning
            return Reading(form, (), (), ())
        raise
    if not found.items and getattr(found, "total", 0) > getattr(found, "start", 0):
        raise UnusableDocument(f"the page is empty although there are {found.total} papers; ask again")
    return Reading(form, tuple(found.items), tuple(_dates(form, found)), tuple(found.rejected))


def _beginning(document: bytes) -> str:
    encoding = "utf-16" if document.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return document[:START].decode(encoding, "replace").lstrip()


def _is_page(start: str) -> bool:
    return re.match(r"(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", start, re.IGNORECASE | re.DOTALL) is not None


def _announces(start: str) -> bool:
    """Any feed may mention arXiv; this one is built by it."""
    return "://rss.arxiv.org/" in start or "<arxiv:announce_type>" in start


def _answers_query(start: str) -> bool:
    return "://arxiv.org/api/" in start or (
        "http://arxiv.org/schemas/atom" in start and "http://a9.com/-/spec/opensearch/" in start
    )


def _oai_form(start: str) -> str:
    """By the records, else by what was asked for."""
    for form, name in ((OAI_RAW, "arXivRaw"), (OAI_ARXIV, "arXiv")):
        if re.search(rf'<{name}[\s>]|metadataPrefix="{name}"', start):
            return form
    return OAI


def _dates(form: str, found: Any) -> Sequence[Mapping[str, date]]:
    told = getattr(found, "dates", None)
    if told is not None:
        return [{name: day for name, day in dates._asdict().items() if day} for dates in told]
    if form in (RSS, ATOM):
        return [{"announced": found.date}] * len(found.items)
    return [{"published": paper.posted} if paper.posted else {} for paper, _ in found.items]
