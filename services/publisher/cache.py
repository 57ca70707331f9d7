"""Rendered pages, kept until the database changes, and shown with their age when it does not answer.

A page is rendered once per change, however many readers ask for it at the same moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.publisher.library import Version
from services.publisher.responses import Body
from shared.errors import Unavailable

log = logging.getLogger(__name__)

PAGES = 300
LOOK_EVERY = timedelta(seconds=1)
LOOK_SECONDS = 1
MAKE_SECONDS = 5
SECOND = timedelta(seconds=1)


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Rendering:
    """A page whose values are at hand. `render` takes a notice (or None) and gives bytes."""

    render: Callable[[str | None], bytes]
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """A body to answer with; `age` is how old it is when it could not be checked."""

    body: Body
    age: timedelta | None


@dataclass(slots=True)
class _Kept:
    version: Hashable
    rendering: Rendering
    body: Body
    stale: tuple[str, Body] | None = None


class Cache:
    """Pages by key. `look` asks the database for its version; `variant` is what else all pages depend on."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Version]],
        variant: Callable[[], Hashable],
        *,
        clock: Callable[[], datetime] = wall_clock,
    ) -> None:
        self._look = look
        self._variant = variant
        self._clock = clock
        self._pages: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked: datetime | None = None
        self._known: Version | None = None
        self._checked: datetime | None = None  # when the database answered last
        self._away = False

    async def get(
        self, key: Hashable, make: Callable[[], Awaitable[Rendering | None]], *, about: Hashable = None
    ) -> Served | None:
        """The page, rendered when it must be; None when there is no such page. `Unavailable` when nobody knows.

        `about` is what this page alone depends on besides.
        """
        version = await self._version()
        kept = self._pages.get(key)
        if version is None:
            return await self._old(key)
        wanted = (version.number, self._variant(), about)
        if kept is None or kept.version != wanted:
            try:
                kept = await self._render_once(key, wanted, version.at, make)
            except Unavailable as error:
                self._lost(str(error))
                return await self._old(key)
        if kept is None:
            return None
        self._pages.move_to_end(key)
        return Served(kept.body, None)

    async def _version(self) -> Version | None:
        """The database's version, at most a second old; None while it does not answer.

        Once it is known to be away nobody waits: its return is looked for beside the readers.
        """
        fresh = self._looked is not None and self._clock() - self._looked < LOOK_EVERY
        if not fresh and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look_now())
        if self._looking and not self._looking.done() and not self._away:
            await asyncio.wait({self._looking}, timeout=LOOK_SECONDS)
            if not self._looking.done():
                self._lost(f"no answer within {LOOK_SECONDS} s")
        return None if self._away else self._known

    async def _look_now(self) -> None:
        try:
            self._known = await self._look()
        except Unavailable as error:
            self._lost(str(error))
        else:
            if self._away:
                log.info("the database answers again")
            self._away, self._checked = False, self._clock()
        finally:
            self._looked = self._clock()

    def _lost(self, reason: str) -> None:
        if not self._away:
            log.warning("the database does not answer, serving what is kept", extra={"reason": reason})
        self._away = True

    async def _render_once(
        self, key: Hashable, wanted: Hashable, changed: datetime, make: Callable[[], Awaitable[Rendering | None]]
    ) -> _Kept | None:
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                kept = self._pages.get(key)
                if kept is not None and kept.version == wanted:
                    return kept
                return await self._render(key, wanted, changed, make)
        finally:
            if not lock.locked():
                self._locks.pop(key, None)

    async def _render(
        self,
        key: Hashable,
        wanted: Hashable,
        changed: datetime,
        make: Callable[[], Awaitable[Rendering | None]],
    ) -> _Kept | None:
        try:
            async with asyncio.timeout(MAKE_SECONDS):
                rendering = await make()
        except TimeoutError as error:
            raise Unavailable("Postgres is too slow") from error
        if rendering is None:
            self._pages.pop(key, None)
            return None
        previous = self._pages.get(key)
        body = await _body(rendering, None, changed.replace(microsecond=0))
        kept = _Kept(wanted, rendering, _dated(body, previous.body if previous else None))
        self._pages[key] = kept
        while len(self._pages) > PAGES:
            self._pages.popitem(last=False)
        return kept

    async def _old(self, key: Hashable) -> Served:
        """What is kept, with a word about its age."""
        kept = self._pages.get(key)
        if kept is None or self._checked is None:
            raise Unavailable("the database does not answer, and this page was not kept")
        notice = f"The database does not answer at the moment. This page is as of {self._checked:%d %B %Y, %H:%M} UTC."
        if kept.stale is None or kept.stale[0] != notice:
            kept.stale = notice, await _body(kept.rendering, notice, kept.body.modified)
        self._pages.move_to_end(key)
        return Served(kept.stale[1], self._clock() - self._checked)


async def _body(rendering: Rendering, notice: str | None, modified: datetime) -> Body:
    """Rendering and compressing take milliseconds, during which others are answered."""

    def work() -> Body:
        return Body.of(rendering.render(notice), rendering.media_type, modified, rendering.headers)

    return await asyncio.to_thread(work)


def _dated(body: Body, previous: Body | None) -> Body:
    """The same bytes keep their date; new bytes get a later one, also within one second."""
    if previous is None:
        return body
    if body.plain.etag == previous.plain.etag:
        return previous
    modified = max(body.modified, previous.modified + SECOND)
    return Body(body.media_type, modified, body.plain, body.gzipped, body.headers)
