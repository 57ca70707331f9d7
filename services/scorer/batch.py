"""Following a batch until every paper of it is accounted for: scored, or given up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from shared.bus import Bus
from shared.envelope import DeadLetter
from shared.errors import Unavailable
from shared.messages import BatchClosed, PaperAnnounced, PaperScored

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
# While this replica is scoring, what it waits for is most likely its own work; it need not be read back.
IDLE_SECONDS, LONGEST_UNREAD = 0.3, 5.0
MATCHES_PER_PAPER = 4  # a paper takes the memory of so many matches
REMEMBERED = 20_000 * MATCHES_PER_PAPER  # some 100 MB


class Recent:
    """What this replica has scored itself and knows to be in the stream, so that it need not read it back.

    Only a shortcut: another replica, or this one after a restart, finds the same in the stream. Bounded, because
    the batch may be selected by another replica.
    """

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._weight = 0
        self.touched = 0.0
        """When this replica last scored something, on the monotonic clock."""
        self._batches: dict[str, dict[str, tuple[PaperScored, object]]] = {}

    def add(self, scored: Iterable[PaperScored], by: object = None) -> None:
        """Remember published papers and who judged them; the oldest batches are forgotten first.

        Where there is no room for a paper's matches, only the paper is remembered.
        """
        self.touched = time.monotonic()
        for paper in scored:
            judged = self._room_for(paper)
            batch = self._batches.setdefault(paper.batch, {})
            self._weight += _weight(judged) - (_weight(batch[paper.about][0]) if paper.about in batch else 0)
            batch[paper.about] = (judged, by if judged is paper else None)

    def _room_for(self, paper: PaperScored) -> PaperScored:
        while self._weight + _weight(paper) > self._limit and self._batches.keys() - {paper.batch}:
            self.forget(next(batch for batch in self._batches if batch != paper.batch))
        return paper if self._weight + _weight(paper) <= self._limit else without_matches(paper)

    def of(self, batch: str) -> Iterable[PaperScored]:
        """The papers of a batch that are remembered: none, some or all of them."""
        return [paper for paper, _ in self._batches.get(batch, {}).values()]

    def judged(self, paper: PaperScored, by: object) -> PaperScored | None:
        """The paper with its matches, if it was judged by just these feeds and is remembered."""
        known, judge = self._batches.get(paper.batch, {}).get(paper.about, (None, None))
        return known if judge is by else None

    def forget(self, batch: str) -> None:
        """Its selection is published."""
        papers = self._batches.pop(batch, {})
        self._weight -= sum(_weight(paper) for paper, _ in papers.values())


def _weight(paper: PaperScored) -> int:
    return MATCHES_PER_PAPER + len(paper.matches)


def without_matches(paper: PaperScored) -> PaperScored:
    """The paper as it can be judged again, by whichever feeds there are then."""
    searches = (reason.term for match in paper.matches for reason in match.reasons if reason.field == "search")
    # a message of an earlier version says in its reasons only which searches found it
    found_by = paper.found_by or tuple(dict.fromkeys(searches))
    return paper.model_copy(update={"matches": (), "found_by": found_by})


@dataclass(slots=True)
class Batch:
    """What is known of the papers of a closed batch; `catch_up` reads on where it stopped."""

    closed: BatchClosed
    recent: Recent = field(default_factory=Recent)
    papers: dict[str, PaperScored] = field(default_factory=dict)
    """All that are scored, by versioned id; without their matches, which the feeds may have outlived."""
    _dead: set[str] = field(default_factory=set)
    _next_scored: int = 1
    _next_dead: int = 1
    _read_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._next_scored = self.closed.first_sequence or 1

    @property
    def missing(self) -> int:
        """How many of its papers are neither scored nor given up."""
        return self.closed.papers - len(self.papers.keys() | self._dead)

    async def complete(self, bus: Bus, *, deadline: float) -> bool:
        """Wait until no paper is missing; False when some still are after `deadline` seconds.

        When this process is told to stop, the wait ends with `Unavailable`: another replica takes it up.
        """
        ends = time.monotonic() + deadline
        pause = FIRST_PAUSE
        while not await self._caught_up(bus):
            left = ends - time.monotonic()
            if left <= 0:
                return False
            with suppress(TimeoutError):
                await asyncio.wait_for(bus.stopping.wait(), min(pause, left))
                raise Unavailable(f"stopping, while {self.missing} papers of {self.closed.batch} are not scored")
            pause = min(pause * 2, LONGEST_PAUSE)
        return True

    async def _caught_up(self, bus: Bus) -> bool:
        """Whether no paper is missing. While this replica scores papers of the batch itself, nothing is read back."""
        for scored in self.recent.of(self.closed.batch):
            self.add(scored)
        now = time.monotonic()
        if self.missing > 0 and (now - self.recent.touched > IDLE_SECONDS or now - self._read_at > LONGEST_UNREAD):
            await self.catch_up(bus)
            self._read_at = now
        return self.missing <= 0

    async def catch_up(self, bus: Bus) -> None:
        """Read what has come since the last time."""
        if self.missing <= 0:
            return
        async with aclosing(bus.read(PaperScored, from_sequence=self._next_scored)) as log:
            async for received in log:
                self._next_scored = received.sequence + 1
                self.add(received.event)
                if self.missing <= 0:
                    return
        async for letter in bus.read_dead(PaperAnnounced, from_sequence=self._next_dead):
            self._next_dead = letter.sequence + 1
            self.add_dead(letter)

    def add(self, scored: PaperScored) -> None:
        """Keep a scored paper, once, if it is of this batch."""
        if scored.batch == self.closed.batch and scored.about not in self.papers:
            self.papers[scored.about] = without_matches(scored)

    def add_dead(self, letter: DeadLetter) -> None:
        """Count a paper that was given up, if one can tell that it is of this batch."""
        body = _body(letter.data)
        batch = body.get("batch")
        paper = body.get("paper")
        if not isinstance(batch, str):  # its headers still say what it was
            batch = letter.key.removeprefix("announced:").removesuffix(f":{letter.about}")
        if batch != self.closed.batch:
            return
        known = paper if isinstance(paper, dict) else {}
        about = f"{known['id']}v{known['version']}" if {"id", "version"} <= known.keys() else letter.about
        self._dead.add(about or f"#{letter.sequence}")


def _body(data: bytes) -> dict[str, Any]:
    """As much of the message as can be read: what died may well be malformed."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
