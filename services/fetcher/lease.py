"""The lease that lets one replica at a time talk to arXiv, in the KV bucket that all replicas share."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

import nats.errors
from nats.js.errors import Error as JetStreamError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from shared.bus import Bus
from shared.errors import Unavailable
from shared.provision import FETCHER_BUCKET

log = logging.getLogger(__name__)

KEY = "lease"
FREE = b"nobody"
RELEASE_SECONDS = 2.0
AWAY = (Unavailable, nats.errors.Error, JetStreamError, TimeoutError, OSError)


def stopping() -> bool:
    """Whether this task was cancelled.

    Before Python 3.12 `asyncio.wait_for`, which nats-py awaits its answers with, swallows a cancellation that
    arrives together with the answer: an endless loop has to ask.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Lease:
    """Held as long as it is renewed in time; `keep()` is the loop that takes and renews it.

    A replica takes it over when it has seen no renewal for `seconds` by its own monotonic clock, so clocks that
    differ between machines do no harm.
    """

    def __init__(self, bus: Bus, *, holder: str, seconds: float) -> None:
        self._bus = bus
        self._holder = holder.encode()
        self._seconds = seconds
        self._kv: KeyValue | None = None
        self._until = 0.0
        self._revision = 0
        self._seen_at = 0.0
        self._taken = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def held(self) -> bool:
        """Whether this replica may talk to arXiv now."""
        return time.monotonic() < self._until

    async def wait(self) -> None:
        """Return as soon as it is held."""
        while not self.held:
            self._taken.clear()
            await self._taken.wait()

    async def lost(self, timeout: float) -> None:
        """Return when it is lost, or after `timeout` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._lost.wait()

    async def keep(self) -> None:
        """Take it when it is free, renew it, and give it back at the end."""
        try:
            while not stopping():
                try:
                    async with asyncio.timeout(max(1.0, self._seconds / 3)):  # an answer lost in a reconnect
                        await self._turn()
                except AWAY as error:
                    log.warning("the lease is out of reach", extra={"reason": str(error) or type(error).__name__})
                if not self.held:
                    self._let_go()
                if not stopping():
                    await asyncio.sleep(self._seconds / 3)
        finally:
            with suppress(*AWAY):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._release()

    async def _turn(self) -> None:
        kv = self._kv = self._kv or await self._bus.key_value(FETCHER_BUCKET)
        if self.held:
            await self._write(kv, self._holder)
            return
        try:
            entry = await kv.get(KEY)
        except KeyNotFoundError as missing:  # or deleted, and then the mark of that counts as a revision
            self._revision = missing.entry.revision if missing.entry else 0
            await self._write(kv, self._holder)
            return
        if entry.revision != self._revision:
            self._revision, self._seen_at = entry.revision or 0, time.monotonic()
        # Its own name is there when the answer to its write was lost.
        if entry.value in (FREE, self._holder) or time.monotonic() - self._seen_at >= self._seconds:
            await self._write(kv, self._holder)

    async def _write(self, kv: KeyValue, value: bytes) -> None:
        # Counted from before the write: nobody else can have seen it earlier.
        started = time.monotonic()
        try:
            self._revision = await kv.update(KEY, value, last=self._revision)
        except KeyWrongLastSequenceError:  # another replica was faster
            self._until = 0.0
            return
        self._until = started + self._seconds if value != FREE else 0.0
        if value != FREE and not self._taken.is_set():
            log.info("lease taken")
            self._lost.clear()
            self._taken.set()

    def _let_go(self) -> None:
        if self._taken.is_set():
            log.warning("lease lost")
        self._until = 0.0
        self._taken.clear()
        self._lost.set()

    async def _release(self) -> None:
        if self.held and self._kv is not None:
            self._taken.clear()
            await self._write(self._kv, FREE)
            log.info("lease released")
        self._let_go()
