"""Announced papers become scored ones: a delivery at a time, by the feeds of the moment in which it came."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.scorer.batch import Recent
from services.scorer.judge import Judge
from services.scorer.measures import Measures
from services.scorer.sizes import fitted
from shared.bus import Bus, Outgoing, Received
from shared.messages import PaperAnnounced, PaperScored

MOST_MATCHES = 20_000  # some 20 MB; of few feeds a delivery has fewer


class Scoring:
    """The handler of announced papers."""

    def __init__(self, bus: Bus, judge: Callable[[], Judge], recent: Recent, measures: Measures) -> None:
        self._bus = bus
        self._judge = judge
        self._recent = recent
        self._measures = measures

    async def score(self, batch: Sequence[Received[PaperAnnounced]]) -> None:
        """Score and publish: all at once, or as soon as there are many matches, so that memory stays bounded."""
        judge = self._judge()
        ready: list[tuple[Received[PaperAnnounced], PaperScored]] = []
        for start in range(0, len(batch), judge.at_once):
            some = batch[start : start + judge.at_once]
            ready += zip(some, await judge.score_all([received.event for received in some]), strict=True)
            if sum(len(paper.matches) for _, paper in ready) > MOST_MATCHES:
                await self._publish(ready, judge)
                ready = []
        await self._publish(ready, judge)

    async def _publish(self, ready: Sequence[tuple[Received[PaperAnnounced], PaperScored]], judge: Judge) -> None:
        scored = [paper for _, paper in ready]
        messages = [fitted(paper) for paper in scored]
        await self._bus.publish(*_outgoing(ready, messages))
        self._recent.add(scored, by=judge)
        self._measures.count(scored, messages)


def _outgoing(
    ready: Sequence[tuple[Received[PaperAnnounced], PaperScored]], messages: Sequence[PaperScored]
) -> list[Outgoing]:
    return [received.then(message) for (received, _), message in zip(ready, messages, strict=True)]
