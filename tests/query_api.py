"""A server that answers like arXiv's query API, from recorded answers, with its bad days on demand."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable
from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.local.arxiv import Fault

CONTENT_TYPE = "application/atom+xml; charset=utf-8"
MOST_RESULTS = 30_000
ID = re.compile(r"(?:[a-z-]+/[0-9]{7}|[0-9]{4}\.[0-9]{4,5})(?:v[0-9]+)?")
_ENTRY = re.compile(rb"<entry>\s*<id>https?://arxiv\.org/abs/([^<]+)</id>.*?</entry>", re.DOTALL)


class ApiReplay:
    """What the server answers; everything may be changed while it serves."""

    def __init__(self, documents: Iterable[bytes] = ()) -> None:
        self.entries: dict[str, bytes] = {}
        """By versioned id, in the order of every search's results."""
        self.faults: deque[Fault] = deque()
        """What comes before the next answers."""
        self.empty: Counter[int] = Counter()
        """How many empty pages come first, by the page's start."""
        self.total: int | None = None
        """What a search says that there is; the number of entries without it."""
        self.asked: list[dict[str, str]] = []
        for document in documents:
            self.entries |= {name.decode(): entry[0] for entry in _ENTRY.finditer(document) for name in entry.groups()}

    def answer(self, request: Request) -> Response:
        """As export.arxiv.org would."""
        query = dict(request.query_params)
        self.asked.append(query)
        if self.faults:
            fault = self.faults.popleft()
            return Response(fault.body, fault.status, dict(fault.headers), "text/plain")
        start, size = int(query.get("start", 0)), int(query.get("max_results", 10))
        if "search_query" in query:
            return self._found(list(self.entries), start, size, self.total)
        wrong = [name for name in query.get("id_list", "").split(",") if not ID.fullmatch(name)]
        return _error(f"incorrect id format for {wrong[0]}") if wrong else self._listed(query, start, size)

    def _listed(self, query: dict[str, str], start: int, size: int) -> Response:
        wanted = query["id_list"].split(",")
        names = [name for asked in wanted for name in self.entries if asked in (name, name.rpartition("v")[0])]
        return self._found(names, start, size, None)

    def _found(self, names: list[str], start: int, size: int, total: int | None) -> Response:
        total = len(names) if total is None else total
        if start + size > MOST_RESULTS:
            return _error(f"start + max_results must be no more than {MOST_RESULTS}")
        if self.empty[start]:
            self.empty[start] -= 1
            return _feed([], total, start, size)
        return _feed([self.entries[name] for name in names[start : start + size]], total, start, size)


def _feed(entries: list[bytes], total: int, start: int, size: int, *, status: int = 200) -> Response:
    head = (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns="http://www.w3.org/2005/Atom"><id>https://arxiv.org/</id><title>arXiv Search Results</title>'
        f"<opensearch:itemsPerPage>{size}</opensearch:itemsPerPage>"
        f"<opensearch:totalResults>{total}</opensearch:totalResults>"
        f"<opensearch:startIndex>{start}</opensearch:startIndex>"
    )
    body = head.encode() + b"".join(entries) + b"</feed>\n"
    return Response(body, status, headers={"Content-Type": CONTENT_TYPE})


def _error(text: str) -> Response:
    address = f"https://arxiv.org/api/errors#{re.sub('[^a-z0-9]+', '_', text.lower())}"
    entry = f"<entry><id>{address}</id><title>Error</title><summary>{escape(text)}</summary></entry>"
    return _feed([entry.encode()], 1, 0, 1, status=400)


def api_app(replay: ApiReplay) -> Starlette:
    """`/api/query`, as at export.arxiv.org."""

    async def query(request: Request) -> Response:
        return replay.answer(request)

    return Starlette(routes=[Route("/api/query", query)])
