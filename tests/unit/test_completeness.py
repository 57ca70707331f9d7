from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.fetcher import completeness
from services.fetcher.completeness import Tally, absences, asked, check, fed, lacking, listed, saw, to_ask
from services.fetcher.core import Cursor, Plan
from services.fetcher.listing import Listing
from services.fetcher.sources.arxiv_rss import Item, parse
from shared.messages import CategoryCheck
from tests.announcements import ALL, recorded
from tests.builders import DAY, a_paper

NOON = datetime(2025, 12, 10, 17, tzinfo=UTC)
FOUR = tuple(ALL.split("+"))


def item(number: int, *categories: str) -> Item:
    return Item(a_paper(id=f"2512.{number:05d}", categories=categories), "new")


def plan(*items: Item, number: int = 1, **changes: Any) -> Plan:
    kinds = {one.paper.versioned_id: one.kind for one in items}
    values: dict[str, Any] = {
        "batch": f"arxiv:2025-12-10.{number}",
        "day": DAY,
        "number": number,
        "kinds": kinds,
        "reason": None,
        "after": Cursor(),
    }
    return Plan(**values | changes)


def published(*items: Item, tally: Tally | None = None, number: int = 1, **changes: Any) -> Tally:
    """The tally after these papers went out in one batch."""
    return saw(tally or Tally(day=DAY), items, plan(*items, number=number, **changes))


def counts(tally: Tally, *categories: str) -> dict[str, tuple[int | None, int, int, int]]:
    found = check(tally, categories).categories
    return {one.category: (one.announced, one.seen, one.missing, one.late) for one in found}


def test_a_paper_counts_in_each_of_its_categories() -> None:
    tally = published(item(1, "cs.AI", "cs.CL"), item(2, "cs.CL"), item(3, "math.CO"))

    assert counts(tally, "cs.AI", "cs.CL", "cs") == {
        "cs.AI": (None, 1, 0, 0),
        "cs.CL": (None, 2, 0, 0),
        "cs": (None, 2, 0, 0),
    }


def test_papers_that_arxiv_lists_and_its_feed_has_not_shown_are_missing() -> None:
    tally = listed(published(item(1, "cs.AI")), "cs.AI", Listing(DAY, 3))

    checked = check(tally, ("cs.AI",))

    assert checked.categories == (CategoryCheck(category="cs.AI", announced=3, seen=1),)
    assert checked.complete is False
    assert checked.reason == "arXiv lists papers that its feed has not shown: cs.AI 2."


def test_a_day_is_complete_when_everything_that_is_listed_has_come() -> None:
    tally = listed(published(item(1, "cs.AI")), "cs.AI", Listing(DAY, 1))

    assert (check(tally, ("cs.AI",)).complete, check(tally, ("cs.AI",)).reason) == (True, None)


def test_without_a_listing_nothing_is_known_to_be_missing() -> None:
    assert check(published(item(1, "cs.AI")), ("cs.AI",)).complete


@pytest.mark.parametrize("page", [Listing(), Listing(DAY, None), Listing(None, 9), Listing(DAY - timedelta(days=1), 9)])
def test_a_listing_of_an_earlier_day_or_of_none_says_nothing(page: Listing) -> None:
    tally = published(item(1, "cs.AI"))

    assert listed(tally, "cs.AI", page) == tally


def test_a_listing_of_a_later_day_ends_the_asking() -> None:
    tally = listed(published(item(1, "cs.AI")), "cs.AI", Listing(DAY + timedelta(days=1), 9))

    assert to_ask(tally, ("cs.AI", "cs.CL"), NOON) == ()
    assert check(tally, ("cs.AI",)).complete


def test_papers_of_a_supplement_are_late() -> None:
    tally = published(item(2, "cs.AI"), tally=published(item(1, "cs.AI")), number=2)

    assert counts(tally, "cs.AI") == {"cs.AI": (None, 2, 0, 1)}


def test_a_document_that_comes_twice_changes_nothing() -> None:
    once = published(item(1, "cs.AI"))

    assert saw(once, [item(1, "cs.AI")]) == once
    assert published(item(1, "cs.AI"), tally=once) == once


