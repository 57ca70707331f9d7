"""The publisher's own Prometheus series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import Counter, Gauge, Histogram

from services.publisher.feed import LAST_RANK, BatchStatus, publication_time
from services.publisher.library import Counts
from shared.metrics import HANDLE_BUCKETS, Metrics

STAGES = ("announced", "scored", "selected", "published", "waiting", "dead_papers", "dead_entries")


class Gauges:
    """What an operator asks: is today's feed out, complete, on time."""

    def __init__(self, metrics: Metrics, feeds: Iterable[str]) -> None:
        registry = metrics.registry
        self.batch_papers = Gauge(
            "paperwire_batch_papers",
            "The newest announcement's papers (announced, scored, dead) and entries (selected, published, waiting, "
            "dead_entries).",
            ("stage",),
            registry=registry,
        )
        self.newest_announcement = Gauge(
            "paperwire_newest_announcement_timestamp_seconds",
            "The day of the newest announcement with papers: midnight US Eastern as a Unix time; 0 before the first.",
            registry=registry,
        )
        self.incomplete = Gauge(
            "paperwire_incomplete_batches",
            "Announcements of the last 14 days whose papers are not all accounted for yet.",
            registry=registry,
        )
        self.waiting = Gauge(
            "paperwire_entries_waiting",
            "Entries that wait for their summaries, their paper or their deadline.",
            registry=registry,
        )
        self.dead = Gauge("paperwire_dead_letters_stored", "Dead letters that were seen.", registry=registry)
        self.published = Counter(
            "paperwire_entries_published",
            "Entries that became visible, by the publisher that made them so.",
            ("feed",),
            registry=registry,
        )
        self.store = Histogram(
            "paperwire_store_seconds",
            "Time to write a batch of messages to Postgres.",
            ("what",),
            buckets=HANDLE_BUCKETS,
            registry=registry,
        )
        self.requests = Counter(
            "paperwire_http_requests",
            "Requests for public pages and feeds.",
            ("route", "status"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "paperwire_http_request_seconds",
            "Time until the answer to a request for a public page or feed begins.",
            ("route",),
            buckets=HANDLE_BUCKETS,
            registry=registry,
        )
        for stage in STAGES:
            self.batch_papers.labels(_label(stage))
        for feed in feeds:
            self.published.labels(feed)

    def revealed(self, entries: Mapping[str, int]) -> None:
        """Count entries that became visible, by feed."""
        for feed, number in entries.items():
            self.published.labels(feed).inc(number)

    def accounts(self, statuses: Iterable[BatchStatus], counts: Counts) -> None:
        """Show the newest accounts; `statuses` come newest first."""
        known = list(statuses)
        self.waiting.set(counts.waiting)
        self.dead.set(counts.dead_letters)
        self.incomplete.set(sum(not status.complete for status in known))
        with_papers = [status.date for status in known if status.announced or status.scored]
        if with_papers:
            self.newest_announcement.set(publication_time(with_papers[0], LAST_RANK).timestamp())
        for stage in STAGES if known else ():
            self.batch_papers.labels(_label(stage)).set(getattr(known[0], stage))


def _label(stage: str) -> str:
    """Papers are the rule: announced = scored + dead."""
    return stage.removesuffix("_papers")
