"""One conditional request to arXiv, with limits on time and size; failures become reasons."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

import httpx

from services.fetcher.core import Cursor, retry_after
from services.fetcher.pace import Pace
from services.fetcher.sources.document import MAX_DOCUMENT, UnusableDocument
from shared.errors import Transient

Reason = Literal["unreachable", "rate limited", "unavailable", "refused"]
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
TOTAL_SECONDS = 120.0
REDIRECTS = 3
# arXiv takes going on after a 403 for an attack: https://info.arxiv.org/help/robots.html
FORBIDDEN_SECONDS = 3_600.0


class FetchFailed(Transient):
    """arXiv could not be asked, or did not answer as hoped."""

    def __init__(
        self, message: str, reason: Reason, retry_after: float | None = None, *, status: int = 0, body: bytes = b""
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Document:
    """An answer, with what the next conditional request needs."""

    body: bytes
    content_type: str | None
    etag: str | None
    last_modified: str | None


def user_agent(contact: str) -> str:
    """arXiv wants to know whom to write to."""
    return f"paperwire/{version('paperwire')} (+{contact})"


def feed_url(base: str, categories: tuple[str, ...]) -> str:
    """One address for all categories: `…/rss/cs.AI+cs.CL`."""
    return f"{base.rstrip('/')}/{'+'.join(quote(category, safe='') for category in categories)}"


class Downloader:
    """The only connection to arXiv; open it with `async with`."""

    def __init__(self, pace: Pace, contact: str) -> None:
        self._pace = pace
        self._client = httpx.AsyncClient(
            headers={"User-Agent": user_agent(contact), "Accept": "application/rss+xml, application/xml, text/xml"},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, url: str, cursor: Cursor) -> Document | None:
        """The document, or None when it is still the one that the cursor knows."""
        request = self._client.build_request("GET", url, headers=_conditions(url, cursor))
        for _ in range(REDIRECTS + 1):
            async with self._pace.turn():
                answer = await self._send(request)
            if not isinstance(answer, httpx.Request):
                return answer
            request = answer
        raise FetchFailed(f"{_shown(request.url)} was redirected more than {REDIRECTS} times", "refused")

    async def fetch(self, url: str, *, accept: str, limit: int = MAX_DOCUMENT) -> Document:
        """The document, of at most `limit` bytes."""
        async with self._pace.turn():
            answer = await self._send(self._client.build_request("GET", url, headers={"Accept": accept}))
        if not isinstance(answer, Document) or len(answer.body) > limit:
            raise FetchFailed(f"{_shown(httpx.URL(url))} was not answered with a document", "refused")
        return answer

    async def _send(self, request: httpx.Request) -> Document | httpx.Request | None:
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                response = await self._client.send(request, stream=True)
                try:
                    return await _read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise FetchFailed(f"{_shown(request.url)} cannot be read: {why}", "unreachable") from error


def _conditions(url: str, cursor: Cursor) -> dict[str, str]:
    if cursor.url != url:  # validators of another address could match by chance
        return {}
    conditions = {"If-None-Match": cursor.etag, "If-Modified-Since": cursor.last_modified}
    return {name: value for name, value in conditions.items() if value}


async def _read(response: httpx.Response) -> Document | httpx.Request | None:
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return None
    if response.next_request is not None:
        return _same_host(response.request, response.next_request)
    if response.status_code != httpx.codes.OK:
        raise _failure(response, await _body(response))
    headers = response.headers
    return Document(
        body=await _body(response),
        content_type=headers.get("Content-Type"),
        etag=headers.get("ETag"),
        last_modified=headers.get("Last-Modified"),
    )


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_DOCUMENT:
            raise UnusableDocument(f"{_shown(response.url)} sends more than {MAX_DOCUMENT} bytes")
    return bytes(body)


def _same_host(asked: httpx.Request, told: httpx.Request) -> httpx.Request:
    secure = told.url.scheme == "https" or asked.url.scheme == "http"
    if told.url.host != asked.url.host or not secure:
        raise FetchFailed(
            f"{_shown(asked.url)} redirects to {_shown(told.url)}: set ARXIV_RSS_URL if that is right", "refused"
        )
    return told


def _shown(url: httpx.URL) -> httpx.URL:
    """The address without a user's name and password: reasons are public."""
    return url.copy_with(userinfo=b"")


def _failure(response: httpx.Response, body: bytes) -> FetchFailed:
    status = response.status_code
    reason: Reason = "refused"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        reason = "rate limited"
    elif status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
        reason = "unavailable"
    wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
    if status == httpx.codes.FORBIDDEN:
        wait = max(wait or 0.0, FORBIDDEN_SECONDS)
    return FetchFailed(
        f"{_shown(response.url)} answered {status} {response.reason_phrase}", reason, wait, status=status, body=body
    )