def test_the_recorded_day_agrees_with_the_four_recorded_feeds_of_its_categories() -> None:
    tally = published(*parse(recorded(f"{ALL}.2025-12-10.xml")).items)
    for category in FOUR:
        own = parse(recorded(f"{category}.2025-12-10.xml"))
        tally = listed(tally, category, Listing(DAY, len(own.items)))

    assert counts(tally, *FOUR) == {
        "cs.AI": (109, 109, 0, 0),
        "cs.CL": (27, 27, 0, 0),
        "cs.DC": (11, 11, 0, 0),
        "cs.LG": (113, 113, 0, 0),
    }
    assert check(tally, FOUR).complete


# ---- stale categories


def test_a_category_without_a_paper_that_arxiv_lists_is_stale() -> None:
    tally = listed(published(item(1, "cs.CL")), "cs.AI", Listing(DAY, 4))

    checked = check(tally, ("cs.AI", "cs.CL"))

    assert [(one.category, one.stale, one.missing) for one in checked.categories] == [
        ("cs.AI", True, 4),
        ("cs.CL", False, 0),
    ]
    assert "arXiv's feed still shows an earlier day for cs.AI; it is asked again." in (checked.reason or "")


def test_a_category_that_shows_yesterdays_papers_while_others_have_new_ones_is_stale() -> None:
    yesterdays = [item(number, "cs.AI") for number in range(1, 7)]
    new = item(9, "cs.CL", "cs.AI")
    tally = saw(Tally(day=DAY), [*yesterdays, new], plan(new))

    assert [one.stale for one in check(tally, ("cs.AI", "cs.CL")).categories] == [True, False]
    assert not check(listed(tally, "cs.AI", Listing(DAY, 7)), ("cs.AI",)).categories[0].stale


def test_a_category_without_a_paper_and_without_a_listing_is_not_stale() -> None:
    assert check(published(item(1, "cs.CL")), ("cs.AI",)).complete


def test_a_category_whose_own_feed_is_dated_earlier_is_stale_until_it_is_not() -> None:
    stale = fed(published(item(1, "cs.CL")), "cs.AI", DAY - timedelta(days=1))

    assert lacking(stale, "cs.AI")
    assert not lacking(fed(stale, "cs.AI", DAY), "cs.AI")


def test_a_category_of_which_arxiv_gives_only_a_part_makes_the_day_incomplete() -> None:
    checked = check(published(item(1, "cs.LG"), cut=("cs.LG",)), ("cs.LG",))

    assert (checked.complete, checked.reason) == (False, "arXiv cuts its feed off at 2000 papers for cs.LG.")


# ---- when to ask


def test_every_listing_is_asked_for_once_and_again_only_while_something_is_missing() -> None:
    tally = published(item(1, "cs.AI"), item(2, "cs.CL"))
    assert to_ask(tally, ("cs.AI", "cs.CL"), NOON) == ("cs.AI", "cs.CL")

    tally = listed(listed(tally, "cs.AI", Listing(DAY, 1)), "cs.CL", Listing(DAY, 2))
    tally = asked(tally, NOON, first=600)

    assert to_ask(tally, ("cs.AI", "cs.CL"), NOON + timedelta(seconds=599)) == ()
    assert to_ask(tally, ("cs.AI", "cs.CL"), NOON + timedelta(seconds=601)) == ("cs.CL",)


def test_the_rounds_come_less_and_less_often() -> None:
    tally, waits = published(item(1, "cs.AI")), []
    for _ in range(5):
        tally = asked(tally, NOON, first=600)
        assert tally.ask_at is not None
        waits.append((tally.ask_at - NOON).total_seconds())

    assert waits == [600, 1_200, 2_400, 3_600, 3_600]


def test_retry_after_is_kept() -> None:
    tally = asked(published(item(1, "cs.AI")), NOON, first=600, retry_after=5_000)

    assert tally.ask_at == NOON + timedelta(seconds=5_000)


def test_a_listing_that_never_says_anything_is_given_up() -> None:
    tally = published(item(1, "cs.AI"))
    for _ in range(completeness.UNKNOWN_TRIES):
        tally = asked(tally, NOON, first=600)

    assert to_ask(tally, ("cs.AI",), NOON + timedelta(days=1)) == ()


