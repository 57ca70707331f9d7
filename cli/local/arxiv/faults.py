"""The answers that arXiv gives on bad days."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

RATE_EXCEEDED = b"Rate exceeded."
STEPS = 10


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


UNAVAILABLE = Fault(503, b"Service Unavailable")
HTML = Fault(200, b"<!DOCTYPE html>\n<html><body>arXiv is down for maintenance</body></html>")
CUT = Fault(cut=True)
EMPTY = Fault(empty=True)


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
