"""One request at a time to a host, and none sooner than the interval after the last, over all replicas."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from services.fetcher.lease import AWAY, RELEASE_SECONDS, stopping
from shared.bus import Bus
from shared.errors import Unavailable
from shared.provision import FETCHER_BUCKET

PREFIX = "pace."
FREE = b"free"
EXPIRY_SECONDS = 15.0
POLL_SECONDS = 0.05
_UNFIT = re.compile(r"[^A-Za-z0-9-]+")


class Pace:
    """A gate for each host; `async with pace.turn(host):` holds it.

    A turn is renewed while it lasts, and ended when it cannot be: a killed replica's turn is over for the others
    `expiry` seconds after its last sign of life, a living one's never.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        interval: float,
        elsewhere: float | None = None,
        arxiv: Collection[str] = (),
        expiry: float = EXPIRY_SECONDS,
    ) -> None:
        """Seconds between requests to arXiv, which is also at the hosts `arxiv`, and to each host `elsewhere`."""
        self._bus = bus
        self._interval = interval
        self._elsewhere = interval if elsewhere is None else elsewhere
        self._arxiv = {key_of(host) for host in ("arxiv.org", *arxiv)}
        self._expiry = expiry
        self._holder = secrets.token_hex(8).encode()
        self._gates: dict[str, _Gate] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for the turn; the interval counts from the end of what is done in it."""
        gate = self._gate(key_of(host))
        async with gate.alone:
            try:
                kv = await self._bus.key_value(FETCHER_BUCKET)
                until = await gate.take(kv)
            except AWAY as error:
                raise Unavailable(f"the pace of requests is out of reach: {error or type(error).__name__}") from error
            try:
                async with _renewed(gate, kv, until):
                    yield
            finally:  # if this fails, the others wait until the turn expires
                with suppress(*AWAY):
                    async with asyncio.timeout(RELEASE_SECONDS):
                        await gate.release(kv)

    def _gate(self, key: str) -> _Gate:
        if key not in self._gates:
            interval = self._interval if key in self._arxiv else self._elsewhere
            self._gates[key] = _Gate(key, self._holder, interval, self._expiry)
        return self._gates[key]


def key_of(host: str) -> str:
    """The host's key in the bucket. arXiv's hosts are one: its limits hold for all of them together."""
    host = host.lower().strip(".")
    if host.endswith(".arxiv.org"):
        host = "arxiv.org"
    return PREFIX + (".".join(_UNFIT.sub("_", label) for label in host.split(".") if label) or "_")


@asynccontextmanager
async def _renewed(gate: _Gate, kv: KeyValue, until: float) -> AsyncIterator[None]:
    """Cancels what is done inside as soon as the turn cannot be renewed in time."""
    limit = asyncio.timeout_at(until)
    try:
        async with limit:
            renewing = asyncio.create_task(gate.keep(kv, limit))
            try:
                yield
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
    except TimeoutError as error:
        if limit.expired():
            raise Unavailable("the turn could not be renewed, so the request was broken off") from error
        raise


class _Gate:
    """One key: the holder's name, or that it is free.

    Every replica counts from the moment that it saw the key change, by its own monotonic clock. That is never
    before the change, so clocks that differ between machines let nobody in too soon.
    """

    def __init__(self, key: str, holder: bytes, interval: float, expiry: float) -> None:
        self.alone = asyncio.Lock()
        self._key = key
        self._holder = holder
        self._interval = interval
        self._expiry = expiry
        # Who had the last turn sees first that it is over; without this a busy replica would let no other in.
        self._courtesy = min(interval, 2 * POLL_SECONDS)
        self._revision = 0
        self._seen_at = 0.0

    async def take(self, kv: KeyValue) -> float:
        """Wait for the turn; it is ours until the moment that is returned, on the event loop's clock."""
        while True:
            wait = await self._opens_at(kv) - _now()
            if wait > 0:
                await asyncio.sleep(min(wait, POLL_SECONDS))
                continue
            began = _now()  # counted from before the write: nobody else can have seen it earlier
            with suppress(KeyWrongLastSequenceError):  # another replica was faster
                await self._write(kv, self._holder)
                if _now() < began + self._expiry:
                    return began + self._expiry

    async def keep(self, kv: KeyValue, limit: asyncio.Timeout) -> None:
        """Renew the turn until cancelled; `limit` moves with every success."""
        while not stopping():
            await asyncio.sleep(self._expiry / 3)
            began = _now()
            with suppress(*AWAY):
                async with asyncio.timeout(self._expiry / 3):
                    await self._write(kv, self._holder)
                limit.reschedule(began + self._expiry)

    async def release(self, kv: KeyValue) -> None:
        """The next turn may begin after the interval."""
        ended = _now()
        await self._write(kv, FREE)
        self._seen_at = ended + self._courtesy

    async def _opens_at(self, kv: KeyValue) -> float:
        try:
            entry = await kv.get(self._key)
        except KeyNotFoundError as missing:  # or deleted, and then the mark of that counts as a revision
            self._revision = missing.entry.revision or 0 if missing.entry else 0
            return 0.0
        if entry.revision != self._revision:
            self._revision, self._seen_at = entry.revision or 0, _now()
        # Its own name is there when the answer to its write was lost.
        over = self._seen_at if entry.value in (FREE, self._holder) else self._seen_at + self._expiry
        return over + self._interval

    async def _write(self, kv: KeyValue, value: bytes) -> None:
        try:
            self._revision = await kv.update(self._key, value, last=self._revision)
        except KeyWrongLastSequenceError:
            entry = await kv.get(self._key)
            if entry.value != self._holder:
                raise
            # The write before this one arrived, only its answer did not.
            self._revision = await kv.update(self._key, value, last=entry.revision)


def _now() -> float:
    return asyncio.get_running_loop().time()
