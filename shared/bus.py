"""One service's way to JetStream: subscribe, publish, read back. No other module knows how NATS is spoken.

The broker is FastStream's; see `shared.pull` for how messages are taken, `shared.verdict` for what becomes of
them, `shared.publish` for how they are sent, `shared.log_reader` for how a stream is read back, and
`shared.provision` for the streams and consumers themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import nats.errors
from faststream.nats import JStream, PullSub
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.kv import KeyValue
from nats.js.object_store import ObjectStore
from pydantic import ValidationError

from shared import consumers
from shared.connection import Connection
from shared.dead_letters import PREFIX, Registrar, burial, dead_letter
from shared.envelope import DeadLetter, M, Outgoing, Received
from shared.log_reader import read_log
from shared.messages import Message
from shared.metrics import Metrics
from shared.provision import CONSUMERS, DEAD, ORDERS, PAPERS
from shared.publish import encode, publish
from shared.pull import SteadySubscriber
from shared.settings import ServiceSettings
from shared.verdict import Settler, retry_delay

__all__ = ["Bus", "DeadLetter", "Outgoing", "Received"]

log = logging.getLogger(__name__)


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
        self._connection = Connection(settings.nats_url, f"paperwire-{service}")
        self._subscribers: dict[str, list[SteadySubscriber]] = {}
        self._streams: set[str] = set()
        self._settlers: list[tuple[str, Settler[Any] | Registrar]] = []
        self.stopping = asyncio.Event()
        """Set when the service is asked to stop, for handlers that wait."""

    # ---- subscribing

    def on(
        self,
        message: type[M],
        durable: str,
        handle: Callable[[Received[M]], Awaitable[None]],
        *,
        lanes: int = 1,
        gate: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Handle one message at a time in each of `lanes` (each holds exactly one, so none waits behind another).

        With a `gate`, messages are only taken once it has returned: for work that one replica does at a time.
        """

        async def one(batch: Sequence[Received[M]]) -> None:
            for received in batch:
                await handle(received)

        for _ in range(lanes):
            self._subscribe(message, durable, one, size=1, gate=gate)

    def on_batch(
        self,
        message: type[M],
        durable: str,
        handle: Callable[[Sequence[Received[M]]], Awaitable[None]],
        *,
        size: int = 100,
        gate: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Handle up to `size` messages at once: whatever is there, never waiting for more. The `gate` as in `on`."""
        self._subscribe(message, durable, handle, size=size, gate=gate)

    def on_dead(self, durable: str, handle: Callable[[DeadLetter], Awaitable[None]]) -> None:
        """Handle dead letters. One that cannot be handled is tried again for ever, not buried again."""
        self._attach(durable, Registrar(durable, handle), size=20)

    def _subscribe(
        self,
        message: type[M],
        durable: str,
        handle: Callable[[Sequence[Received[M]]], Awaitable[None]],
        *,
        size: int,
        gate: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        assert CONSUMERS[durable].subject == message.SUBJECT, f"{durable} does not read {message.SUBJECT}"
        settler = Settler(
            message,
            durable,
            handle,
            bury=self._bury,
            metrics=self._metrics,
            stopping=self.stopping,
            retry_delay=self._retry_delay,
        )
        self._attach(durable, settler, size=size, gate=gate)

    def _attach(
        self,
        durable: str,
        settler: Settler[Any] | Registrar,
        *,
        size: int,
        gate: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._settlers.append((durable, settler))
        consumer = CONSUMERS[durable]
        subscriber = self._connection.broker.subscriber(
            consumer.subject,
            stream=JStream(consumer.stream, declare=False),
            durable=durable,
            pull_sub=PullSub(batch_size=size, batch=True),
            decoder=_undecoded,
            no_reply=True,
            title=f"{durable}-{len(self._subscribers.get(durable, []))}",
        )
        subscriber(settler.deliver)
        self._subscribers.setdefault(durable, []).append(SteadySubscriber.adopt(subscriber, gate))
        self._metrics.watch(durable)

    # ---- publishing

    async def publish(self, *events: Message | Outgoing) -> list[int]:
        """Store all events; their stream sequences, in order, when every one is durable.

        An event that was published before (the same key) is stored once and counts as success. `Unavailable`
        when NATS takes nothing for 15 seconds.
        """
        encoded = encode(events, service=self._service, now=datetime.now(UTC))
        sequences = await publish(self.connection, self.js, encoded, stopping=self.stopping)
        for message in encoded:
            self._metrics.published.labels(self._service, message.subject).inc()
        return sequences

    async def _bury(self, message: Msg, consumer: str, reason: str) -> None:
        await publish(self.connection, self.js, [burial(message, consumer, reason)], stopping=self.stopping)

    # ---- reading back

    async def read(self, message: type[M], *, from_sequence: int = 1) -> AsyncGenerator[Received[M], None]:
        """All messages of this kind that are in the stream now, in order, from a sequence on.

        One that cannot be read is left out: it ends as a dead letter of whoever handles it. Leave early only
        under `aclosing`.
        """
        stream = ORDERS if message.SUBJECT.startswith("fetch.") else PAPERS
        async with aclosing(read_log(self.js, stream, message.SUBJECT, from_sequence)) as entries:
            async for raw in entries:
                sequence = raw.metadata.sequence.stream
                try:
                    event = message.model_validate_json(raw.data)
                except ValidationError:
                    log.warning("unreadable message left out", extra={"subject": raw.subject, "sequence": sequence})
                    continue
                yield Received(event, sequence, 1, (raw.headers or {}).get("traceparent", ""))

    async def read_dead(self, message: type[M], *, from_sequence: int = 1) -> AsyncGenerator[DeadLetter, None]:
        """All dead letters of this kind that are there now, in order, from a sequence of the stream DEAD on."""
        async with aclosing(read_log(self.js, DEAD, PREFIX + message.SUBJECT, from_sequence)) as entries:
            async for raw in entries:
                yield dead_letter(raw)

    # ---- buckets

    def needs(self, *, key_value: str, object_store: str | None = None) -> None:
        """Without these buckets the service does not start and is not ready."""
        self._streams |= {f"KV_{key_value}"} | ({f"OBJ_{object_store}"} if object_store else set())

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
        return self._connection.client

    @property
    def js(self) -> JetStreamContext:
        """The JetStream context of the connection."""
        return self._connection.js

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return self._connection.stands

    async def connect(self) -> None:
        """Connect, waiting for the server as long as it takes."""
        await self._connection.broker.connect()

    async def missing(self) -> list[str]:
        """What this service needs and the provisioner has not created (yet)."""
        return await consumers.missing(self.js, self._subscribers, self._streams)

    async def start(self) -> None:
        """Start taking messages."""
        for durable, settler in self._settlers:
            info = await consumers.consumer_info(self.js, durable)
            if info is not None and info.config is not None and info.config.ack_wait:
                settler.heartbeat = info.config.ack_wait / 3
        await self._connection.broker.start()

    async def stop(self) -> None:
        """Finish what is in hand, then leave."""
        self.stopping.set()
        await self._connection.stop()

    async def ready(self) -> str | None:
        """None when messages can flow, else the reason why not."""
        if problem := await self._connection.problem():
            return problem
        try:
            missing = await self.missing()
        except (nats.errors.Error, TimeoutError) as error:
            return f"JetStream does not answer: {error or type(error).__name__}"
        if missing:
            return f"{missing[0]} is missing: run `python -m shared.provision`"
        for durable, subscribers in self._subscribers.items():
            if not all(subscriber.alive for subscriber in subscribers):
                return f"subscription {durable} has stopped"
        return None

    async def measure(self) -> None:
        """Bring the lag gauges up to date."""
        await consumers.measure(self.js, self._subscribers, self._metrics)


async def _undecoded(message: Any) -> list[Msg]:
    """FastStream would decode every body as JSON before we do."""
    return list(message.raw_message)
