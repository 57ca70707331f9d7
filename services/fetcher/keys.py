"""The keys of one source in the bucket that all share."""

from __future__ import annotations

from nats.js.kv import KeyValue

from shared.feeds import ARXIV


def prefix_of(source: str) -> str:
    """arXiv's keys have none; those of another source begin `source.<name>.`."""
    return "" if source == ARXIV else f"source.{source}."


class Keys:
    """A bucket in which every key begins with a prefix that nobody needs to know."""

    def __init__(self, kv: KeyValue, prefix: str) -> None:
        self._kv = kv
        self._prefix = prefix

    async def put(self, key: str, value: bytes) -> int:
        """Write, whatever is there."""
        return await self._kv.put(self._prefix + key, value)

    async def update(self, key: str, value: bytes, last: int) -> int:
        """Write, if nobody else has written since that revision."""
        return await self._kv.update(self._prefix + key, value, last=last)

    async def purge(self, key: str) -> None:
        """Forget."""
        await self._kv.purge(self._prefix + key)

    async def entries(self) -> list[KeyValue.Entry]:
        """Everything under the prefix, under its name here."""
        found = []
        watcher = await self._kv.watchall()
        async for entry in watcher:
            if entry is None:  # that was all
                break
            if entry.key.startswith(self._prefix):
                entry.key = entry.key.removeprefix(self._prefix)
                found.append(entry)
        await watcher.stop()  # type: ignore[no-untyped-call]
        return found
