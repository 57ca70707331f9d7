"""The scorer: every announced paper is held against all feeds; a complete batch gives each feed its best."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from prometheus_client import Counter, Histogram

from services.scorer.batch import Batch, Recent
from services.scorer.scoring import Scorer
from services.scorer.selection import select
from services.scorer.settings import Settings
from services.scorer.sizes import fitted, parts
from services.scorer.supplement import earlier, taken_by
from shared.bus import Bus, Received
from shared.feeds import FeedConfig, load
from shared.messages import BatchClosed, PaperAnnounced, PaperScored
from shared.metrics import Metrics
from shared.service import Service

log = logging.getLogger(__name__)

SCORED_AT_ONCE = 500
SELECTED_AT_ONCE = 4  # a batch whose papers do not come must not hold up the next


class Measures:
    """The scorer's own series."""

    def __init__(self, metrics: Metrics, feeds: Sequence[FeedConfig]) -> None:
        registry = metrics.registry
        self.scored = Counter("paperwire_papers_scored", "Papers held against all feeds.", registry=registry)
        self.matched = Counter(
            "paperwire_papers_matched", "Papers that a feed matched, selected or not.", ("feed",), registry=registry
        )
        self.selection = Histogram(
            "paperwire_selection_seconds",
            "From the closing of a batch, as the scorer sees it, to its published selection.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600),
            registry=registry,
        )
        self.incomplete = Counter(
            "paperwire_selections_incomplete",
            "Batches whose best were taken at the deadline, with papers missing.",
            registry=registry,
        )
        self.shortened = Counter(
            "paperwire_papers_shortened",
            "Scored papers that so many feeds match that the message leaves out reasons, or the weaker matches.",
            registry=registry,
        )
        for feed in feeds:
            self.matched.labels(feed.slug)

    def count(self, scored: Sequence[PaperScored]) -> None:
        """Count papers that were scored and published."""
        self.scored.inc(len(scored))
        for paper in scored:
            for match in paper.matches:
                self.matched.labels(match.feed).inc()

    def count_shortened(self, scored: Sequence[PaperScored], messages: Sequence[PaperScored]) -> None:
        """Count and name those whose message says less than the scorer knows."""
        for paper, message in zip(scored, messages, strict=True):
            if message is not paper:
                self.shortened.inc()
                extra = {"paper": paper.about, "matches": len(paper.matches), "sent": len(message.matches)}
                log.warning("too many matches for a message", extra=extra)


def build(settings: Settings) -> Service:
    """The service, not yet started; `FeedsError` when the feeds are not usable."""
    feeds = load(settings.feeds_file).feeds
    metrics = Metrics("scorer")
    measures = Measures(metrics, feeds)
    bus = Bus(settings, "scorer", metrics)
    scorer = Scorer(feeds)
    recent = Recent()

    async def score(batch: Sequence[Received[PaperAnnounced]]) -> None:
        scored = [scorer.score(received.event) for received in batch]
        messages = [fitted(paper) for paper in scored]
        await bus.publish(*(received.then(paper) for received, paper in zip(batch, messages, strict=True)))
        recent.add(scored)
        measures.count(scored)
        measures.count_shortened(scored, messages)

    async def choose(received: Received[BatchClosed]) -> None:
        began = time.monotonic()
        batch = Batch(received.event, recent)
        if not await batch.complete(bus, deadline=settings.selection_deadline):
            measures.incomplete.inc()
            log.warning("selected without some papers", extra={"batch": received.event.batch, "missing": batch.missing})
        before = await earlier(bus, received.event)
        selection = select(
            batch.matched,
            feeds,
            candidates=sum(closed.papers for closed in (*before, received.event)),
            taken_before=await taken_by(bus, before, feeds, deadline=settings.selection_deadline),
        )
        await bus.publish(
            *map(
                received.then,
                (
                    *(part for paper in selection.selected for part in parts(paper)),
                    *selection.requests,
                    *selection.texts,
                ),
            )
        )
        recent.forget(batch.closed.batch)
        measures.selection.observe(time.monotonic() - began)
        extra = {"batch": received.event.batch, "papers": received.event.papers}
        made = {"summaries": len(selection.requests), "texts": len(selection.texts)}
        log.info("selected", extra=extra | {"selected": len(selection.selected)} | made)

    bus.on_batch(PaperAnnounced, "scorer", score, size=SCORED_AT_ONCE)
    bus.on(BatchClosed, "selector", choose, lanes=SELECTED_AT_ONCE)
    return Service("scorer", settings, bus, metrics)
