"""Orders for liked papers: by their ids from arXiv's query API, or the library at an address. Nothing is announced."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from nats.js.api import ObjectMeta
from nats.js.errors import KeyNotFoundError, NotFoundError

from services.fetcher.core import Cursor
from services.fetcher.download import Document, Downloader
from services.fetcher.lease import AWAY
from services.fetcher.lookup import Lookup, missing
from services.fetcher.lookup_orders import ending, told
from services.fetcher.orders import Duty, OrderFailed, Report
from services.fetcher.patience import Patience
from services.fetcher.text import read_id
from shared.bus import Bus
from shared.errors import Unavailable
from shared.library import MAX_LIBRARY, Library, LikedPaper, read_library, unversioned
from shared.liked import StoredLibrary, StoredPaper, key_of, library_name
from shared.messages import FetchRequested, Paper
from shared.provision import LIKED_BUCKET

T = TypeVar("T")

log = logging.getLogger(__name__)

ACCEPT = "application/x-bibtex, application/rdf+xml, application/json, */*;q=0.5"
PATIENT_TRIES = 4
"""An address that does not answer is asked again tomorrow; arXiv is worth waiting for."""


class LikedOrders:
    """Carries out `liked` orders. What is stored already is not asked for again."""

    def __init__(self, lookup: Lookup, downloader: Downloader, bus: Bus, duty: Duty, *, first: float) -> None:
        self._lookup = lookup
        self._downloader = downloader
        self._store = Store(bus)
        self._duty = duty
        self._first = first

    async def handle(self, order: FetchRequested, report: Report) -> None:
        """The papers of a list of ids, or the library at an address."""
        with ending():
            await self._duty.during(self._library(order.url, report) if order.url else self._ids(order.ids, report))

    # ---- ids

    async def _ids(self, ids: Sequence[str], report: Report) -> None:
        read = {text: unversioned(read_id(text) or "") for text in ids}
        wanted = [name for name in dict.fromkeys(read.values()) if name and not await self._store.has(name)]
        left, rejected = tuple(wanted), list[str]()
        lookup = self._lookup.with_patience(self._patience(report))
        async for page in lookup.ids(wanted):
            papers = [item.paper for item in page.items]
            for paper in papers:
                await self._store.put(paper)
            left = missing(left, papers)
            rejected += page.rejected
            await report(papers=len(wanted) - len(left), total=len(wanted))
        unread = [text for text, name in read.items() if not name]
        await report(detail=told({"not found": left, "no arXiv id": unread, "not readable": rejected}))

    # ---- addresses

    async def _library(self, url: str, report: Report) -> None:
        before = await self._store.library(url)
        document = await self._patience(report, PATIENT_TRIES).until_answered(lambda: self._download(url, before))
        if document is None and before is not None:
            await report(papers=len(before.papers), detail="not changed")
            return
        assert document is not None, "a document that was not asked for on a condition is there"
        library = read_library(document.body, shown(url))
        if library.problems and not library.papers:  # better what it was than nothing
            raise OrderFailed(library.problems[0])
        await self._store.put_library(stored(url, document, library))
        await report(papers=len(library.papers), detail="; ".join(library.problems) or None)

    async def _download(self, url: str, before: StoredLibrary | None) -> Document | None:
        """None when it is as before."""
        address = raw_address(url)
        known = Cursor(url=address, etag=before.etag, last_modified=before.last_modified) if before else Cursor()
        return await self._downloader.get(address, known, accept=ACCEPT, limit=MAX_LIBRARY)

    def _patience(self, report: Report, most: int | None = None) -> Patience:
        """Whoever waits for the order learns why it takes so long."""

        async def wait(seconds: float, why: str) -> None:
            await report(detail=f"{why}; again in {seconds:.0f} s")
            await self._duty.pause(seconds)

        return Patience(self._first, wait, most) if most else Patience(self._first, wait)


def stored(url: str, document: Document, library: Library) -> StoredLibrary:
    """What is kept of a download."""
    return StoredLibrary(
        url=url,
        etag=document.etag,
        last_modified=document.last_modified,
        fetched=datetime.now(UTC),
        sha256=hashlib.sha256(document.body).hexdigest(),
        papers=tuple(StoredPaper(id=paper.id, title=paper.title, abstract=paper.abstract) for paper in library.papers),
        problems=library.problems,
    )


def shown(url: str) -> str:
    """The address without what may be secret in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def raw_address(url: str) -> str:
    """Where a file that GitHub shows on a page can be had itself; any other address as it is."""
    parts = urlsplit(url)
    if parts.hostname not in ("github.com", "www.github.com"):
        return url
    user, _, rest = parts.path.lstrip("/").partition("/")
    repository, _, rest = rest.partition("/")
    kind, _, path = rest.partition("/")
    if kind not in ("blob", "raw") or not path:
        return url
    return urlunsplit((parts.scheme, "raw.githubusercontent.com", f"/{user}/{repository}/{path}", "", ""))


class Store:
    """The bucket `LIKED`: papers by id, and libraries by the address that they are from."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def has(self, name: str) -> bool:
        """Whether the paper is there."""

        async def look() -> bool:
            try:
                await (await self._bus.key_value(LIKED_BUCKET)).get(key_of(name))
            except KeyNotFoundError:
                return False
            return True

        return await reaching(look)

    async def put(self, paper: Paper) -> None:
        """Keep title and abstract."""
        value = StoredPaper.of(LikedPaper(paper.id, paper.title, paper.abstract)).model_dump_json().encode()

        async def put() -> None:
            await (await self._bus.key_value(LIKED_BUCKET)).put(key_of(paper.id), value)

        await reaching(put)

    async def library(self, url: str) -> StoredLibrary | None:
        """What was stored last; None when that was nothing, or is no longer readable."""

        async def get() -> StoredLibrary | None:
            try:
                found = await (await self._bus.object_store(LIKED_BUCKET)).get(library_name(url))
                return StoredLibrary.unpacked(found.data or b"")
            except (NotFoundError, ValueError):
                return None

        return await reaching(get)

    async def put_library(self, library: StoredLibrary) -> None:
        """Keep it instead of the one before."""

        async def put() -> None:
            store = await self._bus.object_store(LIKED_BUCKET)
            await store.put(library_name(library.url), library.packed(), ObjectMeta(description="liked papers"))

        await reaching(put)


async def reaching(work: Callable[[], Awaitable[T]]) -> T:
    """The result; `Unavailable` when NATS is out of reach."""
    try:
        return await work()
    except AWAY as error:
        raise Unavailable(f"the liked papers are out of reach: {error or type(error).__name__}") from error
