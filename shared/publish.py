"""Publishing that is durable when it returns, however often it has to be tried.

Every message carries a deterministic `Nats-Msg-Id`: a repeated publish within the stream's duplicate window is
stored once. Many messages go as one atomic batch (ADR-50), which shares one fsync; a batch that holds a message
seen before is refused as a whole and then sent singly.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError, ServiceUnavailableError

from shared.errors import Permanent, Unavailable

ATOMIC = 500  # messages in one atomic batch; the server takes up to 1,000
TRY_SECONDS = 15.0  # a leader election takes up to 6 s
ACK_SECONDS = 5.0
PAUSE_SECONDS = 0.25

# What passes when the server, its leader or the connection comes back.
AWAY = (
    OSError,
    TimeoutError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionDrainingError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.NoRespondersError,
    nats.errors.NoServersError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.StaleConnectionError,
    nats.errors.TimeoutError,
    NoStreamResponseError,
    ServiceUnavailableError,
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message ready for the wire."""

    subject: str
    data: bytes
    headers: dict[str, str]


class _Refused(Exception):  # noqa: N818
    """The server refused the atomic batch; nothing of it is stored."""


async def publish(connection: Client, js: JetStreamContext, messages: Sequence[Encoded]) -> list[int]:
    """Store all messages; their stream sequences, in order. `Unavailable` when NATS stays away."""
    sequences: list[int] = []
    for start in range(0, len(messages), ATOMIC):
        sequences += await _publish_chunk(connection, js, messages[start : start + ATOMIC])
    return sequences


async def _publish_chunk(connection: Client, js: JetStreamContext, chunk: Sequence[Encoded]) -> list[int]:
    deadline = asyncio.get_running_loop().time() + TRY_SECONDS
    together = len(chunk) > 1
    while True:
        try:
            if together:
                return await _atomically(connection, chunk)
            return await _singly(js, chunk)
        except _Refused:
            together = False
        except AWAY as error:
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"NATS does not take messages: {error or type(error).__name__}") from error
            await asyncio.sleep(PAUSE_SECONDS)
        except (APIError, nats.errors.MaxPayloadError) as error:
            subjects = ", ".join(sorted({message.subject for message in chunk}))
            raise Permanent(f"NATS refused a message on {subjects}: {error}") from error


async def _singly(js: JetStreamContext, chunk: Sequence[Encoded]) -> list[int]:
    """One by one, acknowledgements awaited together. A duplicate is a success with the first one's sequence."""
    futures = [
        await js.publish_async(message.subject, message.data, headers=dict(message.headers)) for message in chunk
    ]
    try:
        # A future whose acknowledgement was lost in a reconnect never resolves.
        acks = await asyncio.wait_for(asyncio.gather(*futures), ACK_SECONDS)
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return [ack.seq for ack in acks]


async def _atomically(connection: Client, chunk: Sequence[Encoded]) -> list[int]:
    """All or nothing. https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md"""
    batch = secrets.token_hex(16)
    for number, message in enumerate(chunk[:-1], start=1):
        marks = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        await connection.publish(message.subject, message.data, headers=message.headers | marks)
    last = chunk[-1]
    marks = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(chunk)), "Nats-Batch-Commit": "1"}
    reply = await connection.request(last.subject, last.data, headers=last.headers | marks, timeout=ACK_SECONDS)
    answer = json.loads(reply.data)
    if "error" in answer or answer.get("count") != len(chunk):
        raise _Refused(answer)
    return list(range(answer["seq"] - len(chunk) + 1, answer["seq"] + 1))
