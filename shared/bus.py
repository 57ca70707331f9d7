"""One service's way to JetStream: subscribe, publish, read back. No other module knows how NATS is spoken.

The broker is FastStream's; see `shared.pull` for how messages are taken, `shared.verdict` for what becomes of
them, `shared.publish` for how they are sent, and `shared.provision` for the streams and consumers themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import faststream.nats.broker.broker as faststream_broker
import nats.errors
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy as JsAckPolicy
from nats.js.api import ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from nats.js.kv import KeyValue
from nats.js.object_store import ObjectStore
from pydantic import ValidationError

from shared import envelope
from shared.envelope import DeadLetter, M, Outgoing, Received, new_trace
from shared.errors import Unavailable
from shared.messages import Message
from shared.metrics import Metrics
from shared.provision import CONSUMERS, DEAD, ORDERS, PAPERS
from shared.publish import AWAY, Encoded, publish
from shared.pull import SteadySubscriber
from shared.settings import ServiceSettings
from shared.verdict import Settler, retry_delay

__all__ = ["Bus", "DeadLetter", "Outgoing", "Received"]

log = logging.getLogger(__name__)

READ_SIZE = 500
DRAIN_SECONDS = 10
API_SECONDS = 5  # a request that is lost in a reconnect is waited for this long

# FastStream raises these errors out of nats-py's error callback, also during a reconnect, which kills the
# reconnect task for ever without a log line. A server that refuses us now may take us in a minute.
faststream_broker.UNRECOVERABLE_CONNECT_ERRORS = ()  # type: ignore[assignment]


class Bus:
    """The connection of one service. Subscriptions are declared first and start with `start()`."""

    def __init__(
        self,
        settings: ServiceSettings,
        service: str,
        metrics: Metrics,
        *,
        retry_delay: Callable[[int], float] = retry_delay,
    ) -> None:
        self._service = service
        self._retry_delay = retry_delay
        self._metrics = metrics
        self._last_error = "not connected yet"
        self._subscribers: dict[str, list[SteadySubscriber]] = {}
        self._settlers: list[tuple[str, Settler[Any]]] = []
        self._js: JetStreamContext | None = None
        self.stopping = asyncio.Event()
        """Set when the service is asked to stop, for handlers that wait."""
        self._broker = NatsBroker(
            settings.nats_url,
            name=f"paperwire-{service}",
            # After a finite number nats-py closes for good, and FastStream's loop then spins at 100 % CPU.
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=5,
            ping_interval=10,
            max_outstanding_pings=2,
            drain_timeout=DRAIN_SECONDS,
            pending_size=64 * 1024 * 1024,
            graceful_timeout=60.0,
            ack_policy=AckPolicy.MANUAL,
            apply_types=False,
            error_cb=self._on_error,
            logger=None,
        )

    # ---- subscribing

    def on(
        self,
        message: type[M],
        durable: str,
        handle: Callable[[Received[M]], Awaitable[None]],
        *,
        lanes: int = 1,
    ) -> None:
        """Handle one message at a time in each of `lanes` (each holds exactly one, so none waits behind another)."""

        async def one(batch: Sequence[Received[M]]) -> None:
            for received in batch:
                await handle(received)

        for _ in range(lanes):
            self._subscribe(message, durable, one, size=1)

    def on_batch(
        self,
        message: type[M],
        durable: str,
        handle: Callable[[Sequence[Received[M]]], Awaitable[None]],
        *,
        size: int = 100,
    ) -> None:
        """Handle up to `size` messages at once: whatever is there, never waiting for more."""
        self._subscribe(message, durable, handle, size=size)

    def on_dead(self, durable: str, handle: Callable[[DeadLetter], Awaitable[None]]) -> None:
        """Handle dead letters. One that cannot be handled is tried again for ever, not buried again."""

        async def each(raw: list[Msg]) -> None:
            for message in raw:
                try:
                    await handle(_dead_letter(message))
                except Exception as error:  # noqa: BLE001 - whatever it is, the letter stays
                    log.warning("dead letter not handled", extra={"consumer": durable, "reason": repr(error)})
                    await message.nak(delay=10)
                else:
                    await message.ack()

        self._attach(durable, each, size=20)

    def _subscribe(
        self,
        message: type[M],
        durable: str,
        handle: Callable[[Sequence[Received[M]]], Awaitable[None]],
        *,
        size: int,
    ) -> None:
        assert CONSUMERS[durable].subject == message.SUBJECT, f"{durable} does not read {message.SUBJECT}"
        settler = Settler(
            message, durable, handle, bury=self._bury, metrics=self._metrics, retry_delay=self._retry_delay
        )
        self._settlers.append((durable, settler))
        self._attach(durable, settler.deliver, size=size)

    def _attach(self, durable: str, deliver: Callable[[list[Msg]], Awaitable[None]], *, size: int) -> None:
        consumer = CONSUMERS[durable]
        subscriber = self._broker.subscriber(
            consumer.subject,
            stream=JStream(consumer.stream, declare=False),
            durable=durable,
            pull_sub=PullSub(batch_size=size, batch=True),
            decoder=_undecoded,
            no_reply=True,
            title=f"{durable}-{len(self._subscribers.get(durable, []))}",
        )
        subscriber(deliver)
        self._subscribers.setdefault(durable, []).append(SteadySubscriber.adopt(subscriber))
        self._metrics.watch(durable)

    # ---- publishing

    async def publish(self, *events: Message | Outgoing) -> list[int]:
        """Store all events; their stream sequences, in order, when every one is durable.

        An event that was published before (the same key) is stored once and counts as success. `Unavailable`
        when NATS takes nothing for 15 seconds.
        """
        encoded = self._encode(events)
        sequences = await publish(self.connection, self.js, encoded)
        for message in encoded:
            self._metrics.published.labels(self._service, message.subject).inc()
        return sequences

    def _encode(self, events: Sequence[Message | Outgoing]) -> list[Encoded]:
        now = datetime.now(UTC)
        encoded = []
        for item in events:
            event, trace = (item.event, item.traceparent) if isinstance(item, Outgoing) else (item, new_trace())
            headers = envelope.headers(event, service=self._service, now=now, traceparent=trace)
            encoded.append(Encoded(event.SUBJECT, event.model_dump_json().encode(), headers))
        return encoded

    async def _bury(self, message: Msg, consumer: str, reason: str) -> None:
        """The message as it was, beside why it was given up. Its id is its place, so it is buried once."""
        metadata = message.metadata
        headers = {key: value for key, value in (message.headers or {}).items() if not key.startswith("Nats-")}
        headers |= {
            "Nats-Msg-Id": f"dead:{consumer}:{metadata.stream}:{metadata.sequence.stream}",
            "Dead-Reason": reason,
            "Dead-Attempts": str(metadata.num_delivered),
            "Dead-Consumer": consumer,
        }
        await publish(self.connection, self.js, [Encoded(f"dead.{message.subject}", message.data, headers)])

    # ---- reading back

    async def read(self, message: type[M], *, from_sequence: int = 1) -> AsyncIterator[Received[M]]:
        """All messages of this kind that are in the stream now, in order, from a sequence on.

        One that cannot be read is passed over: the consumer whose work it is buries it.
        """
        stream = ORDERS if message.SUBJECT.startswith("fetch.") else PAPERS
        async for raw in self._log(stream, message.SUBJECT, from_sequence):
            try:
                event = message.model_validate_json(raw.data)
            except ValidationError:
                continue
            yield Received(event, raw.metadata.sequence.stream, 1, (raw.headers or {}).get("traceparent", ""))

    async def read_dead(self, message: type[M], *, from_sequence: int = 1) -> AsyncIterator[DeadLetter]:
        """All dead letters of this kind that are there now, in order, from a sequence of the stream DEAD on."""
        async for raw in self._log(DEAD, f"dead.{message.SUBJECT}", from_sequence):
            yield _dead_letter(raw)

    async def _log(self, stream: str, subject: str, from_sequence: int) -> AsyncIterator[Msg]:
        config = ConsumerConfig(
            filter_subject=subject,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=max(1, from_sequence),
            ack_policy=JsAckPolicy.NONE,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=30.0,
        )
        try:
            info = await self.js.add_consumer(stream, config)
            left = info.num_pending or 0
            if left:
                subscription = await self.js.pull_subscribe_bind(consumer=info.name, stream=stream)
                while left > 0:
                    for raw in await subscription.fetch(batch=min(READ_SIZE, left), timeout=5):
                        yield raw
                        left -= 1
                await subscription.unsubscribe()
            with suppress(JetStreamError, nats.errors.Error):
                await self.js.delete_consumer(stream, info.name)
        except AWAY as error:
            raise Unavailable(f"cannot read {subject}: {error or type(error).__name__}") from error

    # ---- buckets

    async def key_value(self, bucket: str) -> KeyValue:
        """A key-value bucket that the provisioner has created."""
        return await self.js.key_value(bucket)

    async def object_store(self, bucket: str) -> ObjectStore:
        """An object store that the provisioner has created."""
        return await self.js.object_store(bucket)

    # ---- living

    @property
    def connection(self) -> Client:
        """The NATS connection; `Unavailable` before the first one."""
        connection = self._broker._connection  # the public property raises until the first connection
        if connection is None:
            raise Unavailable("NATS: " + self._last_error)
        return connection

    @property
    def js(self) -> JetStreamContext:
        """The JetStream context of the connection."""
        if self._js is None:
            self._js = self.connection.jetstream(timeout=API_SECONDS, publish_async_max_pending=1_000)
        return self._js

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        with suppress(Unavailable):
            return self.connection.is_connected
        return False

    async def connect(self) -> None:
        """Connect, waiting for the server as long as it takes."""
        await self._broker.connect()

    async def missing(self) -> list[str]:
        """What this service needs and the provisioner has not created (yet)."""
        names = sorted(self._subscribers)
        infos = await asyncio.gather(*(self._consumer_info(name) for name in names))
        return [name for name, info in zip(names, infos, strict=True) if info is None]

    async def start(self) -> None:
        """Start taking messages."""
        for durable, settler in self._settlers:
            info = await self._consumer_info(durable)
            if info is not None and info.config is not None and info.config.ack_wait:
                settler.heartbeat = info.config.ack_wait / 3
        await self._broker.start()

    async def stop(self) -> None:
        """Finish what is in hand, then leave."""
        self.stopping.set()
        for _, settler in self._settlers:
            settler.stop()
        with suppress(nats.errors.Error):  # draining is not possible while reconnecting
            await self._broker.stop()

    async def ready(self) -> str | None:
        """None when messages can flow, else the reason why not."""
        if not self.connected:
            return f"NATS is not connected: {self._last_error}"
        try:
            await self.connection.flush(timeout=1)
            missing = await self.missing()
        except (nats.errors.Error, JetStreamError, TimeoutError) as error:
            return f"NATS does not answer: {error or type(error).__name__}"
        if missing:
            return f"consumer {missing[0]} is missing: run `python -m shared.provision`"
        for durable, subscribers in self._subscribers.items():
            if not all(subscriber.alive for subscriber in subscribers):
                return f"subscription {durable} has stopped"
        return None

    async def measure(self) -> None:
        """Bring the lag gauges up to date."""
        for durable in self._subscribers:
            if (info := await self._consumer_info(durable)) is not None:
                self._metrics.pending.labels(durable).set(info.num_pending or 0)
                self._metrics.ack_pending.labels(durable).set(info.num_ack_pending or 0)

    async def _consumer_info(self, durable: str) -> ConsumerInfo | None:
        try:
            info: ConsumerInfo = await self.js.consumer_info(CONSUMERS[durable].stream, durable, timeout=5)
            return info
        except NotFoundError:
            return None

    async def _on_error(self, error: Exception) -> None:
        self._last_error = str(error) or type(error).__name__


def _dead_letter(message: Msg) -> DeadLetter:
    headers = message.headers or {}
    return DeadLetter(
        subject=message.subject.removeprefix("dead."),
        data=message.data,
        reason=headers.get("Dead-Reason", "unknown"),
        attempts=_number(headers.get("Dead-Attempts", "")),
        consumer=headers.get("Dead-Consumer", "unknown"),
        sequence=message.metadata.sequence.stream,
        key=headers.get("ce-id", ""),
        about=headers.get("ce-subject", ""),
    )


def _number(text: str) -> int:
    """A header's number; anybody may put a letter there, so 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def _undecoded(message: Any) -> list[Msg]:
    """FastStream would decode every body as JSON before we do."""
    return list(message.raw_message)
