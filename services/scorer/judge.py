"""Feeds ready to judge papers: whoever works on a batch keeps one judge to the batch's end."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from services.scorer.likeness import Profiles
from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig
from shared.messages import Paper, PaperAnnounced, PaperScored

FEWEST_AT_ONCE, MOST_AT_ONCE = 32, 500
PAIRS_AT_ONCE = 250_000  # of papers and feeds

Prepare = Callable[[Profiles, Sequence[Paper]], Awaitable[None]]
"""Gets what profiles need of papers before they are judged."""


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Feeds and what scores papers by them. Two judges are never the same, also not of the same feeds."""

    feeds: tuple[FeedConfig, ...]
    scorer: Scorer
    profiles: Profiles | None = None
    prepare: Prepare | None = None
    _lock: Lock = field(default_factory=Lock)

    @property
    def at_once(self) -> int:
        """How many papers to score together: of ten thousand feeds a paper may match a thousand, a kilobyte each."""
        return max(FEWEST_AT_ONCE, min(MOST_AT_ONCE, PAIRS_AT_ONCE // max(1, len(self.feeds))))

    async def score_all(self, announced: Sequence[PaperAnnounced]) -> list[PaperScored]:
        """The papers with their matches, in the same order; computed beside the event loop."""
        if self.prepare and self.profiles and announced:
            await self.prepare(self.profiles, [one.paper for one in announced])
        return await asyncio.to_thread(self._score_all, announced)

    def _score_all(self, announced: Sequence[PaperAnnounced]) -> list[PaperScored]:
        with self._lock:
            return self.scorer.score_all(announced)


def appoint(
    configured: tuple[FeedConfig, ...], profiles: Profiles | None = None, prepare: Prepare | None = None
) -> Judge:
    """The one place where feeds are compiled; whatever else scores depend on has to be given here."""
    judge = Judge(configured, Scorer(configured, profiles), profiles, prepare)
    gc.freeze()  # a million objects that stay: looking through them for rubbish took half of the scoring's time
    return judge
