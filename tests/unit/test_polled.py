"""What is decided about the sources beside arXiv."""

from __future__ import annotations

from datetime import date

import pytest

from services.fetcher.core import Cursor, History
from services.fetcher.polled import decide, joined, named, window
from services.fetcher.sources import UNDATED
from shared.feeds import SourceConfig
from tests.announcements import announcing

TODAY = date(2025, 12, 10)


@pytest.mark.parametrize(
    ("last", "since"),
    [
        (None, date(2025, 12, 8)),
        (TODAY, date(2025, 12, 8)),
        (date(2025, 12, 1), date(2025, 11, 29)),
        (date(2024, 12, 1), date(2025, 12, 8)),
    ],
    ids=["first look", "up to date", "nine days away", "a year away"],
)
def test_the_days_since_the_last_look_are_asked_for_and_two_before(last: date | None, since: date) -> None:
    assert window(last, TODAY) == (since, TODAY)


def test_only_what_is_new_makes_a_batch() -> None:
    history = History()
    plan = decide(announcing("1v1", "2v1"), name="lab", cursor=Cursor(), history=history, today=TODAY)
    assert plan
    assert (plan.batch, list(plan.kinds)) == ("lab:2025-12-10", ["1v1", "2v1"])
    history.add(plan.day, plan.number, plan.kinds)

    assert decide(announcing("1v1", "2v1"), name="lab", cursor=plan.after, history=history, today=TODAY) is None
    later = decide(announcing("3v1", "1v1"), name="lab", cursor=plan.after, history=history, today=TODAY)
    assert later
    assert (later.batch, list(later.kinds)) == ("lab:2025-12-10.2", ["3v1"])


@pytest.mark.parametrize("day", [UNDATED, date.min, date(2099, 1, 1)], ids=["no date", "year 1", "to come"])
def test_what_has_no_sensible_date_is_of_today(day: date) -> None:
    plan = decide(announcing("1v1", day=day), name="lab", cursor=Cursor(), history=History(), today=TODAY)

    assert plan
    assert (plan.day, plan.after.day) == (TODAY, TODAY)


def test_no_feed_can_speak_about_the_papers_of_another_source() -> None:
    lab = SourceConfig("lab", "rss")

    (paper, _), *_ = named(announcing("2512.08242v1"), lab, global_ids=False).items
    assert (paper.id, paper.source) == ("lab:2512.08242", "lab")
    (paper, _), *_ = named(announcing("10.1101/1v1"), lab, global_ids=True).items
    assert (paper.id, paper.source) == ("10.1101/1", "lab")


def test_pages_make_one_announcement_of_their_newest_day() -> None:
    pages = [announcing("1v1", day=UNDATED), announcing("2v1", day=TODAY)]

    assert [item.paper.id for item in joined(pages).items] == ["1", "2"]
    assert joined(pages).date == TODAY
