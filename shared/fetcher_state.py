"""How the fetcher fares: it leaves word in its bucket, the publisher shows it to readers."""

from __future__ import annotations

from datetime import date, datetime

from shared.messages import Value

STATE = "state"
"""The key in the bucket FETCHER."""


class FetcherState(Value):
    """What the last look at the source came to."""

    outcome: str
    """`published`, `unchanged`, `upstream stale` or `failed`."""
    reason: str | None = None
    """Why it failed."""
    checked: datetime
    last_success: datetime | None = None
    last_failure: datetime | None = None
    failures: int = 0
    """In a row."""
    retry_at: datetime | None = None
    """After a failure: no request before this moment."""
    newest: date | None = None
    """The newest announcement's day."""

    @property
    def failed(self) -> bool:
        """Whether the source could not be read."""
        return self.outcome == "failed"
