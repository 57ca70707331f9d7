"""The fetcher's own Prometheus series."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal

from prometheus_client import Counter, Gauge

from services.fetcher.sources.arxiv_rss import EASTERN
from shared.metrics import Metrics

REASONS = (
    "unreachable",
    "rate limited",
    "unavailable",
    "refused",
    "unusable document",
    "feed configuration",
    "nats",
    "internal",
)


class Measures:
    """Every series exists from the start, so that a rate over it is never empty."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self.requests = Counter("paperwire_fetch_requests", "Requests for announcements and orders.", registry=registry)
        self.failures = Counter(
            "paperwire_fetch_failures", "Looks at the source that failed, by reason.", ("reason",), registry=registry
        )
        self.rejected = Counter(
            "paperwire_fetch_rejected_items", "Items of announcements that could not be read.", registry=registry
        )
        self.newest = Gauge(
            "paperwire_newest_announcement_timestamp_seconds",
            "Midnight US Eastern of the newest announcement's day; 0 on a replica that has never held the lease.",
            registry=registry,
        )
        self.success = Gauge(
            "paperwire_fetch_last_success_timestamp_seconds",
            "When the source last gave a usable answer; 0 on a replica that has never held the lease.",
            registry=registry,
        )
        self.stale = Gauge(
            "paperwire_fetch_upstream_stale", "1 while the source still shows an earlier day's feed.", registry=registry
        )
        self.missing = Gauge(
            "paperwire_announcement_missing_papers",
            "Papers of the newest announcement that the source lists and its feed has not shown, over all categories.",
            registry=registry,
        )
        self.missing_papers = 0
        self.lease_held = Gauge(
            "paperwire_fetch_lease_held", "1 on the replica that talks to the source.", registry=registry
        )
        self._texts = Counter(
            "paperwire_texts", "Full texts looked for, by where they were found.", ("outcome",), registry=registry
        )
        for outcome in ("html", "pdf", "none"):
            self._texts.labels(outcome)
        for reason in REASONS:
            self.failures.labels(reason)

    def text(self, outcome: Literal["html", "pdf", "none"]) -> None:
        """A full text was looked for."""
        self._texts.labels(outcome).inc()

    def failed(self, reason: str) -> None:
        """A look came to nothing."""
        self.failures.labels(reason).inc()

    def newest_is(self, day: date | None) -> None:
        """The newest announcement is of this day."""
        if day is not None:
            self.newest.set(datetime.combine(day, time(), EASTERN).timestamp())

    def succeeded(self, now: datetime, *, stale: bool) -> None:
        """The source gave a usable answer."""
        self.success.set(now.timestamp())
        self.stale.set(stale)
