"""The feeds as they are now: the file is watched, compiled beside the work, and taken over between two batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock

from prometheus_client import Gauge

from services.scorer.scoring import Scorer
from shared import feeds
from shared.feeds import FeedConfig, FeedsError
from shared.messages import PaperAnnounced, PaperScored
from shared.metrics import Metrics

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
FEWEST_AT_ONCE, MOST_AT_ONCE = 32, 500
PAIRS_AT_ONCE = 250_000  # of papers and feeds


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Feeds and what scores papers by them. Two judges are never the same, also not of the same feeds."""

    feeds: tuple[FeedConfig, ...]
    scorer: Scorer
    _lock: Lock = field(default_factory=Lock)

    @property
    def at_once(self) -> int:
        """How many papers to score together: of ten thousand feeds a paper may match a thousand, a kilobyte each."""
        return max(FEWEST_AT_ONCE, min(MOST_AT_ONCE, PAIRS_AT_ONCE // max(1, len(self.feeds))))

    async def score_all(self, announced: Sequence[PaperAnnounced]) -> list[PaperScored]:
        """The papers with their matches, in the same order; computed beside the event loop."""
        return await asyncio.to_thread(self._score_all, announced)

    def _score_all(self, announced: Sequence[PaperAnnounced]) -> list[PaperScored]:
        with self._lock:
            return self.scorer.score_all(announced)


def appoint(configured: tuple[FeedConfig, ...]) -> Judge:
    """The one place where feeds are compiled; whatever else scores depend on has to be given here."""
    return Judge(configured, Scorer(configured))


class Feeds:
    """Who judges papers now. Whoever works on a batch takes `judge` once and keeps it to the batch's end."""

    def __init__(
        self, path: Path, metrics: Metrics, *, changed: Callable[[Judge], None], look_every: float = LOOK_SECONDS
    ) -> None:
        """`FeedsError` when the file is not usable: there is nothing to go on with yet.

        `changed` is called with every judge that takes over, also with the first.
        """
        self._path = path
        self._changed = changed
        self._look_every = look_every
        self._ok = Gauge(
            "paperwire_feeds_reload_ok",
            "1 when the feeds in use are those in the file; 0 when it is wrong and the last good ones are in use.",
            registry=metrics.registry,
        )
        self.problems: tuple[str, ...] = ()
        """What is wrong with the file; nothing when the feeds in use are those in the file."""
        text = feeds.text_of(path)
        self.judge = appoint(feeds.parse(text, str(path)).feeds)
        self._used = self._looked_at = _digest(text)
        self._ok.set(1)
        changed(self.judge)

    async def follow(self) -> None:
        """Look at the file again and again."""
        while True:
            await asyncio.sleep(self._look_every)
            await self.look()

    async def look(self) -> None:
        """Take over what the file says now, if it says something new; else nothing happens.

        What counts is the content, not its date: a ConfigMap's file is a link whose target is swapped.
        """
        try:
            text = await asyncio.to_thread(feeds.text_of, self._path)
        except FeedsError as error:
            self._looked_at = ""
            self._keep_on(error.problems)
            return
        digest = _digest(text)
        if digest != self._looked_at:
            self._looked_at = digest
            await self._take_over(text, digest)

    async def _take_over(self, text: str, digest: str) -> None:
        if digest == self._used:  # mended, or changed back, before it was ever used
            self._mended()
            return
        try:
            judge = await asyncio.to_thread(lambda: appoint(feeds.parse(text, str(self._path)).feeds))
        except FeedsError as error:
            self._keep_on(error.problems)
        except Exception as error:
            log.exception("feeds cannot be compiled, keeping those in use")
            self._keep_on((f"{self._path}: cannot be used: {error!r}",))
        else:
            self.judge, self._used = judge, digest
            self._changed(judge)
            self._mended()
            log.info("feeds file read again", extra={"feeds": len(judge.feeds)})

    def _keep_on(self, problems: tuple[str, ...]) -> None:
        for problem in problems:
            if problem not in self.problems:
                log.error("feeds file is wrong, keeping the last good one", extra={"problem": problem})
        self.problems = problems
        self._ok.set(0)

    def _mended(self) -> None:
        self.problems = ()
        self._ok.set(1)

    def notes(self) -> list[str]:
        """What /readyz says about the file, while it is wrong."""
        return [f"the feeds in use are older than the file: {problem}" for problem in self.problems]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
