"""What each batch led to, written down before any of it is published: whoever takes it up again says the same.

In the bucket `SELECTIONS` the key `<batch>/head` names the record that counts; its bytes lie beside it in pieces.
The first head that is written stays.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from urllib.parse import quote

from nats.js.errors import Error as JetStreamError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from shared.bus import Bus
from shared.errors import Unavailable
from shared.messages import Message, PaperSelected, SummaryRequested, TextRequested
from shared.provision import SELECTIONS_BUCKET
from shared.publish import AWAY

PIECE = 128 * 1024
READ = 64 * 1024
FAST = 1  # zlib's level: reasons repeat themselves
KINDS: dict[str, type[Message]] = {kind.SUBJECT: kind for kind in (PaperSelected, SummaryRequested, TextRequested)}


class Record:
    """Messages in the order in which they are published, compressed: a day of ten thousand feeds stays small."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Record:
        """These messages."""
        writer = Writer()
        writer.add(messages)
        return writer.record()

    @property
    def digest(self) -> str:
        """Tells it from any other."""
        return sha256(self.data).hexdigest()[:32]

    def lines(self) -> Iterator[bytes]:
        """`papers.selected {"paper_id": …}`, one message a line."""
        unpack = zlib.decompressobj()
        rest = b""
        for start in range(0, len(self.data), READ):
            *whole, rest = (rest + unpack.decompress(self.data[start : start + READ])).split(b"\n")
            yield from whole

    def messages(self, *kinds: type[Message]) -> Iterator[tuple[Message, int]]:
        """The messages with their size in bytes: all of them, or those of some kinds."""
        wanted = {kind.SUBJECT for kind in kinds} or KINDS.keys()
        for line in self.lines():
            subject, _, body = line.partition(b" ")
            if subject.decode() in wanted:
                yield KINDS[subject.decode()].model_validate_json(body), len(body)


class Writer:
    """Makes a record, piece by piece."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(FAST)
        self._pieces: list[bytes] = []

    def add(self, messages: Iterable[Message]) -> None:
        """These messages follow."""
        for message in messages:
            line = f"{message.SUBJECT} {message.model_dump_json()}\n"
            self._pieces.append(self._packer.compress(line.encode()))

    def record(self) -> Record:
        """The record; nothing can be added afterwards."""
        return Record(b"".join((*self._pieces, self._packer.flush())))


class Records:
    """The records of all batches, for every replica the same."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def read(self, batch: str) -> Record | None:
        """The batch's record, if it has one; `Unavailable` while NATS does not tell."""
        async with self._bucket() as kv:
            return await _read(kv, _name(batch))

    async def keep(self, batch: str, record: Record) -> Record:
        """Write it down unless there is one already; the one that is there now, and counts."""
        name = _name(batch)
        pieces = range(0, len(record.data), PIECE)
        async with self._bucket() as kv:
            for number, start in enumerate(pieces):
                await kv.put(f"{name}/{record.digest}/{number}", record.data[start : start + PIECE])
            try:
                await kv.create(f"{name}/head", f"{record.digest} {len(pieces)}".encode())
            except KeyWrongLastSequenceError:  # another replica was faster, or the answer to our own write was lost
                return await _read(kv, name) or record
        return record

    @asynccontextmanager
    async def _bucket(self) -> AsyncIterator[KeyValue]:
        try:
            yield await self._bus.key_value(SELECTIONS_BUCKET)
        except (*AWAY, JetStreamError) as error:
            raise Unavailable(f"cannot reach the selections: {error or type(error).__name__}") from error


async def _read(kv: KeyValue, name: str) -> Record | None:
    try:
        head = (await kv.get(f"{name}/head")).value or b""
    except KeyNotFoundError:
        return None
    digest, _, count = head.decode().partition(" ")
    pieces = [(await kv.get(f"{name}/{digest}/{number}")).value or b"" for number in range(int(count))]
    return Record(b"".join(pieces))


def _name(batch: str) -> str:
    """The batch's name in the letters that a key may have."""
    plain = quote(batch, safe="").replace(".", "%2E").replace("~", "%7E")
    return plain.replace("%", "=")
