"""What the fetcher says of itself, kept at hand for the status page."""

from __future__ import annotations

import asyncio
import logging

import nats.errors
from nats.js.errors import Error as JetStreamError
from pydantic import ValidationError

from shared.bus import Bus
from shared.errors import Unavailable
from shared.fetcher_state import STATE, FetcherState
from shared.provision import FETCHER_BUCKET

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
LONGEST_REASON = 400
OURS = {"internal": "an internal error", "feed configuration": "the feed configuration cannot be used"}


class FetcherWatch:
    """The fetcher's last word; None before the first. While it cannot be asked for, the last one stays."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.state: FetcherState | None = None

    async def follow(self) -> None:
        """Look again and again."""
        while True:
            try:
                bucket = await self._bus.key_value(FETCHER_BUCKET)
                self.state = readable((await bucket.get(STATE)).value or b"")
            except (Unavailable, nats.errors.Error, JetStreamError, ValidationError, TimeoutError) as error:
                log.debug("nothing new of the fetcher", extra={"reason": repr(error)})
            await asyncio.sleep(LOOK_SECONDS)


def readable(value: bytes) -> FetcherState:
    """The state, fit to be shown in public: printable, short, and nothing of our own files and code."""
    state = FetcherState.model_validate_json(value)
    if state.reason is None:
        return state
    label = state.reason.partition(": ")[0]
    told = f"{OURS[label]}; the fetcher's log has it" if label in OURS else state.reason
    shown = "".join(letter if letter.isprintable() else " " for letter in told)
    return state.model_copy(update={"reason": shown[:LONGEST_REASON]})
