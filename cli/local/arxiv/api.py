"""Answers of the query API over recorded entries: `id_list`, `search_query`, `start`, `max_results`.

https://info.arxiv.org/help/api/user-manual.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

FEED = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" \
xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/{id}</id>
  <title>{title}</title>
  <updated>2026-04-12T22:09:26Z</updated>
  <opensearch:itemsPerPage>{per_page}</opensearch:itemsPerPage>
  <opensearch:totalResults>{total}</opensearch:totalResults>
  <opensearch:startIndex>{start}</opensearch:startIndex>
"""
ERROR = """  <entry>
    <id>https://arxiv.org/api/errors#{anchor}</id>
    <title>Error</title>
    <updated>2026-04-12T22:59:06Z</updated>
    <link href="https://arxiv.org/api/errors#{anchor}" rel="alternate" type="text/html"/>
    <summary>{text}</summary>
    <author>
      <name>arXiv api core</name>
    </author>
  </entry>
"""
DEFAULT_RESULTS = 10
MOST_RESULTS = 30_000
SLICE = 2_000
_ENTRY = re.compile(rb"[ \t\r\n]*<(entry|item)\b.*?</\1>[ \t\r\n]*", re.DOTALL)
_ID = re.compile(rb"<id>https?://arxiv\.org/abs/([^<]+)</id>")
_IDENTIFIER = re.compile(r"(?:[a-z-]+(?:\.[A-Z]{2})?/\d{7}|\d{4}\.\d{4,5})(?:v\d+)?")


def entries(*documents: bytes) -> dict[str, bytes]:
    """The entries of recorded answers by versioned id, in order."""
    found = [entry[0] for document in documents for entry in _ENTRY.finditer(document)]
    return {known[1].decode(): entry for entry in found if (known := _ID.search(entry))}


def without_entries(document: bytes) -> bytes:
    """The feed with nothing in it."""
    return _ENTRY.sub(b"", document)


def answer(
    query: Mapping[str, str], papers: Mapping[str, bytes], *, total: int | None = None, empty: bool = False
) -> tuple[int, bytes]:
    """The HTTP status and the feed. A search says that there are `total`; an `empty` page tells that and no more."""
    start, size = _number(query, "start", 0), _number(query, "max_results", DEFAULT_RESULTS)
    if start is None or start < 0:
        return refused("start_must_be_an_integer", "start must be a non-negative integer")
    if size is None or size < 0:
        return refused("max_results_must_be_an_integer", "max_results must be a non-negative integer")
    if start + size > MOST_RESULTS:
        return refused("max_results_too_large", f"start plus max_results must be at most {MOST_RESULTS}")
    wanted = [name for name in query.get("id_list", "").split(",") if name]
    wrong = next((name for name in wanted if not _IDENTIFIER.fullmatch(name)), None)
    if wrong is not None:
        return refused(f"incorrect_id_format_for_{wrong}", f"incorrect id format for {wrong}")
    found = [papers[key] for key in (_found(name, papers) for name in wanted) if key] if wanted else [*papers.values()]
    total = len(found) if wanted or total is None else total
    shown = [] if empty else found[start : start + min(size, SLICE)]
    title = f"arXiv Query: search_query={query.get('search_query', '')}&id_list={','.join(wanted)}"
    return 200, _feed("local", title, shown, total=total, start=start, per_page=size)


def refused(anchor: str, text: str) -> tuple[int, bytes]:
    """HTTP 400 with the one entry that says why."""
    entry = ERROR.format(anchor=escape(anchor), text=escape(text)).encode()
    return 400, _feed("error", "arXiv Search Results", [entry], total=1, start=0, per_page=1)


def _number(query: Mapping[str, str], name: str, default: int) -> int | None:
    text = query.get(name, "")
    if not text:
        return default
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else None


def _found(name: str, papers: Mapping[str, bytes]) -> str | None:
    """The key of this version; without one, of the newest."""
    versions = [key for key in papers if key == name or key.rpartition("v")[0] == name]
    return max(versions, key=lambda key: int(key.rpartition("v")[2])) if versions else None


def _feed(identifier: str, title: str, shown: Sequence[bytes], *, total: int, start: int, per_page: int) -> bytes:
    head = FEED.format(id=identifier, title=escape(title), total=total, start=start, per_page=per_page)
    return head.encode() + b"".join(shown) + b"</feed>\n"