def test_nobody_asks_for_the_listing_of_a_weekend_but_for_that_of_an_empty_wednesday() -> None:
    assert to_ask(Tally(day=date(2025, 12, 13)), ("cs.AI",), NOON) == ()
    assert to_ask(Tally(day=DAY), ("cs.AI",), NOON) == ("cs.AI",)


# ---- days without announcement


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2025, 12, 13), "arXiv announces nothing on Saturday and Sunday."),
        (date(2026, 11, 27), "arXiv announces nothing on this day: a holiday."),
        (DAY, "The announcement held nothing new."),
    ],
)
def test_an_empty_day_is_complete_and_says_why(day: date, reason: str) -> None:
    checked = check(saw(Tally(day=day), [], plan(day=day)), ("cs.AI",))

    assert (checked.complete, checked.reason) == (True, reason)


def test_an_empty_feed_on_a_day_for_which_arxiv_lists_papers_is_no_empty_day() -> None:
    checked = check(listed(published(), "cs.AI", Listing(DAY, 90)), ("cs.AI",))

    assert checked.complete is False
    assert checked.categories[0].stale


def words(read: set[date], now: datetime) -> dict[date, str | None]:
    return {tally.day: tally.absent for tally in absences(read, now)}


def test_a_day_whose_feed_is_not_there_in_time_is_delayed() -> None:
    thursday = datetime(2025, 12, 11, 6, 1, tzinfo=UTC)

    assert words({DAY}, thursday - timedelta(minutes=2)) == {}
    assert words({DAY}, thursday) == {DAY + timedelta(days=1): completeness.DELAYED}
    delayed = check(absences({DAY}, thursday)[0], ("cs.AI",))
    assert (delayed.complete, delayed.categories[0].stale) == (False, True)


def test_a_day_for_which_arxiv_cannot_be_asked_says_so_and_its_weekend_does_not() -> None:
    thursday = datetime(2025, 12, 11, 6, 1, tzinfo=UTC)
    saturday = datetime(2025, 12, 13, 6, 1, tzinfo=UTC)

    (refused,) = absences({DAY}, thursday, failure="rate limited")
    assert refused.absent == "arXiv cannot be asked (rate limited); it is tried again."
    assert check(refused, ("cs.AI",)).categories[0].stale
    (weekend,) = absences({date(2025, 12, 12)}, saturday, failure="rate limited")
    assert weekend.absent == completeness.QUIET["weekend"]


def test_days_that_were_slept_through_are_told_with_what_to_do() -> None:
    monday = datetime(2025, 12, 15, 12, tzinfo=UTC)
    friday, saturday, sunday = (date(2025, 12, day) for day in (12, 13, 14))

    assert words({date(2025, 12, 11), date(2025, 12, 15)}, monday) == {
        friday: completeness.NOT_READ,
        saturday: completeness.QUIET["weekend"],
        sunday: completeness.QUIET["weekend"],
    }
    assert check(Tally(day=friday, absent=completeness.NOT_READ), ("cs.AI",)).complete is False
    assert check(Tally(day=saturday, absent=completeness.QUIET["weekend"]), ("cs.AI",)).complete


def test_a_recording_of_last_year_is_not_a_delay() -> None:
    assert absences({DAY}, NOON + timedelta(days=300)) == []
    assert absences(set(), NOON) == []


def test_a_delayed_day_that_comes_after_all_is_a_day_like_others() -> None:
    delayed = Tally(day=DAY, absent=completeness.DELAYED)

    assert check(published(item(1, "cs.AI"), tally=delayed), ("cs.AI",)).complete


# ---- numbers of checks


def test_a_check_is_numbered_anew_only_when_the_answer_changes() -> None:
    tally = published(item(1, "cs.AI"))
    first = check(tally, ("cs.AI",))
    tally = tally.model_copy(update={"told": first})

    assert first.check == 1
    assert check(tally, ("cs.AI",)) == first
    assert check(listed(tally, "cs.AI", Listing(DAY, 1)), ("cs.AI",)).check == 2
