"""Asking again while a source is unwell: growing delays, and never sooner than it asks for."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from services.fetcher.core import retry_delay
from services.fetcher.download import FetchFailed
from services.fetcher.sources.document import UnusableDocument

T = TypeVar("T")

Wait = Callable[[float, str], Awaitable[None]]
"""Waits that many seconds because of that, or raises what ends the work."""

log = logging.getLogger(__name__)

MOST_FAILURES = 12  # in a row: with the first delay of 30 s, some five hours


@dataclass(frozen=True, slots=True)
class Patience:
    """How long somebody puts up with a source's failures. A refusal is an answer, and final."""

    first: float
    """Seconds to wait after the first one."""
    wait: Wait
    most: int = MOST_FAILURES

    async def until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to `ask`; its last error when the source stays unwell."""
        failures = 0
        while True:
            try:
                return await ask()
            except (FetchFailed, UnusableDocument) as error:
                failures += 1
                if _final(error) or failures >= self.most:
                    raise
                await self._pause(error, failures)

    async def _pause(self, error: FetchFailed | UnusableDocument, failures: int) -> None:
        delay = retry_delay(
            failures,
            first=self.first,
            jitter=random.SystemRandom().random(),
            retry_after=error.retry_after if isinstance(error, FetchFailed) else None,
        )
        log.warning("the source is unwell", extra={"detail": str(error), "again_in": round(delay, 1)})
        await self.wait(delay, str(error))


def _final(error: Exception) -> bool:
    return isinstance(error, FetchFailed) and error.reason == "refused"
