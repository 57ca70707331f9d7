"""`texts.requested` in; the text into the object store, and `summaries.requested` out, with its key or without."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from services.fetcher.download import Downloader, FetchFailed
from services.fetcher.lease import Lease
from services.fetcher.sources.document import UnusableDocument
from services.fetcher.texts.extract import LIMITS, Limits, extract
from services.fetcher.texts.sections import NoText
from services.fetcher.texts.store import Texts
from shared.bus import Bus, Received
from shared.errors import Transient, Unavailable
from shared.messages import Paper, SummaryRequested, TextRequested
from shared.texts import FullText, TextSource

log = logging.getLogger(__name__)

DURABLE = "fetcher-texts"
MAX_DOCUMENT = 30 * 1024 * 1024
PATIENT_ATTEMPTS = 4
"""From this delivery on arXiv is no longer waited for: the summary is made from the abstract."""
LONGEST_WAIT = 120.0
"""Seconds that arXiv may ask to be spared for a text; for longer than that the abstract has to do."""
SOURCES: tuple[tuple[TextSource, str], ...] = (("html", "text/html"), ("pdf", "application/pdf"))
GONE = frozenset((400, 404, 410, 451))

Count = Callable[[Literal["html", "pdf", "none"]], None]


class Handler:
    """Gets texts, one after the other, on the replica that holds the lease."""

    def __init__(
        self, bus: Bus, lease: Lease, downloader: Downloader, site: str, count: Count, limits: Limits = LIMITS
    ) -> None:
        self._bus = bus
        self._texts = Texts(bus)
        self._lease = lease
        self._downloader = downloader
        self._site = site.rstrip("/")
        self._count = count
        self._limits = limits
        self._spared_until = 0.0

    async def handle(self, received: Received[TextRequested]) -> None:
        """Answer a request: always with the summaries' requests, whether there is a text or not."""
        request = received.event
        key = await self._texts.find(request.paper) or await self._get(request.paper, received.attempt)
        events = (
            SummaryRequested(paper=request.paper, style=kind.style, language=kind.language, text_key=key)
            for kind in request.summaries
        )
        await self._bus.publish(*map(received.then, events))

    async def _get(self, paper: Paper, attempt: int) -> str | None:
        """The key of the text, now stored; None, with the reason in the log, when there is none to be had."""
        try:
            text = await self._look(paper)
        except NoText as reason:
            self._none(paper, str(reason))
            return None
        except FetchFailed as error:
            self._spare(error)
            if attempt < PATIENT_ATTEMPTS and self._left() <= LONGEST_WAIT:
                raise
            self._none(paper, str(error))
            return None
        key = await self._texts.put(paper, text)
        self._count(text.source)
        details = {"paper": paper.versioned_id, "source": text.source, "sections": len(text.sections)}
        log.info("text stored", extra=details)
        return key

    def _none(self, paper: Paper, reason: str) -> None:
        self._count("none")
        log.warning("no text", extra={"paper": paper.versioned_id, "reason": reason})

    async def _look(self, paper: Paper) -> FullText:
        """The text from the first form of the paper that gives one."""
        if not paper.source.startswith("arxiv"):
            raise NoText(f"texts come from arXiv only, this paper is from {paper.source}")
        reasons = []
        for source, accept in SOURCES:
            try:
                return await self._from(paper, source, accept)
            except NoText as reason:
                reasons.append(f"{source}: {reason}")
        raise NoText("; ".join(reasons))

    async def _from(self, paper: Paper, source: TextSource, accept: str) -> FullText:
        url = f"{self._site}/{source}/{quote(paper.versioned_id, safe='/')}"
        document = await self._download(url, accept)
        return FullText(
            id=paper.id,
            version=paper.version,
            source=source,
            url=url,
            license=paper.license,
            fetched=datetime.now(UTC).date(),
            sha256=hashlib.sha256(document).hexdigest(),
            sections=await extract(source, document, self._limits),
        )

    async def _download(self, url: str, accept: str) -> bytes:
        await self._may_ask()
        try:
            return (await self._downloader.fetch(url, accept=accept, limit=MAX_DOCUMENT)).body
        except UnusableDocument as error:
            raise NoText(str(error)) from None
        except FetchFailed as error:
            if error.status in GONE:
                raise NoText(f"arXiv answered {error.status}") from None
            raise

    async def _may_ask(self) -> None:
        """Only the holder of the lease talks to arXiv, and not before arXiv wants to be asked again."""
        if self._left() > LONGEST_WAIT:
            raise NoText(f"arXiv asks to be spared for {self._left():.0f} s")
        if self._left() > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bus.stopping.wait(), self._left())
                raise Unavailable("stopping while arXiv is to be spared")
        if not self._lease.held:
            raise Transient("another replica has become the one that talks to arXiv")

    def _spare(self, error: FetchFailed) -> None:
        self._spared_until = max(self._spared_until, time.monotonic() + (error.retry_after or 0.0))

    def _left(self) -> float:
        return self._spared_until - time.monotonic()


def attach(bus: Bus, handler: Handler, lease: Lease) -> None:
    """Take requests while this replica holds the lease: the others would only sit on them."""
    bus.on(TextRequested, DURABLE, handler.handle, gate=lease.wait)
