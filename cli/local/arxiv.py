"""A local server that answers like rss.arxiv.org, from recorded documents, with faults on demand."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

CONTENT_TYPE = "text/xml; charset=utf-8"
ANY = "*"
RECORDED = 1_765_342_814.0  # 2025-12-10 05:00:14 UTC, as good a Last-Modified as any


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer that arXiv gives on bad days."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Send half of the document, then close the connection."""


def rate_limited(retry_after: str | None = None) -> Fault:
    """HTTP 429, with the body that arXiv sends."""
    return Fault(429, b"Rate exceeded.", {"Retry-After": retry_after} if retry_after else {})


UNAVAILABLE = Fault(503, b"Service Unavailable")
HTML = Fault(200, b"<!DOCTYPE html>\n<html><body>arXiv is down for maintenance</body></html>")
CUT = Fault(cut=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]
    status: int
    began: float
    """On the monotonic clock."""
    ended: float


class Replay:
    """What the server answers: documents by their categories (`cs.AI+cs.CL`), and the faults that come first.

    Both may be changed while it serves.
    """

    def __init__(self, documents: Mapping[str, bytes] | None = None) -> None:
        self.documents = dict(documents or {})
        self.listings: dict[str, bytes] = {}
        """The listing pages of categories, as arxiv.org has them; 404 for any other."""
        self.faults: deque[Fault] = deque()
        self.fault: Fault | None = None
        """The answer to everything while it is set, once `faults` are used up."""
        self.asked: list[Asked] = []

    @classmethod
    def of_folder(cls, folder: Path) -> Replay:
        """Files named `<categories>.<day>.xml`; the latest day of each counts."""
        return cls({path.name.rsplit(".", 2)[0]: path.read_bytes() for path in sorted(folder.glob("*.xml"))})

    def document(self, categories: str) -> bytes | None:
        """The document for these categories in any order, else the smallest that covers them, else that for any."""
        wanted = set(categories.split("+"))
        covering = [(len(key.split("+")), key) for key in self.documents if wanted <= set(key.split("+"))]
        return self.documents[min(covering)[1]] if covering else self.documents.get(ANY)

    def next_fault(self) -> Fault | None:
        """The fault that the next answer is, if any."""
        return self.faults.popleft() if self.faults else self.fault

    def answer(self, request: Request) -> Response:
        """As rss.arxiv.org would, or as it does on a bad day."""
        document = self.document(request.path_params["categories"])
        fault = self.next_fault()
        if fault is not None and not fault.cut:
            media = "text/html" if fault.body.startswith(b"<!DOCTYPE html>") else "text/plain"
            return Response(fault.body, fault.status, dict(fault.headers), media)
        if document is None:
            return PlainTextResponse("Bad request: no recorded feed covers these categories", 400)
        if fault is not None:
            return _Half(document)
        headers = {"ETag": etag_of(document), "Last-Modified": formatdate(RECORDED, usegmt=True)}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(document, headers=headers | {"Content-Type": CONTENT_TYPE})


class _Half(Response):
    """Promises the whole document and ends in the middle."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        headers = [(b"content-length", str(len(self.body)).encode()), (b"content-type", CONTENT_TYPE.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        # Returning now leaves the answer unfinished; the server closes the connection.


def etag_of(document: bytes) -> str:
    """A strong one."""
    return f'"{hashlib.sha256(document).hexdigest()[:32]}"'


def replay_app(replay: Replay) -> Starlette:
    """`/rss/{categories}`, as at rss.arxiv.org, and `/list/{category}/new`, as at arxiv.org."""

    async def feed(request: Request) -> Response:
        began = time.monotonic()
        response = replay.answer(request)
        headers = dict(request.headers)
        replay.asked.append(Asked(request.url.path, headers, response.status_code, began, time.monotonic()))
        return response

    async def listing(request: Request) -> Response:
        began = time.monotonic()
        page = replay.listings.get(request.path_params["category"])
        response = Response(page or b"Not Found", 404 if page is None else 200, media_type="text/html")
        replay.asked.append(
            Asked(request.url.path, dict(request.headers), response.status_code, began, time.monotonic())
        )
        return response

    return Starlette(routes=[Route("/rss/{categories}", feed), Route("/list/{category}/new", listing)])


def announcing(document: bytes) -> Starlette:
    """The document, whatever categories are asked for."""
    return replay_app(Replay({ANY: document}))
