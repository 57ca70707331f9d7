"""The feeds as they are now: the file is watched, compiled beside the work, and taken over between two batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from pathlib import Path

from prometheus_client import Gauge

from services.scorer.judge import Judge, Prepare, appoint
from services.scorer.likeness import Profiles
from shared import feeds
from shared.errors import Unavailable
from shared.feeds import FeedConfig, FeedsError
from shared.metrics import Metrics

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
Liked = Callable[[Sequence[FeedConfig]], Awaitable[Profiles]]
"""Profiles of what feeds like, as far as it is there; `Unavailable` when that cannot be read now."""


class Feeds:
    """Who judges papers now. Whoever works on a batch takes `judge` once and keeps it to the batch's end.

    No paper may be judged before `ready`.
    """

    def __init__(
        self,
        path: Path,
        metrics: Metrics,
        *,
        changed: Callable[[Judge], None],
        liked: Liked | None = None,
        prepare: Prepare | None = None,
        look_every: float = LOOK_SECONDS,
    ) -> None:
        """`FeedsError` when the file is not usable: there is nothing to go on with yet.

        `changed` is called with every judge that takes over, also with the first.
        """
        self._path = path
        self._changed = changed
        self._liked = liked
        self._prepare = prepare
        self._one_at_a_time = asyncio.Lock()
        self._look_every = look_every
        self._ok = Gauge(
            "paperwire_feeds_reload_ok",
            "1 when the feeds in use are those in the file; 0 when it is wrong and the last good ones are in use.",
            registry=metrics.registry,
        )
        self.problems: tuple[str, ...] = ()
        """What is wrong with the file; nothing when the feeds in use are those in the file."""
        text = feeds.text_of(path)
        self.judge = appoint(feeds.parse(text, str(path)).feeds)
        self.ready = asyncio.Event()
        """Set when the judge knows what its feeds like."""
        if not (liked and _like_anything(self.judge.feeds)):
            self.ready.set()
        self._used = self._looked_at = _digest(text)
        self._ok.set(1)
        changed(self.judge)

    async def follow(self) -> None:
        """Look at the file again and again."""
        while not self.ready.is_set():
            await self._try(self.renew)
        while True:
            await asyncio.sleep(self._look_every)
            await self._try(self.look)

    async def _try(self, what: Callable[[], Awaitable[None]]) -> None:
        try:
            await what()
        except Unavailable as error:
            self._looked_at = ""
            log.warning("cannot read what the feeds like, trying again", extra={"detail": str(error)})
            await asyncio.sleep(self._look_every)

    async def wait(self) -> None:
        """Until papers may be judged."""
        await self.ready.wait()

    async def renew(self) -> None:
        """Compile the same feeds with what is there now of the papers that they like."""
        async with self._one_at_a_time:
            await self._appoint(self.judge.feeds)

    async def look(self) -> None:
        """Take over what the file says now, if it says something new; else nothing happens.

        What counts is the content, not its date: a ConfigMap's file is a link whose target is swapped.
        """
        async with self._one_at_a_time:
            await self._look()

    async def _look(self) -> None:
        try:
            text = await asyncio.to_thread(feeds.text_of, self._path)
        except FeedsError as error:
            self._looked_at = ""
            self._keep_on(error.problems)
            return
        digest = _digest(text)
        if digest != self._looked_at:
            self._looked_at = digest
            await self._take_over(text, digest)

    async def _take_over(self, text: str, digest: str) -> None:
        if digest == self._used:  # mended, or changed back, before it was ever used
            self._mended()
            return
        try:
            configured = (await asyncio.to_thread(feeds.parse, text, str(self._path))).feeds
            await self._appoint(configured)
        except Unavailable:
            raise
        except FeedsError as error:
            self._keep_on(error.problems)
        except Exception as error:
            log.exception("feeds cannot be compiled, keeping those in use")
            self._keep_on((f"{self._path}: cannot be used: {error!r}",))
        else:
            self._used = digest
            self._mended()
            log.info("feeds file read again", extra={"feeds": len(configured)})

    async def _appoint(self, configured: tuple[FeedConfig, ...]) -> None:
        profiles = await self._liked(configured) if self._liked and _like_anything(configured) else None
        self.judge = await asyncio.to_thread(appoint, configured, profiles, self._prepare)
        self._changed(self.judge)
        self.ready.set()

    def _keep_on(self, problems: tuple[str, ...]) -> None:
        for problem in problems:
            if problem not in self.problems:
                log.error("feeds file is wrong, keeping the last good one", extra={"problem": problem})
        self.problems = problems
        self._ok.set(0)

    def _mended(self) -> None:
        self.problems = ()
        self._ok.set(1)

    def notes(self) -> list[str]:
        """What /readyz says about the file, while it is wrong."""
        return [f"the feeds in use are older than the file: {problem}" for problem in self.problems]


def _like_anything(configured: Sequence[FeedConfig]) -> bool:
    return any(feed.like for feed in configured)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
