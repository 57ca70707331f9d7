"""Full texts from the object store, for the models."""

from __future__ import annotations

import asyncio
import logging

import nats.errors
from nats.js.errors import BadObjectMetaError, DigestMismatchError, NotFoundError
from nats.js.errors import Error as JetStreamError

from services.summarizer.fulltext import within
from shared.bus import Bus
from shared.errors import Unavailable
from shared.provision import TEXTS_BUCKET
from shared.texts import unpacked

log = logging.getLogger(__name__)

READ_SECONDS = 20.0
"""A text whose pieces have expired while it was read would never end."""
UNUSABLE = (NotFoundError, BadObjectMetaError, DigestMismatchError, ValueError)
AWAY = (nats.errors.Error, JetStreamError, OSError)


class TextReader:
    """What a model is given of a stored text."""

    def __init__(self, bus: Bus, budget: int) -> None:
        self._bus = bus
        self._budget = budget

    async def __call__(self, key: str) -> str:
        """At most `budget` characters of the text; empty when it is gone, and then the abstract has to do."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                store = await self._bus.object_store(TEXTS_BUCKET)
                found = await store.get(key)
            return within(unpacked(found.data or b"").sections, self._budget)
        except UNUSABLE as error:
            return _gone(key, str(error) or type(error).__name__)
        except AWAY as error:
            raise Unavailable(f"the texts are out of reach: {error or type(error).__name__}") from error
        except TimeoutError:
            return _gone(key, f"it does not end within {READ_SECONDS:g} s")


def _gone(key: str, reason: str) -> str:
    log.warning("no text", extra={"key": key, "reason": reason})
    return ""


async def no_text(key: str) -> str:
    """Where there is no store."""
    del key
    return ""
