from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.fetcher.core import (
    Cursor,
    History,
    Plan,
    Unchanged,
    announced,
    closed,
    decide,
    outdated,
    retry_after,
    retry_delay,
)
from services.fetcher.sources.arxiv_rss import Announcement, UnusableDocument, parse
from tests.announcements import ALL, WEEK, WEEKEND, announcing, recorded
from tests.builders import DAY

NOON = datetime(2025, 12, 10, 17, tzinfo=UTC)


class Reader:
    """A fetcher's memory over several documents, without anything outside."""

    def __init__(self) -> None:
        self.cursor = Cursor()
        self.history = History()

    def reads(self, announcement: Announcement, now: datetime = NOON) -> Plan | Unchanged:
        decision = decide(announcement, cursor=self.cursor, history=self.history, now=now)
        if isinstance(decision, Plan):
            self.cursor = decision.after
            self.history.add(decision.day, decision.number, decision.kinds)
        return decision

    def takes(self, announcement: Announcement, now: datetime = NOON) -> Plan:
        decision = self.reads(announcement, now)
        assert isinstance(decision, Plan)
        return decision


def test_a_first_announcement_is_published_whole() -> None:
    plan = Reader().takes(announcing("2512.00001v1", ("2512.00002v1", "cross"), ("2401.00003v4", "replace")))

    assert plan.batch == "arxiv:2025-12-10"
    assert plan.kinds == {"2512.00001v1": "new", "2512.00002v1": "cross", "2401.00003v4": "replace"}
    assert plan.reason is None


def test_a_paper_announced_on_an_earlier_day_is_not_announced_again() -> None:
    reader = Reader()
    reader.takes(announcing("2512.00001v1"))

    plan = reader.takes(announcing(("2512.00001v1", "cross"), "2512.00002v1", day=DAY + timedelta(days=1)))

    assert plan.kinds == {"2512.00002v1": "new"}


@pytest.mark.parametrize(
    ("told", "meant"),
    [("new", "replace"), ("cross", "replace-cross"), ("replace", "replace"), ("replace-cross", "replace-cross")],
)
def test_a_newer_version_of_a_known_paper_is_a_replacement(told: str, meant: str) -> None:
    reader = Reader()
    reader.takes(announcing("2512.00001v1"))

    plan = reader.takes(announcing(("2512.00001v2", told), day=DAY + timedelta(days=1)))  # type: ignore[arg-type]

    assert plan.kinds == {"2512.00001v2": meant}


def test_an_older_version_than_the_known_one_is_not_announced() -> None:
    reader = Reader()
    reader.takes(announcing(("2512.00001v3", "replace")))

    assert reader.reads(announcing("2512.00001v2")) == Unchanged("unchanged")


def test_a_paper_that_stands_twice_in_a_document_goes_out_once() -> None:
    announcement = announcing("2512.00001v1", ("2512.00001v1", "cross"))
    plan = Reader().takes(announcement)

    assert [(event.kind, event.position) for event in announced(announcement, plan)] == [("new", 0)]


def test_the_same_document_again_changes_nothing() -> None:
    reader = Reader()
    reader.takes(announcing("2512.00001v1"))

    assert reader.reads(announcing("2512.00001v1")) == Unchanged("unchanged")


def test_yesterdays_feed_is_told_as_stale() -> None:
    reader = Reader()
    reader.takes(announcing("2512.00001v1"))

    assert reader.reads(announcing("2512.00001v1"), NOON + timedelta(days=1)) == Unchanged("upstream stale")
    assert reader.cursor.day == DAY


def test_yesterdays_papers_under_todays_date_are_told_as_stale() -> None:
    reader = Reader()
    reader.takes(announcing("2512.00001v1", "2512.00002v1"))

    tomorrow = announcing("2512.00002v1", "2512.00001v1", day=DAY + timedelta(days=1))

    assert reader.reads(tomorrow, NOON + timedelta(days=1)) == Unchanged("upstream stale")
    assert reader.takes(announcing("2512.00003v1", day=DAY + timedelta(days=1))).batch == "arxiv:2025-12-11"


def test_a_new_day_with_only_known_papers_is_closed_as_nothing_new() -> None:
    reader = Reader()
    reader.takes(announcing("2512.00001v1", "2512.00002v1"))

    plan = reader.takes(announcing(("2512.00001v1", "cross"), day=DAY + timedelta(days=1)))

    assert (plan.kinds, plan.reason) == ({}, "nothing new")


def test_papers_that_come_after_the_day_was_closed_are_a_supplement() -> None:
    reader = Reader()
    reader.takes(announcing("2512.00001v1"))

    second = reader.takes(announcing("2512.00001v1", "2512.00002v1"))
    third = reader.takes(announcing("2512.00001v1", "2512.00002v1", "2512.00003v1"))

    assert (second.batch, second.kinds) == ("arxiv:2025-12-10.2", {"2512.00002v1": "new"})
    assert (third.batch, third.kinds) == ("arxiv:2025-12-10.3", {"2512.00003v1": "new"})


