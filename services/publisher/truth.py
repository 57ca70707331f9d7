"""The sentences of truth on top of a page: what a day brought, and what is still missing. No clock is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from services.publisher.feed import BatchStatus, Day
from services.publisher.words import day_line
from shared.fetcher_state import FetcherState
from shared.messages import AnnouncementChecked

EMPTY_DAYS = {
    "weekend": "arXiv announces nothing on Saturday and Sunday.",
    "holiday": "arXiv announced nothing on this day: a holiday.",
    "nothing new": "The announcement of this day held nothing new.",
    "upstream stale": "arXiv still showed an earlier announcement on this day; it was not read again.",
}


def day_sentences(day: Day) -> list[str]:
    """What a reader should know before the list, in whole sentences."""
    batch = day.batch
    if batch is None:
        return [_papers(len(day.entries)) + "." if day.entries else "No announcement of this day has been read."]
    if batch.announced == 0:
        return [EMPTY_DAYS.get(batch.reason or "", "The announcement of this day was empty.")]
    return [sentence for sentence in (_shown(day, batch), _underway(batch), _lost(batch)) if sentence]


def _shown(day: Day, batch: BatchStatus) -> str:
    shown = len(day.entries)
    if shown == 0:
        waiting = batch.scored < batch.announced or batch.waiting > 0
        return f"{_papers(batch.announced)} announced, none {'shown yet' if waiting else 'matched'}."
    summarised = sum(entry.summary is not None for entry in day.entries)
    state = "all summarised" if summarised == shown else f"{summarised or 'none'} summarised"
    return f"{shown} of {_papers(batch.announced)}, {state}."


def _underway(batch: BatchStatus) -> str:
    unscored = batch.announced - batch.scored - batch.dead_papers
    if unscored > 0:
        return f"{_papers(unscored)} still {'has' if unscored == 1 else 'have'} to be ranked."
    if batch.waiting > 0:
        return f"{batch.waiting} more over all feeds {'waits' if batch.waiting == 1 else 'wait'} for a summary."
    return ""


def _lost(batch: BatchStatus) -> str:
    lost = batch.dead_papers + batch.dead_entries
    return f"{_papers(lost)} could not be processed and will be looked at." if lost else ""


def check_sentence(check: AnnouncementChecked) -> str:
    """Is a day's announcement complete as far as its source lets one know."""
    if check.reason:
        return check.reason
    if not check.complete:
        return "Not everything has come yet."
    if any(one.announced is None for one in check.categories):
        return "Nothing is known to be missing; the source's own count could not be read for every category."
    return "Everything that the source lists has come."


def status_sentence(
    statuses: Sequence[BatchStatus],
    fetcher: FetcherState | None = None,
    checks: Sequence[AnnouncementChecked] = (),
) -> str:
    """Is everything there, in one sentence or two."""
    open_checks = sorted((check for check in checks if not check.complete), key=lambda check: check.date)
    behind = fetcher is not None and fetcher.outcome in ("failed", "upstream stale")
    accounted = _accounted(statuses, more_to_come=behind or bool(open_checks))
    if open_checks:
        return f"{accounted} {day_line(open_checks[-1].date)}: {check_sentence(open_checks[-1])}"
    return accounted


def _accounted(statuses: Sequence[BatchStatus], *, more_to_come: bool) -> str:
    if not statuses:
        return "No announcement has been read yet."
    newest = max(statuses, key=lambda status: status.date)
    open_days = [status for status in statuses if not status.complete]
    if not open_days:
        known = "Everything that was announced is complete" if more_to_come else "Everything is up to date"
        return f"{known}: {_newest(newest)}."
    words = "announcement is" if len(open_days) == 1 else "announcements are"
    return f"{len(open_days)} {words} not complete yet. The newest: {_newest(newest)}."


def fetcher_sentence(fetcher: FetcherState) -> str:
    """What the last look at arXiv came to."""
    if fetcher.failed:
        again = f" It is asked again after {_moment(fetcher.retry_at)}." if fetcher.retry_at else ""
        return f"arXiv could not be read on {_moment(fetcher.checked)}: {fetcher.reason or 'no reason given'}.{again}"
    if fetcher.outcome == "upstream stale":
        return f"arXiv still showed an earlier announcement when it was last asked, on {_moment(fetcher.checked)}."
    return f"arXiv was last asked on {_moment(fetcher.checked)}."


def _moment(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{day_line(utc.date())}, {utc:%H:%M} UTC"


def _newest(status: BatchStatus) -> str:
    if status.announced == 0:
        return f"{day_line(status.date)} was empty ({status.reason or 'no reason given'})"
    return f"{_papers(status.announced)} of {day_line(status.date)}, {status.published} entries published"


def state_word(status: BatchStatus) -> str:
    """A batch's state in one word, with a sign that is not colour alone."""
    if status.complete:
        return "✓ complete" if status.announced else "✓ empty"
    return "… underway" if status.waiting or status.scored < status.announced else "! incomplete"


def _papers(count: int) -> str:
    return "1 paper" if count == 1 else f"{count} papers"
