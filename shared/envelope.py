"""CloudEvents 1.0 in binary mode: attributes as `ce-*` headers beside a JSON body.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from shared.messages import Message

M = TypeVar("M", bound=Message)
TYPE_PREFIX = "org.paperwire."


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with the trace it belongs to."""

    event: Message
    traceparent: str


@dataclass(frozen=True, slots=True)
class Received(Generic[M]):
    """A message as it came off the stream."""

    event: M
    sequence: int
    """Its sequence in the stream."""
    attempt: int
    """1 for the first delivery."""
    traceparent: str

    def then(self, event: Message) -> Outgoing:
        """What follows from this message, in the same trace."""
        return Outgoing(event, self.traceparent)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, as it was."""

    subject: str
    """The subject it was published on, without `dead.`."""
    data: bytes
    reason: str
    attempts: int
    consumer: str
    """The durable consumer that gave up."""
    sequence: int
    """Its sequence in the stream DEAD."""
    key: str = ""
    """The `ce-id` it was sent with, as far as it had one: the body may not be readable."""
    about: str = ""
    """The `ce-subject` it was sent with."""


def new_trace() -> str:
    """A W3C `traceparent` for a message that nothing came before. https://www.w3.org/TR/trace-context/"""
    token = secrets.token_hex(24)
    return f"00-{token[:32]}-{token[32:]}-01"


def headers(event: Message, *, service: str, now: datetime, traceparent: str) -> dict[str, str]:
    """The headers of one message. `Nats-Msg-Id` makes a repeated publish harmless.

    `content-type` is the attribute `datacontenttype`, as the CloudEvents SDKs have it.
    """
    return {
        "Nats-Msg-Id": event.key,
        "ce-specversion": "1.0",
        "ce-id": event.key,
        "ce-source": f"/paperwire/{service}",
        "ce-type": TYPE_PREFIX + event.SUBJECT,
        "ce-subject": event.about,
        "ce-time": now.isoformat(timespec="milliseconds"),
        "content-type": "application/json",
        "traceparent": traceparent,
    }
