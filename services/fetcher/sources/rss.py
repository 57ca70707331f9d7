"""Any feed as a source: RSS 0.9x, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0. A lab's blog, a journal's table of contents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from lxml import etree

from services.fetcher.sources import ADDRESS, UNDATED, Option
from services.fetcher.sources.arxiv_rss import Announcement, Item
from services.fetcher.sources.document import UnusableDocument, tree
from services.fetcher.sources.papers import MAX_PAPER
from services.fetcher.sources.texts import moment, one_line, paragraphs, shortened, why
from shared.messages import Paper

OPTIONS: Mapping[str, Option] = {"url": Option(ADDRESS, "https://lab.example.org/feed.xml")}
GLOBAL_IDS = False
BY_DAY = False
MOST_CATEGORIES = 50


def requests(options: Mapping[str, str], since: date, until: date) -> list[str]:
    """The feed, whatever days it covers."""
    del since, until
    return [options["url"]]


def following(url: str, document: bytes) -> str | None:
    """A feed is one document."""
    del url, document
    return None


def parse(document: bytes, *, content_type: str | None = None) -> Announcement:
    """The feed's entries as papers, dated by the newest of them."""
    root = tree(_DOCTYPE.sub(rb"\1", document, count=1), content_type=content_type)
    channel, elements = _parts(root)
    items: dict[str, Item] = {}
    rejected: list[str] = []
    for number, element in enumerate(elements, start=1):
        try:
            item = _item(_found(element))
            items.setdefault(item.paper.id, item)
        except ValueError as error:
            rejected.append(f"entry {number}: {why(error)}")
    if rejected and not items:
        raise UnusableDocument(f"none of the {len(rejected)} entries can be read; {rejected[0]}")
    built = _moment(_found(channel), ("built", "date"))
    newest = max((item.paper.posted for item in items.values() if item.paper.posted), default=None)
    day = newest or (built.date() if built else UNDATED)
    return Announcement(day, built or datetime.combine(day, time(), UTC), tuple(items.values()), tuple(rejected))


# ---- the forms

# RSS 0.91 names Netscape's DTD. It declares only entities, which are decoded here anyway; one with an internal
# subset declares what it likes and is refused.
_DOCTYPE = re.compile(
    rb"\A((?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]{0,200}\?>)?\s*)<!DOCTYPE\s+rss\b[^<>\[\]]{0,300}>", re.IGNORECASE
)
_ATOM = ("{http://www.w3.org/2005/Atom}", "{http://purl.org/atom/ns#}")
_CORE = (
    "",
    "http://www.w3.org/2005/Atom",
    "http://purl.org/atom/ns#",
    "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple/0.9/",
    "http://channel.netscape.com/rdf/simple/0.9/",
    "http://backend.userland.com/rss2",
)
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PRISM = "http://prismstandard.org/namespaces/"
_PREFIXES = dict.fromkeys(_CORE, "") | {
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
}
_FIELDS = {
    "guid": "id", "id": "id",
    "link": "link",
    "title": "title",
    "description": "summary", "summary": "summary",
    "content:encoded": "content", "content": "content", "xhtml:body": "content", "xhtml:div": "content",
    "author": "author", "dc:creator": "author", "dc:contributor": "author",
    "category": "category", "dc:subject": "category",
    "published": "date", "pubDate": "date", "issued": "date", "dc:date": "date", "dcterms:issued": "date",
    "created": "date", "updated": "built", "modified": "built", "lastBuildDate": "built", "dcterms:modified": "built",
    "prism:doi": "doi", "dc:identifier": "identifier",
    "dc:rights": "rights",
}  # fmt: skip


class Text(NamedTuple):
    """The content of an element, and whether it is markup."""

    text: str
    html: bool = True


Found = dict[str, list[Text]]


def _parts(root: etree._Element) -> tuple[etree._Element, Iterable[etree._Element]]:
    """What tells about the feed, and its entries."""
    kind = _name(root)
    if kind == "feed":
        return root, _children(root, "entry")
    if kind == "rss" or root.tag == _RDF + "RDF":
        channel = next(_children(root, "channel"), None)
        if channel is None:
            raise UnusableDocument("the feed has no channel")
        inside = list(_children(channel, "item"))  # RSS 0.9 and 1.0 have them beside it
        return channel, inside or _children(root, "item")
    raise UnusableDocument(f"expected an RSS or Atom feed, got <{str(root.tag)[:80]}>")


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if _name(child) == name)


def _name(element: etree._Element) -> str:
    """`title`, `dc:creator`; a namespace that means nothing here gives nothing."""
    namespace, _, local = str(element.tag).rpartition("}")
    namespace = namespace.removeprefix("{")
    if namespace.startswith(_PRISM):
        return f"prism:{local}"
    prefix = _PREFIXES.get(namespace)
    return "" if prefix is None else prefix + local


