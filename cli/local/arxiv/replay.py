"""What the local arXiv holds and answers: announcements, OAI-PMH, the query API, and the site's pages."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cli.local.arxiv import api, oai
from cli.local.arxiv.faults import ANY, Fault

XML = "text/xml; charset=utf-8"
RECORDED = 1_765_342_814.0  # 2025-12-10 05:00:14 UTC, as good a Last-Modified as any
MEDIA = {"pdf": "application/pdf"}
NOT_FOUND = b"<!DOCTYPE html>\n<html><body>Article not found</body></html>"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]
    status: int
    began: float
    """On the monotonic clock."""
    ended: float
    query: Mapping[str, str]


class Replay:
    """The recorded documents, and the faults that come first. All may be changed while it serves."""

    def __init__(self, documents: Mapping[str, bytes] | None = None) -> None:
        self.documents = dict(documents or {})
        """Announcements by their categories (`cs.AI+cs.CL`), or for any."""
        self.atom: dict[str, bytes] = {}
        """The same in the Atom form."""
        self.oai = oai.Repository()
        self.api: dict[str, bytes] = {}
        """Entries of the query API by versioned id, as `api.entries` takes them out of recorded answers."""
        self.total: int | None = None
        """How many results a search says that there are; the number of entries without it."""
        self.pages: dict[str, bytes] = {}
        """The site, by path: `/abs/2512.00001`, `/html/2512.00001v1`, `/pdf/2512.00001v1`."""
        self.listings: dict[str, bytes] = {}
        """The site's listing pages of what is new, by category; only faults with their path spoil them."""
        self.etag: str | None = None
        """One ETag for every announcement, as when its content changes and its ETag does not."""
        self.faults: deque[Fault] = deque()
        """Each spoils one answer: that to the first request it fits."""
        self.standing: list[Fault] = []
        """Each spoils every answer to a request it fits, once `faults` has none for it."""
        self.asked: list[Asked] = []

    @classmethod
    def of(cls, document: bytes) -> Replay:
        """The document as announcement, whatever categories are asked for."""
        return cls({ANY: document})

    @property
    def fault(self) -> Fault | None:
        """The answer to everything it fits, while it is set."""
        return self.standing[0] if self.standing else None

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        self.standing = [fault] if fault else []

    def next_fault(self, path: str, query: Mapping[str, str]) -> Fault | None:
        """The fault that the answer to this request is, if any."""
        coming = next((number for number, fault in enumerate(self.faults) if fault.fits(path, query)), None)
        if coming is None:
            return next((fault for fault in self.standing if fault.fits(path, query)), None)
        fault = self.faults[coming]
        del self.faults[coming]
        return fault

    def arguments(self, path: str) -> list[Mapping[str, str]]:
        """What every request to a path that begins so asked for: `/oai`, `/api/`."""
        return [asked.query for asked in self.asked if asked.path.startswith(path)]

    def announcement(self, request: Request, *, empty: bool) -> Response:
        """As rss.arxiv.org answers."""
        documents = self.atom if request.url.path.startswith("/atom/") else self.documents
        document = covering(documents, request.path_params["categories"])
        if document is None:
            return PlainTextResponse("Bad request: no recorded feed covers these categories", 400)
        if empty:
            return Response(api.without_entries(document), media_type=XML)
        headers = {"ETag": self.etag or etag_of(document), "Last-Modified": formatdate(RECORDED, usegmt=True)}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(document, headers=headers | {"Content-Type": XML})

    def oai_pmh(self, request: Request, *, empty: bool) -> Response:
        """As oaipmh.arxiv.org answers; an error is an answer, too."""
        return Response(self.oai.answer(request.query_params, empty=empty), media_type=XML)

    def query(self, request: Request, *, empty: bool) -> Response:
        """As export.arxiv.org/api answers."""
        status, document = api.answer(request.query_params, self.api, total=self.total, empty=empty)
        return Response(document, status, media_type="application/atom+xml; charset=utf-8")

    def listing(self, request: Request, *, empty: bool) -> Response:
        """As arxiv.org answers when asked what is new."""
        body = self.listings.get(request.path_params["category"])
        return Response(b"" if empty else body or NOT_FOUND, 200 if body else 404, media_type="text/html")

    def page(self, request: Request, *, empty: bool) -> Response:
        """As arxiv.org answers."""
        body = self.pages.get(request.url.path)
        if body is None:
            return Response(NOT_FOUND, 404, media_type="text/html")
        media = MEDIA.get(request.url.path.split("/")[1], "text/html; charset=utf-8")
        return Response(b"" if empty else body, media_type=media)


def covering(documents: Mapping[str, bytes], categories: str) -> bytes | None:
    """The document for these categories in any order, else the smallest that covers them, else that for any."""
    wanted = set(categories.split("+"))
    found = [(len(key.split("+")), key) for key in documents if wanted <= set(key.split("+"))]
    return documents[min(found)[1]] if found else documents.get(ANY)


def etag_of(document: bytes) -> str:
    """A strong one."""
    return f'"{hashlib.sha256(document).hexdigest()[:32]}"'


def silent(asked: Asked) -> None:
    """Tell nobody."""
    del asked


def replay_app(replay: Replay, tell: Callable[[Asked], None] = silent) -> Starlette:
    """All of arXiv's hosts in one."""

    def answering(right: Callable[..., Response]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            fault = replay.next_fault(request.url.path, request.query_params)
            if fault is None:
                return right(request, empty=False)
            if not fault.spoils:
                return fault.answer()
            answered = right(request, empty=fault.empty)
            return fault.spoil(answered) if fault.cut or fault.seconds else answered

        return answer

    def route(path: str, right: Callable[..., Response]) -> Route:
        answer = answering(right)

        async def endpoint(request: Request) -> Response:
            began = time.monotonic()
            response = answer(request)
            path, headers, query = request.url.path, dict(request.headers), dict(request.query_params)
            replay.asked.append(Asked(path, headers, response.status_code, began, time.monotonic(), query))
            tell(replay.asked[-1])
            return response

        return Route(path, endpoint)

    return Starlette(
        routes=[
            route("/rss/{categories}", replay.announcement),
            route("/atom/{categories}", replay.announcement),
            route("/oai", replay.oai_pmh),
            route("/api/query", replay.query),
            route("/list/{category}/new", replay.listing),
            *(route(f"/{place}/{{path:path}}", replay.page) for place in ("abs", "html", "pdf")),
        ]
    )
