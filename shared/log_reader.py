"""Reading a stream back as a log: everything that is in it now on one subject, in order, without acknowledging."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.errors import Error as JetStreamError

from shared.errors import Unavailable
from shared.publish import AWAY

READ_SIZE = 500
FETCH_SECONDS = 5.0


async def read_log(js: JetStreamContext, stream: str, subject: str, from_sequence: int) -> AsyncGenerator[Msg, None]:
    """The messages; `Unavailable` when they cannot be read now. Close it (`aclosing`) when you leave it early."""
    try:
        async with _consumer(js, stream, subject, from_sequence) as info:
            left = info.num_pending or 0
            if not left:
                return
            subscription = await js.pull_subscribe_bind(consumer=info.name, stream=stream)
            try:
                while left > 0:
                    for raw in await subscription.fetch(batch=min(READ_SIZE, left), timeout=FETCH_SECONDS):
                        yield raw
                        left -= 1
            finally:
                with suppress(nats.errors.Error):
                    await subscription.unsubscribe()
    except (*AWAY, JetStreamError) as error:  # whatever it is, it is not the fault of the message in hand
        raise Unavailable(f"cannot read {subject}: {error or type(error).__name__}") from error


@asynccontextmanager
async def _consumer(js: JetStreamContext, stream: str, subject: str, from_sequence: int) -> AsyncIterator[ConsumerInfo]:
    """A consumer for this one reading; the server forgets it by itself if it is not deleted."""
    config = ConsumerConfig(
        filter_subject=subject,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=max(1, from_sequence),
        ack_policy=AckPolicy.NONE,
        mem_storage=True,
        num_replicas=1,
        inactive_threshold=30.0,
    )
    info = await js.add_consumer(stream, config)
    try:
        yield info
    finally:
        with suppress(nats.errors.Error, TimeoutError):
            await js.delete_consumer(stream, info.name)
