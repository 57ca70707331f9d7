"""The series that only the summarizer has."""

from __future__ import annotations

from typing import Literal, get_args

from prometheus_client import Counter, Histogram

from services.summarizer.llm_errors import REASONS
from shared.metrics import Metrics

Outcome = Literal["model", "repaired", "fallback", "extraction", "none"]
BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)


class Measures:
    """Tokens, outcomes, durations and troubles; every known label is there from the start, at zero."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._tokens = Counter("paperwire_llm_tokens", "Tokens that models counted.", ("kind",), registry=registry)
        self._summaries = Counter(
            "paperwire_summaries", "Answers to summary requests.", ("outcome",), registry=registry
        )
        self._errors = Counter(
            "paperwire_llm_errors", "Calls to a model that brought no summary.", ("reason",), registry=registry
        )
        self.seconds = Histogram(
            "paperwire_summarize_seconds", "Time to answer a summary request.", buckets=BUCKETS, registry=registry
        )
        for kind in ("prompt", "completion"):
            self._tokens.labels(kind)
        for outcome in get_args(Outcome):
            self._summaries.labels(outcome)
        for reason in (*REASONS, "bad_reply"):
            self._errors.labels(reason)

    def tokens(self, prompt: int, completion: int) -> None:
        """One answer of a model cost that much."""
        self._tokens.labels("prompt").inc(prompt)
        self._tokens.labels("completion").inc(completion)

    def summary(self, outcome: Outcome) -> None:
        """A request was answered."""
        self._summaries.labels(outcome).inc()

    def error(self, reason: str) -> None:
        """A call failed; `reason` is one of `REASONS` or `bad_reply`."""
        self._errors.labels(reason).inc()
