"""The accounts of announcements: announced = scored + dead, selected = published + waiting + dead."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from services.publisher.feed import BatchStatus
from shared.messages import AnnouncementChecked, CategoryCheck

NOT_CLOSED = "still being read"


# Days that there were: a batch with a date far off must not hide all others. What the feeds' searches found stands
# behind the announcement of the same day.
STATUSES = """
SELECT * FROM batch_accounts
WHERE date IN (
    SELECT DISTINCT date FROM batches WHERE batch !~ '^(backfill|fill):' ORDER BY date DESC LIMIT $1::int)
  AND batch !~ '^(backfill|fill):'
ORDER BY date DESC, source = 'arxiv-search', batch
"""

STATUS_OF_DAY = """
SELECT * FROM batch_accounts WHERE date = $1 AND batch !~ '^(backfill|fill):'
ORDER BY papers DESC, batch LIMIT 1
"""

CHECKS = """
SELECT source, date, number, complete, reason, categories FROM checks
WHERE date IN (SELECT DISTINCT date FROM checks ORDER BY date DESC LIMIT $1::int)
ORDER BY date DESC, source
"""

_CATEGORIES = TypeAdapter(tuple[CategoryCheck, ...])


def check(row: Any) -> AnnouncementChecked:
    """A row of `checks` as the message that it came from."""
    return AnnouncementChecked(
        source=row["source"],
        date=row["date"],
        check=row["number"],
        complete=row["complete"],
        reason=row["reason"],
        categories=_CATEGORIES.validate_json(row["categories"]),
    )


def status(row: Any) -> BatchStatus:
    """A row of `batch_accounts` as a value. Until a batch is closed, `announced` is 0: nobody knows yet."""
    dead_entries = row["doomed"] + row["dead_picks"]
    return BatchStatus(
        batch=row["batch"],
        source=row["source"],
        date=row["date"],
        reason=row["reason"] if row["closed"] else NOT_CLOSED,
        announced=row["papers"],
        scored=row["scored"],
        selected=row["stored"] + row["dead_picks"],
        published=row["published"],
        waiting=row["stored"] - row["published"] - row["doomed"],
        summarised=row["summarised"],
        dead_papers=row["dead_papers"],
        dead_entries=dead_entries,
    )
