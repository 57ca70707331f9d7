"""A FastStream subscriber that pulls steadily: what is there now, up to a batch, without waiting for more.

FastStream's own `PullSub(batch=True)` waits until the batch is full or its timeout ends (seconds of latency in a
trickle), creates a missing consumer by itself, and spins when the connection is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import nats.errors
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
from nats.js.errors import APIError, NotFoundError

if TYPE_CHECKING:
    from nats.aio.msg import Msg

log = logging.getLogger(__name__)

PULL_SECONDS = 5.0  # how long one pull request stays open on the server
PAUSE_SECONDS = 1.0  # after a failed pull, so that a broken connection costs no CPU


class SteadySubscriber(BatchPullStreamSubscriber):
    """Takes the messages of one durable consumer, a batch at a time, through FastStream's pipeline."""

    gate: Callable[[], Awaitable[None]] | None = None
    """Waited for before each pull, where not every replica may take messages."""

    @classmethod
    def adopt(
        cls, subscriber: BatchPullStreamSubscriber, gate: Callable[[], Awaitable[None]] | None = None
    ) -> SteadySubscriber:
        """Turn the subscriber that the broker has registered into this kind: FastStream has no other way in."""
        subscriber.__class__ = cls
        assert isinstance(subscriber, cls)
        subscriber.gate = gate
        return subscriber

    async def _create_subscription(self) -> None:
        """Bind to the consumer; only the provisioner creates one."""
        if self.subscription:
            return
        self.subscription = await self.jetstream.pull_subscribe_bind(
            consumer=self.config.durable_name, stream=self.stream.name
        )
        self.add_task(self._consume_pull)

    async def _consume_pull(self) -> None:
        while self.running:
            if self.gate is not None:
                await self.gate()
            messages = await self._pull()
            if messages and self.running:
                await self.consume(messages)

    async def consume(self, msg: list[Msg]) -> Any:
        """Hand the batch to FastStream's pipeline, which would swallow an error without a word."""
        try:
            return await self.process_message(msg)
        except Exception:
            # Nothing is acknowledged: the server gives these messages out again after ack_wait.
            log.exception("delivery failed", extra={"consumer": self.config.durable_name})

    async def _pull(self) -> list[Msg]:
        assert self.subscription
        try:
            return await self.subscription.fetch(batch=self.pull_sub.batch_size, timeout=PULL_SECONDS)
        except (TimeoutError, nats.errors.TimeoutError):
            return []
        except (nats.errors.Error, NotFoundError, APIError) as error:
            details = {"consumer": self.config.durable_name, "reason": repr(error)}
            log.warning("cannot pull, trying again", extra=details)
            await asyncio.sleep(PAUSE_SECONDS)
            return []

    @property
    def alive(self) -> bool:
        """Whether the loop that pulls is running."""
        tasks: list[asyncio.Task[Any]] = self.tasks
        return self.running and any(not task.done() for task in tasks)