# ---- one entry


def _found(element: etree._Element) -> Found:
    """The texts of an entry by what they are."""
    found: Found = {}
    for child in element:
        field = _FIELDS.get(_name(child))
        if field:
            found.setdefault(field, []).extend(_texts(field, child))
    if about := element.get(_RDF + "about"):
        found.setdefault("id", []).append(Text(about))
    return found


def _texts(field: str, element: etree._Element) -> Iterable[Text]:
    if field == "link":
        if element.get("rel", "alternate") == "alternate":
            yield Text(element.get("href") or element.text or "")
    elif field == "category":
        yield Text(element.get("term") or element.text or "")
    elif field == "author" and len(element):  # Atom: name, email, address
        yield Text(next((child.text or "" for child in element if _name(child) == "name"), ""))
    elif len(element):  # XHTML
        yield Text(etree.tostring(element, encoding="unicode", with_tail=False))
    else:
        plain = "text" if element.tag.startswith(_ATOM) else "html"  # what it is when it does not say so
        yield Text(element.text or "", element.get("type", plain) not in ("text", "text/plain"))


def _item(found: Found) -> Item:
    link = _first(found, "link")
    identity = _identity(_first(found, "id") or link or _first(found, "title"))
    written = _moment(found, ("date", "built"))
    paper = Paper(
        id=identity,
        version=1,
        title=_title(found),
        authors=tuple(_authors(found.get("author", ()))),
        abstract=_abstract(found),
        categories=tuple(_distinct(found.get("category", ())))[:MOST_CATEGORIES],
        doi=_doi(found),
        source="rss",
        url=link if re.fullmatch(ADDRESS, link) and len(link) < 2_000 else None,
        posted=written.date() if written else None,
    )
    if len(paper.model_dump_json().encode()) > MAX_PAPER:
        raise ValueError(f"{identity[:60]}: larger than {MAX_PAPER} bytes")
    return Item(paper, "new")


def _first(found: Found, field: str) -> str:
    """The first text that says something."""
    return next((one_line(text) for text, _ in found.get(field, ()) if text.strip()), "")


_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@+=,:-]*(?:/[A-Za-z0-9_~@+=,:-][A-Za-z0-9._~@+=,:-]*){0,20}")


def _identity(text: str) -> str:
    """The address without its scheme, so that a site's move to https makes nothing new; a digest of odd ones."""
    bare = re.sub(r"\Ahttps?://", "", text).rstrip("/")
    if not bare:
        raise ValueError("has neither id nor link nor title")
    if len(bare) <= 200 and _SAFE.fullmatch(bare):
        return bare
    return hashlib.sha256(bare.encode()).hexdigest()[:32]


def _title(found: Found) -> str:
    """Short posts have none: their beginning stands for it."""
    title = _first(found, "title")
    if title:
        return title[:1_000]
    beginning = " ".join(_abstract(found).split())
    if not beginning:
        raise ValueError("has neither title nor text")
    return beginning if len(beginning) <= 80 else beginning[:80].rpartition(" ")[0] + " …"


def _abstract(found: Found) -> str:
    """The summary, else the content: as paragraphs, and of a length to be read in a list."""
    for text, html in (*found.get("summary", ()), *found.get("content", ())):
        plain = paragraphs(text) if html else "\n\n".join(map(one_line, re.split(r"\n\s*\n", text)))
        if plain.strip():
            return shortened(plain.strip())
    return ""


_MAIL = re.compile(r"\S+@\S+\s*\(([^()]{1,200})\)")  # RSS 2.0: `lawyer@boyer.net (Lawyer Boyer)`


def _authors(found: Iterable[Text]) -> Iterable[str]:
    for text in _distinct(found):
        mail = _MAIL.fullmatch(text)
        name = mail[1] if mail else text
        if "@" not in name:
            yield name[:200]


def _distinct(found: Iterable[Text]) -> list[str]:
    texts = (one_line(text)[:500] for text, _ in found)
    return list(dict.fromkeys(text for text in texts if text))


_DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.[0-9]{4,9}/[!-~]{1,200})", re.IGNORECASE)


def _doi(found: Found) -> str | None:
    candidates = (*found.get("doi", ()), *found.get("identifier", ()), *found.get("link", ()), *found.get("id", ()))
    matches = (_DOI.fullmatch(text.strip()) for text, _ in candidates)
    return next((match[1] for match in matches if match), None)


def _moment(found: Found, fields: Iterable[str]) -> datetime | None:
    """The first date that can be read."""
    texts = (text for field in fields for text, _ in found.get(field, ()))
    return next((read for read in map(moment, texts) if read), None)
