"""The answers that arXiv gives on bad days."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cli.local.arxiv import oai

ANY = "*"
RATE_EXCEEDED = b"Rate exceeded."
STATUSES = {str(status.value) for status in HTTPStatus if status >= 400}
STEPS = 10
UNSPOILED = "/list/"  # by faults that are for no path of their own


@dataclass(frozen=True, slots=True)
class Fault:
    """What comes in place of the right answer; `cut`, `seconds` and `empty` spoil the right one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Send half of the document, then close the connection."""
    seconds: float = 0.0
    """Spread the document over this time."""
    empty: bool = False
    """A page of the right form that holds nothing, although there is something."""
    path: str = ""
    """Only for paths that begin so: `/oai`, `/html/`; without it for all but listing pages."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Only for requests with these arguments; `ANY` is every value."""

    def at(self, path: str, **query: str) -> Fault:
        """The same for these requests alone."""
        return replace(self, path=path, query=query)

    def fits(self, path: str, query: Mapping[str, str]) -> bool:
        """Whether it is for this request."""
        here = path.startswith(self.path) if self.path else not path.startswith(UNSPOILED)
        return here and all(name in query and value in (ANY, query[name]) for name, value in self.query.items())

    @property
    def spoils(self) -> bool:
        """Whether it needs the right answer to begin with."""
        return self.cut or self.empty or self.seconds > 0

    def answer(self) -> Response:
        """What comes in its place."""
        media = "text/html" if self.body.startswith(b"<!DOCTYPE html>") else "text/plain"
        return Response(self.body, self.status, dict(self.headers), media)

    def spoil(self, right: Response) -> Response:
        """The right answer, cut or slow."""
        spoiled = Spoiled(right.body, right.status_code, dict(right.headers))
        spoiled.fault = self
        return spoiled


def rate_limited(retry_after: str | None = None) -> Fault:
    """HTTP 429, with the body that arXiv sends."""
    return Fault(429, RATE_EXCEEDED, {"Retry-After": retry_after} if retry_after else {})


def slow(seconds: float) -> Fault:
    """The right answer, in drops."""
    return Fault(seconds=seconds)


def protocol_error(code: str, text: str | None = None) -> Fault:
    """An error of OAI-PMH, by its code."""
    return Fault(200, oai.error(code, text=text)).at("/oai")


UNAVAILABLE = Fault(503, b"Service Unavailable")
HTML = Fault(200, b"<!DOCTYPE html>\n<html><body>arXiv is down for maintenance</body></html>")
CUT = Fault(cut=True)
EMPTY = Fault(empty=True)
EXPIRED = protocol_error("badResumptionToken").at("/oai", resumptionToken=ANY)


KINDS = {
    "503": UNAVAILABLE,
    "html": HTML,
    "cut": CUT,
    "empty": EMPTY,
    "expired": EXPIRED,
    "rate-exceeded": Fault(200, RATE_EXCEEDED),
    **{code: protocol_error(code) for code in oai.ERRORS},
}


def named(text: str) -> Fault:
    """A fault as it is written on a command line: `429=120@/rss`, `slow=2`, `empty@/api/query?start=50`."""
    kind, _, where = text.partition("@")
    name, _, value = kind.partition("=")
    fault = _of_kind(name, value)
    if fault is None:
        known = ", ".join(("429", "429=SECONDS", "slow=SECONDS", *KINDS))
        raise ValueError(f"{text!r} is no fault; there are {known}, and any HTTP status")
    path, _, query = where.partition("?")
    return fault.at(path or fault.path, **{**fault.query, **dict(parse_qsl(query))})


def _of_kind(name: str, value: str) -> Fault | None:
    if name == "429":
        return rate_limited(value)
    if name == "slow":
        return slow(float(value)) if re.fullmatch(r"\d{1,4}(\.\d+)?", value) and float(value) else None
    if value:
        return None
    if name in KINDS:
        return KINDS[name]
    return Fault(int(name), HTTPStatus(int(name)).phrase.encode()) if name in STATUSES else None


class Spoiled(Response):
    """Promises the whole document; sends it slowly, or ends in the middle."""

    fault: Fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        body = body[: len(body) // 2] if self.fault.cut else body
        size = max(1, -(-len(body) // STEPS)) if self.fault.seconds else max(1, len(body))
        for start in range(0, len(body), size):
            await asyncio.sleep(self.fault.seconds / STEPS)
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        if not self.fault.cut:  # else returning leaves the answer unfinished, and the server closes the connection
            await send({"type": "http.response.body", "body": b"", "more_body": False})
