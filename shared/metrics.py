"""The Prometheus series that every service has; a service adds its own to the same registry."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

HANDLE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """One service's registry. Never global, so several services can live in one process."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.messages = Counter(
            "paperwire_messages",
            "Messages settled, by outcome: done, retried (delayed redelivery) or buried (dead letter).",
            ("service", "consumer", "outcome"),
            registry=self.registry,
        )
        self.handling = Histogram(
            "paperwire_handle_seconds",
            "Time to handle one delivery (a message, or a batch of them).",
            ("service", "consumer"),
            buckets=HANDLE_BUCKETS,
            registry=self.registry,
        )
        self.held = Gauge(
            "paperwire_held_messages",
            "Messages held because something they need is away.",
            ("service", "consumer"),
            registry=self.registry,
        )
        self.published = Counter(
            "paperwire_published",
            "Messages published and acknowledged by the stream.",
            ("service", "subject"),
            registry=self.registry,
        )
        self.pending = Gauge(
            "paperwire_consumer_pending",
            "Messages in the stream that this consumer has not been given yet (its lag).",
            ("consumer",),
            registry=self.registry,
        )
        self.ack_pending = Gauge(
            "paperwire_consumer_ack_pending",
            "Messages given to this consumer and not acknowledged yet.",
            ("consumer",),
            registry=self.registry,
        )
        self.dead_letters = Counter(
            "paperwire_dead_letters",
            "Messages given up, by the consumer that gave up.",
            ("service", "consumer"),
            registry=self.registry,
        )
        self.ready = Gauge(
            "paperwire_ready",
            "1 when this service is ready, 0 when it is not (see /readyz for the reason).",
            ("service",),
            registry=self.registry,
        )
        self.ready.labels(service).set(0)

    def watch(self, consumer: str) -> None:
        """Make this consumer's series exist from the start, so that a rate over them is never empty."""
        for outcome in ("done", "retried", "buried"):
            self.messages.labels(self.service, consumer, outcome)
        self.handling.labels(self.service, consumer)
        self.held.labels(self.service, consumer)
        self.dead_letters.labels(self.service, consumer)
        self.pending.labels(consumer)
        self.ack_pending.labels(consumer)
