"""The connection to NATS: it outlives every outage, and says truthfully whether it stands."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import faststream.nats.broker.broker as faststream_broker
import nats.errors
from faststream import AckPolicy
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.js import JetStreamContext

from shared.errors import Unavailable

log = logging.getLogger(__name__)

FLUSH_SECONDS = 2
FINISH_SECONDS = 60.0
ANSWER_SECONDS = 1.0  # a healthy server takes milliseconds
API_SECONDS = 5.0  # a request that is lost in a reconnect is waited for this long

# FastStream raises these errors out of nats-py's error callback, also during a reconnect, which kills the
# reconnect task for ever without a log line. A server that refuses us now may take us in a minute.
faststream_broker.UNRECOVERABLE_CONNECT_ERRORS = ()  # type: ignore[assignment]


class Connection:
    """FastStream's broker, and what lies below it."""

    def __init__(self, url: str, name: str) -> None:
        self._last_error = "not connected yet"
        self._js: JetStreamContext | None = None
        self.broker = NatsBroker(
            url,
            name=name,
            # After a finite number nats-py closes for good, and FastStream's loop then spins at 100 % CPU.
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=5,
            ping_interval=10,
            max_outstanding_pings=2,
            pending_size=64 * 1024 * 1024,
            graceful_timeout=FINISH_SECONDS,
            ack_policy=AckPolicy.MANUAL,
            apply_types=False,
            error_cb=self._on_error,
            logger=None,
        )

    @property
    def client(self) -> Client:
        """The client below; `Unavailable` before the first connection."""
        client = self.broker._connection  # the public property raises until the first connection
        if client is None:
            raise Unavailable("NATS: " + self._last_error)
        return client

    @property
    def js(self) -> JetStreamContext:
        """The JetStream context."""
        if self._js is None:
            self._js = self.client.jetstream(timeout=API_SECONDS)
        return self._js

    @property
    def stands(self) -> bool:
        """Whether it is connected now."""
        with suppress(Unavailable):
            return self.client.is_connected
        return False

    async def problem(self) -> str | None:
        """None when the server answers, else why it does not."""
        if not self.stands:
            return f"NATS is not connected: {self._last_error}"
        try:
            # Not `flush`: an answer to it that comes too late ends nats-py's reading of the connection.
            await self.client.request("$JS.API.INFO", timeout=ANSWER_SECONDS)
        except (nats.errors.Error, TimeoutError) as error:
            return f"NATS does not answer: {error or type(error).__name__}"
        return None

    async def stop(self) -> None:
        """Finish what is in hand, tell the server, and close. One that does not listen is not waited for."""
        # Not `broker.stop`: it waits for one subscriber after the other, and for a server that does not answer.
        stops = (subscriber.stop() for subscriber in self.broker.subscribers)
        await asyncio.gather(*stops, return_exceptions=True)
        # In the middle of a reconnect nats-py raises whatever its half-open socket does; leaving is no failure.
        for last in (self._flush, self._close):
            try:
                await last()
            except Exception as error:  # noqa: BLE001
                log.info("NATS was not told goodbye", extra={"reason": repr(error)})

    async def _flush(self) -> None:
        await self.client.flush(timeout=FLUSH_SECONDS)

    async def _close(self) -> None:
        await self.client.close()

    async def _on_error(self, error: Exception) -> None:
        self._last_error = str(error) or type(error).__name__
