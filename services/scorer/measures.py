"""The scorer's own series."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from prometheus_client import Counter, Histogram

from shared.messages import PaperScored
from shared.metrics import Metrics

log = logging.getLogger(__name__)


class Measures:
    """What is counted while papers are scored and selected."""

    def __init__(self, metrics: Metrics) -> None:
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
        self._slugs: frozenset[str] = frozenset()

    def know(self, slugs: Iterable[str]) -> None:
        """The feeds that there are: the others' series go, and each of these has one from the start."""
        now = frozenset(slugs)
        for gone in self._slugs - now:
            self.matched.remove(gone)
        for slug in now:
            self.matched.labels(slug)
        self._slugs = now

    def count(self, scored: Sequence[PaperScored], messages: Sequence[PaperScored]) -> None:
        """Count papers that were scored, and published as these messages."""
        self.scored.inc(len(scored))
        for paper, message in zip(scored, messages, strict=True):
            for match in paper.matches:
                if match.feed in self._slugs:  # it may have gone while the batch was scored
                    self.matched.labels(match.feed).inc()
            if message is not paper:
                self.shortened.inc()
                extra = {"paper": paper.about, "matches": len(paper.matches), "sent": len(message.matches)}
                log.warning("too many matches for a message", extra=extra)
