"""Liked papers while the scorer runs: what the fetcher has brought is read, what is missing is ordered, once."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import nats.errors
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from prometheus_client import Gauge
from pydantic import ValidationError

from services.scorer.likeness import Profiles
from services.scorer.liking import is_address, load_profiles
from shared.bus import Bus
from shared.errors import Unavailable
from shared.feeds import FeedConfig
from shared.library import Library, LikedPaper
from shared.liked import StoredLibrary, StoredPaper, library_name
from shared.log_reader import read_log
from shared.messages import FetchRequested
from shared.metrics import Metrics
from shared.provision import LIKED_BUCKET

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
IDS_AT_ONCE = 100
MOST_SHOWN = 10
READ_SECONDS = 60.0
AWAY = (nats.errors.Error, JetStreamError, OSError)


class Liked:
    """`profiles` gives what is there now; `follow` says when that has changed."""

    def __init__(
        self,
        bus: Bus,
        feeds_file: Path,
        metrics: Metrics,
        *,
        keep_texts: bool = False,
        pause: float = LOOK_SECONDS,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        """`keep_texts` for embeddings."""
        bus.needs(key_value=LIKED_BUCKET, object_store=LIKED_BUCKET)
        self._bus = bus
        self._feeds_file = feeds_file
        self._pause = pause
        self._load = partial(load_profiles, keep_texts=keep_texts)
        self._today = today
        self._ordered: set[str] = set()
        self._state: tuple[object, ...] = ()
        self._wanted = False
        self._told: tuple[object, ...] = ()
        self._missing = Gauge(
            "paperwire_liked_papers_missing",
            "Liked papers, files and addresses of feeds that are not there (yet): profiles are made without them.",
            registry=metrics.registry,
        )
        self._missing.set(0)

    async def profiles(self, feeds: Sequence[FeedConfig]) -> Profiles:
        """The profiles of these feeds from all that is there; what is missing is ordered and told.

        `Unavailable` when NATS cannot be read now.
        """
        self._wanted = any(feed.like for feed in feeds)
        if not self._wanted:
            self._missing.set(0)
            return Profiles.of(feeds, {})
        self._state = await self._now()  # before reading: what comes meanwhile counts as changed
        known = await self._papers()
        addresses = dict.fromkeys(item for feed in feeds for item in feed.like if is_address(item))
        libraries = {url: library for url in addresses if (library := await self._library(url))}
        loaded = await asyncio.to_thread(self._load, feeds, self._feeds_file, known, libraries)
        await self._order(orders(loaded.resolved.ids, known, loaded.resolved.addresses, self._today()))
        self._tell(loaded.missing, loaded.resolved.problems)
        return loaded.profiles

    async def follow(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Call `changed` whenever there is reason to ask for the profiles again: something came, or a day began."""
        while not self._bus.stopping.is_set():
            await asyncio.sleep(self._pause)
            try:
                if self._wanted and await self._now() != self._state:
                    await changed()
            except Unavailable as error:
                log.info("liked papers are not looked for now", extra={"detail": str(error)})

    # ---- reading

    async def _now(self) -> tuple[object, ...]:
        """Differs when anything has been stored since, or another day has begun."""
        async with reading():
            streams = [await self._bus.js.stream_info(f"{kind}_{LIKED_BUCKET}") for kind in ("KV", "OBJ")]
        return (self._today(), *(stream.state.last_seq for stream in streams))

    async def _papers(self) -> dict[str, LikedPaper]:
        """All that were brought by their ids."""
        known: dict[str, LikedPaper] = {}
        subject = f"$KV.{LIKED_BUCKET}."
        async with aclosing(read_log(self._bus.js, f"KV_{LIKED_BUCKET}", f"{subject}>", 1)) as entries:
            async for raw in entries:
                try:
                    paper = StoredPaper.model_validate_json(raw.data).liked()
                except ValidationError:  # deleted, or none of ours
                    continue
                known[paper.id or ""] = paper
        return known

    async def _library(self, url: str) -> Library | None:
        """What was brought from the address."""
        async with reading():
            try:
                async with asyncio.timeout(READ_SECONDS):
                    store = await self._bus.object_store(LIKED_BUCKET)
                    found = await store.get(library_name(url))
                stored = await asyncio.to_thread(StoredLibrary.unpacked, found.data or b"")
            except nats.errors.TimeoutError:
                raise
            except (NotFoundError, ValueError, TimeoutError):  # not there, not ours, or expired while it was read
                return None
        return Library(tuple(paper.liked() for paper in stored.papers), stored.problems)

    # ---- ordering and telling

    async def _order(self, wanted: Iterable[FetchRequested]) -> None:
        """The same order, by however many replicas, is one message."""
        by_name = {order.order: order for order in wanted}
        fresh = [order for name, order in by_name.items() if name not in self._ordered]
        if fresh:
            await self._bus.publish(*fresh)
            log.info("liked papers ordered", extra={"orders": len(fresh)})
        self._ordered = set(by_name)

    def _tell(self, missing: Sequence[str], problems: Sequence[str]) -> None:
        self._missing.set(len(missing))
        if (missing, problems) == self._told:
            return
        self._told = (missing, problems)
        for problem in problems:
            log.warning("liked papers cannot be read", extra={"detail": problem})
        if missing:
            log.warning(
                "liked papers are missing; profiles are made without them",
                extra={"count": len(missing), "first": list(missing[:MOST_SHOWN])},
            )


@asynccontextmanager
async def reading() -> AsyncIterator[None]:
    """What NATS may have turns into `Unavailable`."""
    try:
        yield
    except AWAY as error:
        raise Unavailable(f"the liked papers are out of reach: {error or type(error).__name__}") from error


def orders(ids: Iterable[str], known: Iterable[str], addresses: Iterable[str], day: date) -> Iterable[FetchRequested]:
    """What to order on that day, the same for every replica and after every restart.

    Ids are ordered by the hundred, whole hundreds as long as any of them is missing, so that the orders do not
    depend on how far the fetcher is; it leaves out what it has. Addresses are looked at once a day.
    """
    there, wanted = set(known), sorted(set(ids))
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = wanted[start : start + IDS_AT_ONCE]
        if not there.issuperset(some):
            yield FetchRequested(order=_name(",".join(some), day), what="liked", ids=tuple(some))
    for address in sorted(set(addresses)):
        yield FetchRequested(order=_name(address, day), what="liked", url=address)


def _name(what: str, day: date) -> str:
    return f"liked:{hashlib.sha256(what.encode()).hexdigest()[:20]}:{day}"
