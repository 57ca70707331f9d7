"""Publishing that is durable when it returns, however often it has to be tried.

Every message carries a deterministic `Nats-Msg-Id`: a repeated publish within the stream's duplicate window is
stored once. Many messages go as one atomic batch (ADR-50), which shares one fsync; a batch that holds a message
seen before is refused as a whole and then sent singly.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError, ServerError, ServiceUnavailableError

from shared import envelope
from shared.envelope import Outgoing, new_trace
from shared.errors import Permanent, Unavailable
from shared.messages import Message

ATOMIC = 500  # messages in one atomic batch; the server takes up to 1,000
TRY_SECONDS = 15.0  # a leader election takes up to 6 s
ACK_SECONDS = 5.0
PAUSE_SECONDS = 0.25
ROOM_FOR_MARKS = 256  # the first header line, and those of an atomic batch

# What passes when the server, its leader, its disk or the connection comes back.
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
    ServerError,
    ServiceUnavailableError,
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message ready for the wire."""

    subject: str
    data: bytes
    headers: dict[str, str]

    @property
    def size(self) -> int:
        """Its bytes on the wire, at most."""
        lines = sum(len(f"{name}: {value}\r\n".encode()) for name, value in self.headers.items())
        return len(self.data) + lines + ROOM_FOR_MARKS


def encode(events: Iterable[Message | Outgoing], *, service: str, now: datetime) -> list[Encoded]:
    """Events as CloudEvents; one that nothing came before begins a trace."""
    encoded = []
    for item in events:
        event, trace = (item.event, item.traceparent) if isinstance(item, Outgoing) else (item, new_trace())
        headers = envelope.headers(event, service=service, now=now, traceparent=trace)
        encoded.append(Encoded(event.SUBJECT, event.model_dump_json().encode(), headers))
    return encoded


class _Refused(Exception):  # noqa: N818
    """The server refused the atomic batch; nothing of it is stored."""


async def publish(
    connection: Client, js: JetStreamContext, messages: Sequence[Encoded], *, stopping: asyncio.Event
) -> list[int]:
    """Store all messages; their stream sequences, in order. `Unavailable` when NATS stays away.

    Once `stopping` is set, NATS being away is not waited out: what is in hand is given back instead.
    """
    sequences: list[int] = []
    for start in range(0, len(messages), ATOMIC):
        sequences += await _publish_chunk(connection, js, messages[start : start + ATOMIC], stopping)
    return sequences


async def _publish_chunk(
    connection: Client, js: JetStreamContext, chunk: Sequence[Encoded], stopping: asyncio.Event
) -> list[int]:
    deadline = asyncio.get_running_loop().time() + TRY_SECONDS
    together = len(chunk) > 1
    while True:
        try:
            _check(connection, chunk)
            if together:
                return await _atomically(connection, chunk)
            return await _singly(js, chunk)
        except _Refused:
            together = False
        except AWAY as error:
            if stopping.is_set() or asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"NATS does not take messages: {error or type(error).__name__}") from error
            await asyncio.sleep(PAUSE_SECONDS)
        except (APIError, nats.errors.MaxPayloadError) as error:
            subjects = ", ".join(sorted({message.subject for message in chunk}))
            raise Permanent(f"NATS refused a message on {subjects}: {error}") from error


def _check(connection: Client, chunk: Sequence[Encoded]) -> None:
    """Refuse what the connection would take amiss.

    While it is away nats-py would put every try into a buffer, which fills up. And the server counts the headers,
    too, before it cuts the connection over a message that is too large.
    """
    if not connection.is_connected:
        raise nats.errors.ConnectionReconnectingError
    if max(message.size for message in chunk) > connection.max_payload:
        raise nats.errors.MaxPayloadError


async def _singly(js: JetStreamContext, chunk: Sequence[Encoded]) -> list[int]:
    """One by one, acknowledgements awaited together. A duplicate is a success with the first one's sequence."""
    sends = (js.publish(item.subject, item.data, timeout=ACK_SECONDS, headers=dict(item.headers)) for item in chunk)
    answers: list[Any] = await asyncio.gather(*sends, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    if errors:  # one that passes counts first: after it a refusal comes again
        raise next((error for error in errors if isinstance(error, AWAY)), errors[0])
    return [answer.seq for answer in answers]


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
