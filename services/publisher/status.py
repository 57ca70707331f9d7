"""The accounts as JSON, for programs and for `paperwire status`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from services.publisher.accounts import NOT_CLOSED
from services.publisher.feed import BatchStatus
from services.publisher.library import Counts
from shared.fetcher_state import FetcherState
from shared.messages import AnnouncementChecked

FETCHER = {"outcome", "reason", "checked", "retry_at", "newest"}
MEDIA_TYPE = "application/json; charset=utf-8"


def render(
    statuses: Sequence[BatchStatus],
    counts: Counts,
    fetcher: FetcherState | None,
    notice: str | None,
    *,
    checks: Sequence[AnnouncementChecked] = (),
) -> bytes:
    """`/status.json`. `notice` says how old the numbers are when the database does not answer."""
    document = {
        "complete": all(status.complete for status in statuses) and all(check.complete for check in checks),
        "newest": statuses[0].batch if statuses else None,
        "entries_waiting": counts.waiting,
        "dead_letters": counts.dead_letters,
        "stale": notice,
        "fetcher": fetcher.model_dump(mode="json", include=FETCHER) if fetcher else None,
        "batches": [_batch(status) for status in statuses],
        "days": [_day(check) for check in checks],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _day(check: AnnouncementChecked) -> dict[str, Any]:
    """What the source announced on a day, and what of it came."""
    return {
        "source": check.source,
        "date": check.date.isoformat(),
        "complete": check.complete,
        "reason": check.reason,
        "categories": [one.model_dump() | {"missing": one.missing} for one in check.categories],
    }


def _batch(status: BatchStatus) -> dict[str, Any]:
    return {
        "batch": status.batch,
        "source": status.source,
        "date": status.date.isoformat(),
        "closed": status.reason != NOT_CLOSED,
        "reason": status.reason,
        "announced": status.announced,
        "scored": status.scored,
        "selected": status.selected,
        "published": status.published,
        "waiting": status.waiting,
        "summarised": status.summarised,
        "dead_papers": status.dead_papers,
        "dead_entries": status.dead_entries,
        "complete": status.complete,
    }
