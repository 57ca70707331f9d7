"""Requests to the sources, one at a time, with limits on time and size; failures become reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
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
MAX_FAILURE = 64 * 1024  # bytes; an answer that says why there is no document is short
FEED = "application/rss+xml, application/atom+xml, application/xml, text/xml, application/json;q=0.9, */*;q=0.5"
# arXiv takes going on after a 403 for an attack: https://info.arxiv.org/help/robots.html
FORBIDDEN_SECONDS = 3_600.0


class FetchFailed(Transient):
    """The source could not be asked, or did not answer as hoped."""

    def __init__(
        self, message: str, reason: Reason, retry_after: float | None = None, *, status: int = 0, body: bytes = b""
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after
        self.status = status
        """Of the answer; 0 when there was none."""
        self.body = body
        """The beginning of the answer: arXiv tells there why it refuses."""


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
    """The only way to the sources; open it with `async with`."""

    def __init__(self, pace: Pace, contact: str, *, total: float = TOTAL_SECONDS) -> None:
        self._pace = pace
        self._total = total
        self._client = httpx.AsyncClient(
            headers={"User-Agent": user_agent(contact)},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            # A connection kept open here would be a second one beside that of the replica whose turn is next.
            limits=httpx.Limits(max_keepalive_connections=0),
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, url: str, cursor: Cursor, *, accept: str = FEED, limit: int = MAX_DOCUMENT) -> Document | None:
        """The document, of at most `limit` bytes, or None when it is still the one that the cursor knows."""
        return await self._ask(url, {"Accept": accept, **_conditions(url, cursor)}, limit)

    async def fetch(self, url: str, *, accept: str, limit: int = MAX_DOCUMENT) -> Document:
        """The document, of at most `limit` bytes."""
        document = await self._ask(url, {"Accept": accept}, limit)
        if document is None:
            raise FetchFailed("the source answered 304 Not Modified without being asked", "refused", status=304)
        return document

    async def _ask(self, url: str, headers: Mapping[str, str], limit: int) -> Document | None:
        try:
            request = self._client.build_request("GET", url, headers=headers)
        except httpx.InvalidURL as error:
            raise FetchFailed(f"the source's address cannot be used: {error}", "refused") from error
        for _ in range(REDIRECTS + 1):
            async with self._pace.turn(request.url.host):
                answer = await self._send(request, limit)
            if not isinstance(answer, httpx.Request):
                return answer
            request = answer
        raise FetchFailed(f"{_shown(request.url)} was redirected more than {REDIRECTS} times", "refused")

    async def _send(self, request: httpx.Request, limit: int) -> Document | httpx.Request | None:
        try:
            async with asyncio.timeout(self._total):
                response = await self._client.send(request, stream=True)
                try:
                    return await _read(response, limit)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise FetchFailed(f"{_shown(request.url)} took longer than {self._total:g} s", "unreachable") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = str(error) or type(error).__name__
            raise FetchFailed(f"{_shown(request.url)} cannot be read: {why}", "unreachable") from error


def _conditions(url: str, cursor: Cursor) -> dict[str, str]:
    if cursor.url != url:  # validators of another address could match by chance
        return {}
    conditions = {"If-None-Match": cursor.etag, "If-Modified-Since": cursor.last_modified}
    return {name: value for name, value in conditions.items() if value}


async def _read(response: httpx.Response, limit: int) -> Document | httpx.Request | None:
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return None
    if response.next_request is not None:
        return _same_host(response.request, response.next_request)
    if response.status_code != httpx.codes.OK:
        raise _failure(response, await _beginning(response))
    headers = response.headers
    return Document(
        body=await _body(response, limit),
        content_type=headers.get("Content-Type"),
        etag=headers.get("ETag"),
        last_modified=headers.get("Last-Modified"),
    )


async def _body(response: httpx.Response, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise UnusableDocument(f"{_shown(response.url)} sends more than {limit} bytes")
    return bytes(body)


async def _beginning(response: httpx.Response) -> bytes:
    """What can be had of a failure's text; the status says enough when it breaks off."""
    body = bytearray()
    with suppress(httpx.HTTPError):
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= MAX_FAILURE:
                break
    return bytes(body[:MAX_FAILURE])


def _same_host(asked: httpx.Request, told: httpx.Request) -> httpx.Request:
    secure = told.url.scheme == "https" or asked.url.scheme == "http"
    if told.url.host != asked.url.host or not secure:
        message = f"{_shown(asked.url)} redirects to {_shown(told.url)}: if that is right, set the new address instead"
        raise FetchFailed(message, "refused")
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
    message = f"{_shown(response.url)} answered {status} {response.reason_phrase}"
    return FetchFailed(message, reason, wait, status=status, body=body)
