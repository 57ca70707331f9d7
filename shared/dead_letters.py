"""Dead letters: how a message that is given up is written down, read again, and handed to who keeps account."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from nats.aio.msg import Msg

from shared.envelope import DeadLetter
from shared.heartbeat import heartbeats
from shared.publish import Encoded

log = logging.getLogger(__name__)

PREFIX = "dead."
AGAIN_SECONDS = 10.0


def burial(message: Msg, consumer: str, reason: str) -> Encoded:
    """The message as it was, beside why it was given up. Its id is its place, so it is buried once."""
    metadata = message.metadata
    headers = {key: value for key, value in (message.headers or {}).items() if not key.startswith("Nats-")}
    headers |= {
        "Nats-Msg-Id": f"dead:{consumer}:{metadata.stream}:{metadata.sequence.stream}",
        "Dead-Reason": reason,
        "Dead-Attempts": str(metadata.num_delivered),
        "Dead-Consumer": consumer,
    }
    return Encoded(PREFIX + message.subject, message.data, headers)


def dead_letter(message: Msg) -> DeadLetter:
    """The letter in a message of the stream DEAD."""
    headers = message.headers or {}
    attempts = headers.get("Dead-Attempts", "")
    return DeadLetter(
        subject=message.subject.removeprefix(PREFIX),
        data=message.data,
        reason=headers.get("Dead-Reason", "unknown"),
        attempts=int(attempts[:9]) if attempts.isascii() and attempts.isdigit() else 0,
        consumer=headers.get("Dead-Consumer", "unknown"),
        sequence=message.metadata.sequence.stream,
        key=headers.get("ce-id", ""),
        about=headers.get("ce-subject", ""),
    )


class Registrar:
    """Delivers dead letters one by one. One that cannot be handled is tried again for ever, not buried again."""

    def __init__(self, consumer: str, handle: Callable[[DeadLetter], Awaitable[None]]) -> None:
        self._consumer = consumer
        self._handle = handle
        self.heartbeat = 10.0

    async def deliver(self, raw: Sequence[Msg]) -> None:
        """Handle these letters and settle every one of them."""
        async with heartbeats(raw, self.heartbeat):
            for message in raw:
                try:
                    await self._handle(dead_letter(message))
                except Exception as error:  # noqa: BLE001 - whatever it is, the letter stays
                    details = {"consumer": self._consumer, "reason": repr(error)}
                    log.warning("dead letter not handled", extra=details)
                    await message.nak(delay=AGAIN_SECONDS)
                else:
                    await message.ack()
