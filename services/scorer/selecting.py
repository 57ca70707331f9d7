"""A closed batch becomes its selection: judged by the feeds of that moment, recorded, then published."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from services.scorer.batch import Batch, Recent
from services.scorer.judge import Judge
from services.scorer.measures import Measures
from services.scorer.ranking import Before, Candidates, Key, Place, choose, key_of, number
from services.scorer.records import Record, Records, Writer
from services.scorer.selection import selected, summaries, taken
from services.scorer.sizes import parts
from services.scorer.supplement import earlier
from shared.bus import Bus, Received
from shared.messages import (
    BatchClosed,
    Message,
    PaperAnnounced,
    PaperScored,
    PaperSelected,
    SummaryRequested,
    TextRequested,
)

log = logging.getLogger(__name__)

LOGGED = {"selected": PaperSelected.SUBJECT, "summaries": SummaryRequested.SUBJECT, "texts": TextRequested.SUBJECT}
PUBLISHED_AT_ONCE = 2 * 1024 * 1024  # bytes


class Selector:
    """The handler of closed batches."""

    def __init__(
        self, bus: Bus, judge: Callable[[], Judge], recent: Recent, measures: Measures, *, deadline: float
    ) -> None:
        """`judge` is asked once for each batch, when all of its papers are there."""
        self._bus = bus
        self._judge = judge
        self._recent = recent
        self._measures = measures
        self._deadline = deadline
        self._records = Records(bus)

    async def choose(self, received: Received[BatchClosed]) -> None:
        """Publish what the batch leads to. A redelivery publishes the same, whatever has changed meanwhile."""
        began = time.monotonic()
        record = await self._record(received.event)
        published: Counter[str] = Counter()
        slices = _slices(record)
        while messages := await asyncio.to_thread(next, slices, None):
            await self._bus.publish(*map(received.then, messages))
            published.update(message.SUBJECT for message in messages)
        self._recent.forget(received.event.batch)
        self._measures.selection.observe(time.monotonic() - began)
        extra = {"batch": received.event.batch, "papers": received.event.papers}
        log.info("selected", extra=extra | {name: published[subject] for name, subject in LOGGED.items()})

    async def _record(self, closed: BatchClosed) -> Record:
        """What the batch led to, if that is recorded; else it is decided now."""
        if found := await self._records.read(closed.batch):
            return found
        others = await earlier(self._bus, closed)
        before = Before(
            taken=await asyncio.to_thread(_taken, [await self._record(other) for other in others.same]),
            elsewhere=await asyncio.to_thread(_taken, [await self._record(other) for other in others.beside]),
        )
        batches = [Batch(other, self._recent) for other in others.same]
        for batch in batches:  # they are decided: what they lack by now is not waited for again
            await batch.catch_up(self._bus)
        batches.append(await self._complete(closed))
        decision = Decision(self._judge(), self._recent, batches, before)
        return await self._records.keep(closed.batch, await decision.record())

    async def _complete(self, closed: BatchClosed) -> Batch:
        """The batch with all its papers, or with those that are there at the deadline."""
        batch = Batch(closed, self._recent)
        if not await batch.complete(self._bus, deadline=self._deadline):
            self._measures.incomplete.inc()
            log.warning("selected without some papers", extra={"batch": closed.batch, "missing": batch.missing})
        return batch


class Decision:
    """What the last of these batches of one day leads to. One judge decides from beginning to end."""

    def __init__(self, judge: Judge, recent: Recent, batches: Sequence[Batch], before: Before) -> None:
        self._judge = judge
        self._recent = recent
        self._closed = batches[-1].closed
        self._candidates = sum(batch.closed.papers for batch in batches)
        self._papers = {key_of(paper): paper for batch in batches for paper in batch.papers.values()}
        self._before = before

    async def record(self) -> Record:
        """The messages that follow from the batch."""
        running = Candidates(self._judge.feeds, self._papers.values())
        for papers in _chunks(self._papers.values(), self._judge.at_once):
            await asyncio.to_thread(running.add, await self._judged(papers))
        places = await asyncio.to_thread(
            choose, running, self._judge.feeds, batch=number(self._closed.batch), before=self._before
        )
        return await self._written(places)

    async def _written(self, places: Mapping[Key, Sequence[Place]]) -> Record:
        writer = Writer()
        chosen = taken(self._papers, places)
        for papers in _chunks(chosen, self._judge.at_once):
            judged = await self._judged(papers)
            await asyncio.to_thread(writer.add, self._selected(judged, places))
        requests, texts = summaries(chosen, places)
        await asyncio.to_thread(writer.add, (*requests, *texts))
        return writer.record()

    def _selected(self, judged: Iterable[PaperScored], places: Mapping[Key, Sequence[Place]]) -> Iterator[Message]:
        for paper in judged:
            yield from parts(selected(paper, places[key_of(paper)], self._candidates))

    async def _judged(self, papers: Sequence[PaperScored]) -> list[PaperScored]:
        """The papers with their matches, which are remembered where just these feeds have scored them."""
        known = [self._recent.judged(paper, by=self._judge) for paper in papers]
        unknown = [_announced(paper) for paper, judged in zip(papers, known, strict=True) if judged is None]
        scored = iter(await self._judge.score_all(unknown))
        return [judged or next(scored) for judged in known]


def _announced(paper: PaperScored) -> PaperAnnounced:
    return PaperAnnounced(
        paper=paper.paper,
        batch=paper.batch,
        date=paper.date,
        kind=paper.kind,
        position=paper.position,
        found_by=paper.found_by,
    )


def _taken(records: Iterable[Record]) -> dict[str, list[str]]:
    """The ids that each feed took, in the order of the ranks."""
    ranked: dict[str, list[tuple[int, str]]] = {}
    for record in records:
        for message, _ in record.messages(PaperSelected):
            assert isinstance(message, PaperSelected)
            for pick in message.picks:
                ranked.setdefault(pick.feed, []).append((pick.rank, message.paper_id))
    return {feed: [paper_id for _, paper_id in sorted(ids)] for feed, ids in ranked.items()}


def _chunks(papers: Iterable[PaperScored], size: int) -> Iterator[list[PaperScored]]:
    rest = iter(papers)
    while chunk := list(islice(rest, size)):
        yield chunk


def _slices(record: Record) -> Iterator[list[Message]]:
    """The messages, a few megabytes at a time."""
    group: list[Message] = []
    used = 0
    for message, size in record.messages():
        group.append(message)
        used += size
        if used > PUBLISHED_AT_ONCE:
            yield group
            group, used = [], 0
    if group:
        yield group
