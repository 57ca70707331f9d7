"""bioRxiv and medRxiv, by their JSON API: one day at a time, page by page. https://api.biorxiv.org/"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.fetcher.sources import ADDRESS, UNDATED, Option
from services.fetcher.sources.arxiv_rss import Announcement, Item
from services.fetcher.sources.document import MAX_DOCUMENT, UnusableDocument
from services.fetcher.sources.papers import MAX_PAPER
from services.fetcher.sources.texts import clean, one_line, why
from shared.messages import Paper

OPTIONS: Mapping[str, Option] = {
    "server": Option("biorxiv|medrxiv", "biorxiv", "biorxiv"),
    "url": Option(ADDRESS, "https://api.biorxiv.org", "https://api.biorxiv.org"),
}
GLOBAL_IDS = True
BY_DAY = True


def requests(options: Mapping[str, str], since: date, until: date) -> list[str]:
    """One address for each day: the API leaves wide ranges unanswered."""
    base = f"{options['url'].rstrip('/')}/details/{options['server']}"
    days = (since + timedelta(days=number) for number in range((until - since).days + 1))
    return [f"{base}/{day}/{day}/0/json" for day in days]


def following(url: str, document: bytes) -> str | None:
    """The next page begins behind the records that came: pages hold 100 by the help page, 30 in truth."""
    answer = _answer(document)
    begins = _PAGE.fullmatch(url)
    count = len(_collection(answer))
    if begins is None or not count:
        return None
    reached = int(begins[2]) + count
    return f"{begins[1]}/{reached}/json" if reached < _number(_message(answer).get("total")) else None


def parse(document: bytes, *, content_type: str | None = None) -> Announcement:
    """The versions that were posted, in the order of the document."""
    del content_type
    answer = _answer(document)
    status = str(_message(answer).get("status", ""))
    records = _collection(answer)
    if status.lower() not in ("ok", "no posts found"):
        raise UnusableDocument(f"the server says {status[:80]!r}")
    items: list[Item] = []
    rejected: list[str] = []
    for number, record in enumerate(records, start=1):
        try:
            items.append(_item(record))
        except ValueError as error:
            rejected.append(f"record {number}: {why(error)}")
    if rejected and not items:
        raise UnusableDocument(f"none of the {len(rejected)} records can be read; {rejected[0]}")
    day = max((item.paper.posted for item in items if item.paper.posted), default=UNDATED)
    return Announcement(day, datetime.combine(day, time(), UTC), tuple(items), tuple(rejected))


# ---- the envelope

_PAGE = re.compile(r"(.+)/([0-9]{1,9})/json")


def _answer(document: bytes) -> dict[str, Any]:
    if len(document) > MAX_DOCUMENT:
        raise UnusableDocument(f"the document is larger than {MAX_DOCUMENT} bytes")
    if not document.strip():
        raise UnusableDocument("the document is empty, as this API answers when a range is too wide")
    try:
        answer = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise UnusableDocument(f"not JSON, perhaps cut off: {str(error)[:200]}") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("messages"), list):
        raise UnusableDocument("expected an object with `messages` and `collection`")
    return answer


def _message(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """How it went."""
    first = next(iter(answer["messages"]), None)
    return first if isinstance(first, dict) else {}


def _collection(answer: Mapping[str, Any]) -> list[Any]:
    """The records."""
    records = answer.get("collection", [])
    if not isinstance(records, list):
        raise UnusableDocument("`collection` is no list")
    return records


def _number(value: Any) -> int:
    """The API writes some numbers as strings."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


# ---- one record

_DOI = re.compile(r"10\.[0-9]{4,9}/[A-Za-z0-9._;()/:-]{1,100}")
_LICENSES = {
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "cc_by": "https://creativecommons.org/licenses/by/4.0/",
    "cc_by_nc": "https://creativecommons.org/licenses/by-nc/4.0/",
    "cc_by_nd": "https://creativecommons.org/licenses/by-nd/4.0/",
    "cc_by_nc_nd": "https://creativecommons.org/licenses/by-nc-nd/4.0/",
    "cc_by_nc_sa": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
}


def _item(record: Any) -> Item:
    if not isinstance(record, dict):
        raise ValueError("is no object")  # noqa: TRY004 - of the document, not of our types
    texts = {key: value for key, value in record.items() if isinstance(key, str) and isinstance(value, str)}
    doi, version = texts.get("doi", "").strip(), _number(record.get("version"))
    if not _DOI.fullmatch(doi):
        raise ValueError(f"doi {doi[:60]!r} is none")
    if sum(map(len, texts.values())) > MAX_PAPER:
        raise ValueError(f"{doi}: longer than {MAX_PAPER} characters")
    server = texts.get("server", "").strip().lower() or "biorxiv"
    published_as = texts.get("published", "").strip()
    paper = Paper(
        id=doi,
        version=version,
        title=one_line(texts.get("title", "")),
        authors=tuple(_authors(texts.get("authors", ""))),
        abstract=_abstract(texts.get("abstract", "")),
        categories=tuple(filter(None, (one_line(texts.get("category", "")),))),
        doi=doi,
        comment=f"Published as doi:{published_as}" if _DOI.fullmatch(published_as) else None,
        license=_LICENSES.get(texts.get("license", "").strip().lower()),
        source=server if server in ("biorxiv", "medrxiv") else "biorxiv",
        url=f"https://www.{'medrxiv' if server == 'medrxiv' else 'biorxiv'}.org/content/{doi}v{version}",
        posted=date.fromisoformat(texts.get("date", "").strip()),
    )
    if len(paper.model_dump_json().encode()) > MAX_PAPER:
        raise ValueError(f"{doi}: larger than {MAX_PAPER} bytes")
    return Item(paper, "new" if version == 1 else "replace")


def _authors(text: str) -> list[str]:
    """`Gomez Cuautle, D. D.; King, M., Jr.` in the order that arXiv gives names in, and feeds look for them."""
    return [name for name in map(_name, text.split(";")) if name]


def _name(text: str) -> str:
    family, *given = (part.strip() for part in one_line(text).split(",", 2))
    return " ".join(filter(None, (*given[:1], family, *given[1:])))


_REMOVED = re.compile(r"O_FIG.{0,20000}?C_FIG|O_TBL.{0,20000}?C_TBL|[OC]_SCP(?:LOW|CAP)", re.DOTALL)
_HEADING = re.compile(r"O_ST_ABS(.{0,200}?):?\s*C_ST_ABS", re.DOTALL)
_ITEM = re.compile(r"[OC]_LI")


def _abstract(text: str) -> str:
    """Without the marks that the typesetting left (`AO_SCPLOWBSTRACTC_SCPLOW`, `O_ST_ABSMethodsC_ST_ABS`)."""
    text = _HEADING.sub(r"\n\n\1: ", text)
    text = _ITEM.sub("\n\n", _REMOVED.sub("", text))
    lines = [one_line(line) for line in re.split(r"\n\s*\n", clean(text))]
    return _without_title("\n\n".join(line for line in lines if line))


def _without_title(text: str) -> str:
    for title in ("ABSTRACT", "Abstract"):
        rest = text.removeprefix(title)
        if rest != text and (not rest[:1].isalpha() or rest[:1].isupper()):
            return rest.lstrip(" :.\n")
    return text
