"""The scorer: every announced paper is held against all feeds; a complete batch gives each feed its best."""

from __future__ import annotations

from functools import partial

from services.scorer.batch import Recent
from services.scorer.embeddings import build as build_embeddings
from services.scorer.liked import Liked
from services.scorer.measures import Measures
from services.scorer.reloading import Feeds
from services.scorer.scoring_batches import Scoring
from services.scorer.selecting import Selector
from services.scorer.settings import Settings
from shared.bus import Bus
from shared.messages import BatchClosed, PaperAnnounced
from shared.metrics import Metrics
from shared.provision import SELECTIONS_BUCKET
from shared.service import Service

SCORED_AT_ONCE = 500
SELECTED_AT_ONCE = 4  # a batch whose papers do not come must not hold up the next


def build(settings: Settings) -> Service:
    """The service, not yet started; `FeedsError` when the feeds are not usable."""
    metrics = Metrics("scorer")
    measures = Measures(metrics)
    bus = Bus(settings, "scorer", metrics)
    embeddings = build_embeddings(settings, bus, metrics)
    liked = Liked(bus, settings.feeds_file, metrics, keep_texts=embeddings is not None)
    feeds = Feeds(
        settings.feeds_file,
        metrics,
        changed=lambda judge: measures.know(feed.slug for feed in judge.feeds),
        liked=liked.profiles,
        prepare=embeddings.prepare if embeddings else None,
    )
    recent = Recent()
    selector = Selector(bus, lambda: feeds.judge, recent, measures, deadline=settings.selection_deadline)
    scoring = Scoring(bus, lambda: feeds.judge, recent, measures)
    bus.needs(key_value=SELECTIONS_BUCKET)
    bus.on_batch(PaperAnnounced, "scorer", scoring.score, size=SCORED_AT_ONCE, gate=feeds.wait)
    bus.on(BatchClosed, "selector", selector.choose, lanes=SELECTED_AT_ONCE, gate=feeds.wait)
    return Service(
        "scorer",
        settings,
        bus,
        metrics,
        resources=[embeddings] if embeddings else [],
        loops=[feeds.follow, partial(liked.follow, feeds.renew)],
        notes=feeds.notes,
    )
