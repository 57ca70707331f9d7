"""What becomes of a delivery: done, tried again later, held, or buried. Handlers never acknowledge.

A plain negative acknowledgement redelivers at once and spends every attempt within a millisecond, so each delay
here is ours. The server never gives up on its own (`max_deliver` is unlimited): a message leaves only by an
acknowledgement, which follows its effect, or by a dead letter, which says why.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Generic

import nats.errors
from nats.aio.msg import Msg
from pydantic import ValidationError

from shared.envelope import M, Received, new_trace
from shared.errors import Elsewhere, Permanent, Unavailable
from shared.heartbeat import heartbeats
from shared.metrics import Metrics

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
MAX_DELIVERIES = 25  # a message that kills its process never fails, it just comes again
LONGEST_DELAY = 300.0
HOLD = (0.5, 1.0, 2.0, 5.0)  # seconds between tries while something is away

Handler = Callable[[Sequence[Received[M]]], Awaitable[None]]
Bury = Callable[[Msg, str, str], Awaitable[None]]


def retry_delay(attempt: int) -> float:
    """Seconds until the next delivery: 1, 4, 16, 64, then 5 minutes."""
    return min(LONGEST_DELAY, 4.0 ** (attempt - 1))


class Settler(Generic[M]):
    """Delivers messages of one consumer to its handler and settles each of them."""

    def __init__(
        self,
        message: type[M],
        consumer: str,
        handler: Handler[M],
        *,
        bury: Bury,
        metrics: Metrics,
        stopping: asyncio.Event,
        retry_delay: Callable[[int], float] = retry_delay,
        ack_wait: float = 30.0,
    ) -> None:
        self._message = message
        self._consumer = consumer
        self._handler = handler
        self._bury = bury
        self._metrics = metrics
        self._retry_delay = retry_delay
        self.heartbeat = ack_wait / 3
        self._stopping = stopping

    async def deliver(self, raw: Sequence[Msg]) -> None:
        """Handle these messages and settle every one of them."""
        async with heartbeats(raw, self.heartbeat):
            try:
                readable = [pair for message in raw if (pair := await self._open(message)) is not None]
                if readable:
                    with self._metrics.handling.labels(self._metrics.service, self._consumer).time():
                        await self._handle(readable)
            except Unavailable:  # only when stopping
                await _give_back(raw)

    async def _open(self, message: Msg) -> tuple[Msg, Received[M]] | None:
        """The message as a value; one that cannot be read, or that never ends, is buried here."""
        metadata = message.metadata
        if metadata.num_delivered > MAX_DELIVERIES:
            await self._give_up(message, f"delivered {MAX_DELIVERIES} times and never finished")
            return None
        try:
            event = self._message.model_validate_json(message.data)
        except ValidationError as error:
            await self._give_up(message, f"cannot be read: {_short(error)}")
            return None
        trace = (message.headers or {}).get("traceparent") or new_trace()
        return message, Received(event, metadata.sequence.stream, metadata.num_delivered, trace)

    async def _handle(self, batch: Sequence[tuple[Msg, Received[M]]]) -> None:
        try:
            received = [received for _, received in batch]
            await self._hold_while_unavailable(partial(self._handler, received), len(batch))
        except Unavailable:
            raise
        except Elsewhere:
            await _give_back([message for message, _ in batch], delay=HOLD[0])
        except Exception as error:  # noqa: BLE001 - losing a paper is worse than retrying a bug
            if len(batch) > 1:  # a bad one must not take good ones with it
                for pair in batch:
                    await self._handle([pair])
            else:
                await self._fail(*batch[0], error)
        else:
            for message, _ in batch:
                await message.ack()
            self._count("done", len(batch))

    async def _hold_while_unavailable(self, work: Callable[[], Awaitable[None]], messages: int) -> None:
        """Do the work, again and again while it raises `Unavailable`; that goes on only when stopping."""
        held = self._metrics.held.labels(self._metrics.service, self._consumer)
        tries = 0
        try:
            while True:
                try:
                    await work()
                    return
                except Unavailable as error:
                    if self._stopping.is_set():
                        raise
                    if tries == 0:
                        log.warning("holding messages", extra={"consumer": self._consumer, "reason": str(error)})
                    held.set(messages)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), HOLD[min(tries, len(HOLD) - 1)])
                tries += 1
        finally:
            held.set(0)

    async def _fail(self, message: Msg, received: Received[M], error: Exception) -> None:
        details = {"consumer": self._consumer, "key": received.event.key, "attempt": received.attempt}
        final = isinstance(error, Permanent | ValidationError)
        if final or received.attempt >= MAX_ATTEMPTS:
            log.error("message given up", extra=details, exc_info=None if final else error)
            await self._give_up(message, f"{type(error).__name__}: {_short(error)}")
            return
        delay = self._retry_delay(received.attempt)
        log.warning("message failed, trying again", extra={**details, "delay": delay, "reason": repr(error)})
        await message.nak(delay=delay)
        self._count("retried")

    async def _give_up(self, message: Msg, reason: str) -> None:
        try:
            await self._hold_while_unavailable(partial(self._bury, message, self._consumer, reason), 1)
        except Unavailable:
            raise
        except Exception:  # it stays, and must not keep others from their turn
            log.exception("message cannot be buried, trying again", extra={"consumer": self._consumer})
            await message.nak(delay=LONGEST_DELAY)
            self._count("retried")
            return
        await message.ack()
        self._metrics.dead_letters.labels(self._metrics.service, self._consumer).inc()
        self._count("buried")

    def _count(self, outcome: str, amount: int = 1) -> None:
        self._metrics.messages.labels(self._metrics.service, self._consumer, outcome).inc(amount)


async def _give_back(messages: Sequence[Msg], delay: float | None = None) -> None:
    """Let another replica take up what is not settled, at once if NATS can be told and else after `ack_wait`."""
    for message in messages:
        if not message.is_acked:
            with suppress(nats.errors.Error):
                await message.nak(delay=delay)


def _short(error: Exception) -> str:
    """The error in one line for a header."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"
    return " ".join(str(error).split())[:300].encode("utf-8", "replace").decode()