def test_a_supplement_to_an_earlier_day_does_not_turn_the_cursor_back() -> None:
    reader = Reader()
    reader.takes(announcing("2512.00001v1"))
    reader.takes(announcing("2512.00002v1", day=DAY + timedelta(days=1)))

    plan = reader.takes(announcing("2512.00001v1", "2512.00003v1"))

    assert plan.batch == "arxiv:2025-12-10.2"
    assert reader.cursor.day == DAY + timedelta(days=1)


def test_a_day_that_was_closed_empty_takes_its_papers_as_a_supplement() -> None:
    reader = Reader()
    assert reader.takes(announcing()).reason == "nothing new"

    assert reader.takes(announcing("2512.00001v1")).batch == "arxiv:2025-12-10.2"


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2025, 12, 13), "weekend"),
        (date(2025, 12, 14), "weekend"),
        (date(2025, 12, 10), "nothing new"),
        (date(2026, 11, 26), "holiday"),
        (date(2026, 11, 27), "holiday"),
        (date(2026, 11, 28), "weekend"),
        (date(2027, 1, 1), "holiday"),
    ],
)
def test_an_empty_day_says_why(day: date, reason: str) -> None:
    plan = Reader().takes(announcing(day=day), now=datetime(2027, 1, 2, tzinfo=UTC))

    assert (plan.kinds, plan.reason) == ({}, reason)


def test_the_recorded_weekend_is_a_closed_batch_without_papers() -> None:
    plan = Reader().takes(parse(recorded(WEEKEND)), now=datetime(2026, 8, 1, 12, tzinfo=UTC))

    event = closed(plan, 0, [])

    assert (event.batch, event.papers, event.reason) == ("arxiv:2026-08-01", 0, "weekend")
    assert event.first_sequence is None


def test_the_recorded_week_announces_every_paper_once_and_closes_every_day() -> None:
    reader = Reader()

    plans = [reader.takes(parse(recorded(name)), now=datetime(2025, 12, 12, 17, tzinfo=UTC)) for name in WEEK]

    assert [(plan.batch, len(plan.kinds)) for plan in plans] == [
        ("arxiv:2025-12-08", 173),
        ("arxiv:2025-12-09", 342),
        ("arxiv:2025-12-10", 199),
        ("arxiv:2025-12-11", 197),
        ("arxiv:2025-12-12", 212),
    ]
    assert len({versioned for plan in plans for versioned in plan.kinds}) == 1_123


def test_one_categorys_feed_after_anothers_announces_only_what_is_left() -> None:
    reader = Reader()
    reader.takes(parse(recorded("cs.AI.2025-12-10.xml")))

    plan = reader.takes(parse(recorded(f"{ALL}.2025-12-10.xml")))

    assert plan.batch == "arxiv:2025-12-10.2"
    assert len(plan.kinds) == 199 - 109


def test_a_plan_and_its_document_always_give_the_same_messages() -> None:
    document = parse(recorded(WEEK[2]))
    plan = Reader().takes(document)

    again = Plan.model_validate_json(plan.model_dump_json())

    assert announced(document, again) == announced(document, plan)
    assert [event.position for event in announced(document, plan)] == list(range(199))


def test_a_batch_begins_at_the_lowest_sequence_of_its_papers() -> None:
    plan = Reader().takes(announcing("2512.00001v1", "2512.00002v1"))

    assert closed(plan, 2, [41, 17]).first_sequence == 17


@pytest.mark.parametrize(
    ("now", "stale"),
    [
        (datetime(2025, 12, 11, 4, 59, tzinfo=UTC), False),
        (datetime(2025, 12, 11, 5, 59, tzinfo=UTC), False),
        (datetime(2025, 12, 11, 6, 1, tzinfo=UTC), True),
    ],
)
def test_a_feed_is_stale_an_hour_after_the_next_one_should_have_been_built(now: datetime, stale: bool) -> None:
    assert outdated(DAY, now) is stale


def test_an_announcement_from_the_future_does_not_move_the_cursor() -> None:
    reader = Reader()

    with pytest.raises(UnusableDocument, match="dated 2025-12-12, which is still to come"):
        reader.reads(announcing("2512.00001v1", day=DAY + timedelta(days=2)))
    assert reader.cursor == Cursor()


def test_the_wait_doubles_with_every_failure_up_to_an_hour() -> None:
    waits = [retry_delay(n, first=30, jitter=0.5) for n in (1, 2, 3, 7, 8, 400)]

    assert waits == [30, 60, 120, 1_920, 3_600, 3_600]


def test_jitter_spreads_the_wait_by_a_quarter_either_way() -> None:
    assert [retry_delay(1, first=100, jitter=jitter) for jitter in (0, 0.5, 1)] == [75, 100, 125]


def test_retry_after_is_never_undercut_but_a_day_is_enough() -> None:
    assert retry_delay(1, first=30, jitter=0, retry_after=500) == 500
    assert retry_delay(1, first=30, jitter=0.5, retry_after=5) == 30
    assert retry_delay(1, first=30, jitter=0.5, retry_after=1e9) == 86_400


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("\u0663", None),
        ("120", 120),
        (" 7 ", 7),
        ("Wed, 10 Dec 2025 17:00:30 GMT", 30),
        ("Wed, 10 Dec 2025 16:00:00 GMT", 0),
        ("Wed, 99 Dec 2025 16:00:00 GMT", None),
        ("9" * 400, 999_999_999_999),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOON) == seconds
