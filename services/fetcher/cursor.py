"""What the fetcher remembers: its cursor, what it announced, the batch in hand, and how it fares.

KV bucket FETCHER: `cursor`, `open` (the plan of the batch in hand, empty when there is none), `announced.<day>`
and `announced.<day>.<number>` (versioned ids), `tally.<day>` (what is known of its completeness, compressed), `state`.
Object store ANNOUNCEMENTS: the documents of every batch, `<batch>`, `<batch>/2` and so on.
The same keys of another source begin `source.<name>.`.
"""

from __future__ import annotations

import asyncio
import zlib
from datetime import date, timedelta
from typing import Self

from nats.js.api import ObjectMeta, ObjectMetaOptions
from nats.js.errors import KeyWrongLastSequenceError, ObjectNotFoundError
from nats.js.kv import KeyValue
from nats.js.object_store import ObjectStore
from pydantic import ValidationError

from services.fetcher.completeness import Tally
from services.fetcher.core import Cursor, History, Plan
from services.fetcher.keys import Keys, prefix_of
from shared.bus import Bus
from shared.errors import Transient
from shared.feeds import ARXIV
from shared.fetcher_state import STATE, FetcherState
from shared.provision import ANNOUNCEMENTS_BUCKET, FETCHER_BUCKET

CURSOR, OPEN, ANNOUNCED, TALLY = "cursor", "open", "announced.", "tally."
REMEMBERED = timedelta(days=400)
COUNTED = timedelta(days=10)
READ_SECONDS = 30.0
CHUNK = 512 * 1024  # every chunk is a round trip; a message may hold 1 MiB


class Overtaken(Transient):
    """Another replica has moved on in the meantime: this one has lost the lease without noticing."""


class Ledger:
    """The memory as loaded. Every change is made on the condition that nobody else has made one since."""

    def __init__(self, kv: Keys, documents: ObjectStore) -> None:
        self._kv = kv
        self._documents = documents
        self._revisions: dict[str, int] = {}
        self.cursor = Cursor()
        self.history = History()
        self.open: Plan | None = None
        self.state: FetcherState | None = None
        self.tallies: dict[date, Tally] = {}
        self.untold: set[date] = set()
        """Days whose check may have changed since it was last published."""

    @classmethod
    async def load(cls, bus: Bus, source: str = ARXIV) -> Self:
        """Read everything that is remembered."""
        keys = Keys(await bus.key_value(FETCHER_BUCKET), prefix_of(source))
        ledger = cls(keys, await bus.object_store(ANNOUNCEMENTS_BUCKET))
        async with asyncio.timeout(READ_SECONDS):
            for entry in await keys.entries():
                ledger._take(entry)
        return ledger

    def _take(self, entry: KeyValue.Entry) -> None:
        self._revisions[entry.key] = entry.revision or 0
        if not entry.value or entry.operation:
            return
        if entry.key == CURSOR:
            self.cursor = Cursor.model_validate_json(entry.value)
        elif entry.key == OPEN:
            self.open = Plan.model_validate_json(entry.value)
        elif entry.key == STATE:
            self.state = _state(entry.value)
        elif entry.key.startswith(ANNOUNCED):
            day, number = batch_of(entry.key)
            self.history.add(day, number, entry.value.decode().split())
        elif entry.key.startswith(TALLY):
            tally = Tally.model_validate_json(zlib.decompress(entry.value))
            self.tallies[tally.day] = tally
            self.untold.add(tally.day)  # whoever wrote it may have died before publishing it

    async def begin(self, plan: Plan, *documents: bytes) -> None:
        """Write down what is going to be published, before it is.

        Dying before `open` is written leaves a document that nobody asks for: the next one fetches anew. Dying
        after it leaves a plan that the next one finishes.
        """
        plan = plan.model_copy(update={"documents": len(documents)})
        for name, document in zip(object_names(plan), documents, strict=True):
            await self._documents.put(name, document, ObjectMeta(options=ObjectMetaOptions(max_chunk_size=CHUNK)))
        await self._move(OPEN, plan.model_dump_json().encode())
        self.open = plan

    async def documents(self, plan: Plan) -> list[bytes]:
        """The stored documents of a batch; none when one of them is too old to be kept."""
        async with asyncio.timeout(READ_SECONDS):
            try:
                return [(await self._documents.get(name)).data or b"" for name in object_names(plan)]
            except ObjectNotFoundError:
                return []

    async def finish(self, plan: Plan) -> None:
        """The batch is closed: remember its papers, move the cursor, and only then forget the plan.

        Dying between any two of these lines makes the next one publish the plan again, which the stream's
        deduplication ignores, and write the same values.
        """
        await self._kv.put(key_of(plan.day, plan.number), "\n".join(plan.kinds).encode())
        await self._move(CURSOR, plan.after.model_dump_json().encode())
        await self.drop()
        self.cursor = plan.after
        self.history.add(plan.day, plan.number, plan.kinds)

    async def drop(self) -> None:
        """Forget the plan in hand."""
        await self._move(OPEN, b"")
        self.open = None

    def tally(self, day: date) -> Tally:
        """What is known of that day."""
        return self.tallies.get(day) or Tally(day=day)

    async def keep(self, tally: Tally) -> None:
        """Remember what is known of a day now; the days of the last weeks are kept."""
        if tally == self.tallies.get(tally.day):
            return
        await self._move(f"{TALLY}{tally.day}", zlib.compress(tally.model_dump_json().encode()))
        self.tallies[tally.day] = tally
        self.untold.add(tally.day)
        for day in [day for day in self.tallies if max(self.tallies) - day > COUNTED]:
            await self._kv.purge(f"{TALLY}{day}")
            del self.tallies[day], self._revisions[f"{TALLY}{day}"]
            self.untold.discard(day)

    async def note(self, state: FetcherState) -> None:
        """Leave word of how it goes."""
        await self._kv.put(STATE, state.model_dump_json().encode())
        self.state = state

    async def prune(self, today: date) -> None:
        """Forget the papers of long ago; arXiv does not announce a version twice after more than a year."""
        for key in [key for key in self._revisions if key.startswith(ANNOUNCED)]:
            if batch_of(key)[0] < today - REMEMBERED:
                await self._kv.purge(key)
                del self._revisions[key]

    async def _move(self, key: str, value: bytes) -> None:
        try:
            self._revisions[key] = await self._kv.update(key, value, last=self._revisions.get(key, 0))
        except KeyWrongLastSequenceError as error:
            raise Overtaken(f"another replica has changed {key!r} in {FETCHER_BUCKET}") from error


def object_names(plan: Plan) -> list[str]:
    """`arxiv:2025-12-10`, and `arxiv:2025-12-10/2` for the second document."""
    return [plan.batch, *(f"{plan.batch}/{number}" for number in range(2, plan.documents + 1))]


def key_of(day: date, number: int) -> str:
    """`announced.2025-12-10`, and `announced.2025-12-10.2` for its supplement."""
    return f"{ANNOUNCED}{day}" if number == 1 else f"{ANNOUNCED}{day}.{number}"


def batch_of(key: str) -> tuple[date, int]:
    """The day and number of a key."""
    day, _, number = key.removeprefix(ANNOUNCED).partition(".")
    return date.fromisoformat(day), int(number or 1)


def _state(value: bytes) -> FetcherState | None:
    try:
        return FetcherState.model_validate_json(value)
    except ValidationError:  # left by another version; it only informs
        return None
