"""One value in the bucket that all replicas share, changed on the condition that nobody else has changed it since."""

from __future__ import annotations

from typing import Generic, Self, TypeVar

from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from services.fetcher.lease import AWAY
from shared.bus import Bus
from shared.errors import Elsewhere, Unavailable
from shared.messages import Value
from shared.provision import FETCHER_BUCKET

V = TypeVar("V", bound=Value)


class Slot(Generic[V]):
    """The value as it was read or written last; None before there is one."""

    def __init__(self, kv: KeyValue, key: str) -> None:
        self._kv = kv
        self._key = key
        self._revision = 0
        self.value: V | None = None

    @classmethod
    async def open(cls, bus: Bus, key: str, model: type[V]) -> Self:
        """Read it."""
        try:
            slot = cls(await bus.key_value(FETCHER_BUCKET), key)
            entry = await slot._kv.get(key)
        except KeyNotFoundError as missing:  # or deleted, and then the mark of that counts as a revision
            slot._revision = missing.entry.revision or 0 if missing.entry else 0
            return slot
        except AWAY as error:
            raise Unavailable(f"{key} cannot be read: {error or type(error).__name__}") from error
        slot._revision = entry.revision or 0
        slot.value = model.model_validate_json(entry.value or b"")
        return slot

    async def write(self, value: V) -> None:
        """Durable when it returns; `Elsewhere` when another replica was here in the meantime."""
        try:
            self._revision = await self._kv.update(self._key, value.model_dump_json().encode(), last=self._revision)
        except KeyWrongLastSequenceError as error:
            raise Elsewhere(f"another replica has changed {self._key!r} in {FETCHER_BUCKET}") from error
        except AWAY as error:
            raise Unavailable(f"{self._key} cannot be written: {error or type(error).__name__}") from error
        self.value = value


def key_of(kind: str, order: str) -> str:
    """`harvest.<order>`, in the characters that a key may have; those put in their place occur in no order's name."""
    return f"{kind}.{order.replace(':', '/').replace('.', '=')}"
