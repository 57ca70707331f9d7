"""Looking at one source again and again while the lease is held. No failure ends it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from services.fetcher import core
from services.fetcher.cursor import Ledger, Overtaken
from services.fetcher.download import FetchFailed
from services.fetcher.fetching import Outcome
from services.fetcher.lease import AWAY, Lease, stopping
from services.fetcher.settings import Settings
from services.fetcher.sources.document import UnusableDocument
from shared import feeds
from shared.bus import Bus
from shared.fetcher_state import FetcherState

log = logging.getLogger(__name__)

OWN_RETRY_SECONDS = 1.0  # when the trouble is ours, arXiv need not be spared
UPSTREAM = (FetchFailed, UnusableDocument)


def wall_clock() -> datetime:
    """The time, as `now`."""
    return datetime.now(UTC)


class Looks(Protocol):
    """What a `Watch` does again and again."""

    async def recover(self, ledger: Ledger) -> None:
        """Finish what was begun."""

    async def look(self, ledger: Ledger) -> Outcome:
        """Ask once, and publish what is new."""

    async def check(self, ledger: Ledger, failure: str | None = None) -> None:
        """Count what came against what the source lists."""


class Told(Protocol):
    """What a `Watch` measures."""

    def newest_is(self, day: date | None) -> None:
        """The newest announcement is of this day."""

    def succeeded(self, now: datetime, *, stale: bool) -> None:
        """The source gave a usable answer."""

    def failed(self, reason: str) -> None:
        """It did not, or we could not ask it."""


class Watch:
    """The loop: hold the lease, finish what was begun, look at the feed, wait. No failure ends it."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        lease: Lease,
        fetching: Looks,
        measures: Told,
        clock: Callable[[], datetime] = wall_clock,
        *,
        source: str = feeds.ARXIV,
        wanted: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._source = source
        self._wanted = wanted
        self._interval = settings.poll_interval if source == feeds.ARXIV else settings.source_interval
        self._settings = settings
        self._bus = bus
        self._lease = lease
        self._fetching = fetching
        self._measures = measures
        self._clock = clock
        self._ledger: Ledger | None = None
        self._own_failures = 0
        self._woken = asyncio.Event()
        self._waiting: list[asyncio.Future[FetcherState | None]] = []

    async def wake(self) -> FetcherState | None:
        """Look at once; what came of it. No wait that arXiv is owed is cut short. None when it cannot be said."""
        asked: asyncio.Future[FetcherState | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(asked)
        self._woken.set()
        return await asked

    async def run(self) -> None:
        """Look at the feed again and again while the lease is held, until nobody wants it any more."""
        while not stopping() and self._wanted(self._source):
            if not self._lease.held:
                self._ledger = None  # whoever holds the lease in the meantime writes on
                await self._lease.wait()
            self._woken.clear()
            waiting, self._waiting = self._waiting, []
            delay = await self._round()
            for asked in waiting:
                if not asked.done():
                    asked.set_result(self._ledger.state if self._ledger else None)
            if not stopping():
                await self._pause(delay)

    async def _pause(self, seconds: float) -> None:
        """Until the next look is due, somebody wants one now, or the lease is lost."""
        ends = [asyncio.ensure_future(self._woken.wait()), asyncio.ensure_future(self._lease.lost(seconds))]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _round(self) -> float:
        """One look; the seconds until the next."""
        try:
            ledger = self._ledger = self._ledger or await Ledger.load(self._bus, self._source)
            self._measures.newest_is(ledger.cursor.day)
            await self._fetching.recover(ledger)
            if (wait := self._embargo(ledger)) > 0:
                extra = {"source": self._source, "seconds": round(wait, 1)}
                log.info("waiting until the source may be asked again", extra=extra)
                return wait
            await self._succeeded(ledger, await self._fetching.look(ledger))
            await self._fetching.check(ledger)
        except UPSTREAM as error:
            return await self._failed(error)
        except Exception as error:  # noqa: BLE001 - no failure ends the loop; every one is counted and logged
            return await self._own_failure(error)
        return self._interval

    def _embargo(self, ledger: Ledger) -> float:
        """Seconds left of the wait that arXiv is owed, also when it began before a restart."""
        if ledger.state is None or ledger.state.retry_at is None:
            return 0.0
        return min(core.DAY, (ledger.state.retry_at - self._clock()).total_seconds())

    async def _succeeded(self, ledger: Ledger, outcome: Outcome) -> None:
        now = self._clock()
        self._own_failures = 0
        self._measures.succeeded(now, stale=outcome == core.STALE.reason)
        self._measures.newest_is(ledger.cursor.day)
        last_failure = ledger.state.last_failure if ledger.state else None
        await ledger.note(
            FetcherState(
                outcome=outcome, checked=now, last_success=now, last_failure=last_failure, newest=ledger.cursor.day
            )
        )

    async def _failed(self, error: FetchFailed | UnusableDocument) -> float:
        """arXiv's failure: the cursor stays, the reason is written down, the wait grows."""
        before = self._ledger.state if self._ledger else None
        failures = (before.failures if before else 0) + 1
        delay = core.retry_delay(
            failures,
            first=self._settings.retry_delay,
            jitter=random.SystemRandom().random(),
            retry_after=error.retry_after if isinstance(error, FetchFailed) else None,
        )
        reason = error.reason if isinstance(error, FetchFailed) else "unusable document"
        extra = {"source": self._source, "reason": reason, "detail": str(error), "again_in": round(delay, 1)}
        log.warning("fetch failed", extra=extra)
        await self._note_failure(reason, error, failures, self._clock() + timedelta(seconds=delay))
        if self._ledger is not None:
            with suppress(Overtaken, feeds.FeedsError, *AWAY):
                await self._fetching.check(self._ledger, failure=reason)
        return delay

    async def _own_failure(self, error: Exception) -> float:
        """Our side's failure: what was loaded may be out of date, so it is loaded anew."""
        self._own_failures += 1
        delay = core.retry_delay(
            self._own_failures, first=OWN_RETRY_SECONDS, jitter=0.5, longest=self._settings.retry_delay
        )
        reason = own_reason(error)
        detail = str(error) or type(error).__name__
        trace = error if reason == "internal" else None
        extra = {"source": self._source, "reason": reason, "detail": detail, "again_in": delay}
        log.warning("fetcher in trouble", extra=extra, exc_info=trace)
        before = self._ledger.state if self._ledger else None
        await self._note_failure(reason, error, before.failures if before else 0, before.retry_at if before else None)
        self._ledger = None
        return delay

    async def _note_failure(self, reason: str, error: Exception, failures: int, retry_at: datetime | None) -> None:
        self._measures.failed(reason)
        ledger, now = self._ledger, self._clock()
        if ledger is None or reason == "nats":  # nowhere to write it
            return
        state = FetcherState(
            outcome="failed",
            reason=f"{reason}: {str(error) or type(error).__name__}",
            checked=now,
            last_success=ledger.state.last_success if ledger.state else None,
            last_failure=now,
            failures=failures,
            retry_at=retry_at,
            newest=ledger.cursor.day,
        )
        with suppress(*AWAY):
            await ledger.note(state)


def own_reason(error: Exception) -> str:
    """The metric's label for a failure that is not arXiv's."""
    if isinstance(error, feeds.FeedsError):
        return "feed configuration"
    return "nats" if isinstance(error, (Overtaken, *AWAY)) else "internal"
