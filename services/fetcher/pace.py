"""One request at a time, and none sooner than the interval after the last, over all replicas."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from services.fetcher.lease import AWAY
from shared.bus import Bus
from shared.errors import Unavailable
from shared.provision import FETCHER_BUCKET

KEY = "pace"


class Pace:
    """The time of the last request lies in the shared bucket; whoever moves it on first has the next turn."""

    def __init__(self, bus: Bus, *, interval: float, clock: Callable[[], float] = time.time) -> None:
        self._bus = bus
        self._interval = interval
        self._clock = clock
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn; the interval counts from the end of what is done in it."""
        async with self._alone:
            try:
                kv = await self._bus.key_value(FETCHER_BUCKET)
                while not await self._take(kv):
                    pass
            except AWAY as error:
                raise Unavailable(f"the pace of requests is out of reach: {error or type(error).__name__}") from error
            try:
                yield
            finally:  # if this fails, the time of the beginning stands
                with suppress(*AWAY):
                    await kv.put(KEY, self._now())

    async def _take(self, kv: KeyValue) -> bool:
        """Wait until the interval is over; whether no other replica was faster then."""
        try:
            entry = await kv.get(KEY)
            last, revision = float(entry.value or 0), entry.revision or 0
        except KeyNotFoundError as missing:  # or deleted, and then the mark of that counts as a revision
            last, revision = 0.0, missing.entry.revision if missing.entry else 0
        # A clock that runs ahead on another machine must not hold us back for longer than the interval.
        await asyncio.sleep(min(self._interval, max(0.0, last + self._interval - self._clock())))
        try:
            await kv.update(KEY, self._now(), last=revision)
        except KeyWrongLastSequenceError:
            return False
        return True

    def _now(self) -> bytes:
        return f"{self._clock():.3f}".encode()
