"""Telling the server that messages are being worked on, so that a slow handler is not taken for a dead one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import nats.errors
from nats.aio.msg import Msg


@asynccontextmanager
async def heartbeats(messages: Sequence[Msg], every: float) -> AsyncIterator[None]:
    """Tell it every so many seconds, until each message is settled or the block ends."""
    task = asyncio.create_task(_beat(messages, every))
    try:
        yield
    finally:
        task.cancel()


async def _beat(messages: Sequence[Msg], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        for message in messages:
            if not message.is_acked:  # one that was given back with a delay would come back sooner
                with suppress(nats.errors.Error):  # NATS is away
                    await message.in_progress()
