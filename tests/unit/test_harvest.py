from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from services.fetcher.harvest import Harvest, announced, begun, begun_anew, query, submitted, total, turned
from services.fetcher.orders import OrderFailed
from services.fetcher.slot import key_of
from services.fetcher.sources.arxiv_oai import Dates, Item, Page
from shared.messages import FetchRequested
from tests.builders import a_paper

FIRST, LAST = date(2025, 12, 1), date(2025, 12, 31)
DATES = Dates(date(2025, 11, 30), date(2025, 12, 5), date(2025, 12, 6))


def an_order(**changes: Any) -> FetchRequested:
    values: dict[str, Any] = {"order": "cs", "what": "backfill", "since": FIRST, "until": LAST, "set": "cs"}
    return FetchRequested(**values | changes)


def a_page(papers: int = 0, *, token: str | None = None, size: int | None = None) -> Page:
    items = tuple(Item(a_paper(id=f"2512.{number:05d}"), "backfill") for number in range(papers))
    return Page(token, size, items, (DATES,) * papers)


def test_the_first_request_asks_for_the_first_day() -> None:
    assert query(begun(an_order())) == {
        "verb": "ListRecords",
        "metadataPrefix": "arXivRaw",
        "from": "2025-12-01",
        "until": "2025-12-01",
        "set": "cs",
    }


def test_a_token_stands_for_all_other_arguments() -> None:
    harvest = turned(begun(an_order()), a_page(2, token="t 1"))

    assert query(harvest) == {"verb": "ListRecords", "resumptionToken": "t 1"}
    assert (harvest.sent, harvest.reached, harvest.pages) == (2, None, 1)


def test_windows_grow_over_days_without_much_and_end_with_the_range() -> None:
    harvest, asked = begun(an_order(set=None)), []
    while not harvest.finished:
        asked.append((harvest.begins, harvest.ends))
        harvest = turned(harvest, a_page(3))

    assert [(last - first).days + 1 for first, last in asked] == [1, 2, 4, 8, 16]
    assert asked[0][0] == FIRST
    assert asked[-1][1] == harvest.reached == LAST
    assert all(later[0] == earlier[1] + timedelta(days=1) for earlier, later in pairwise(asked))
    assert harvest.sent == 15


def test_a_window_of_many_pages_is_followed_by_a_smaller_one() -> None:
    harvest = begun(an_order()).model_copy(update={"window": 8})
    for _ in range(20):
        harvest = turned(harvest, a_page(1, token="t"))

    assert turned(harvest, a_page(1)).window == 4


def test_an_expired_token_costs_the_days_of_its_window_and_no_others() -> None:
    done = turned(begun(an_order()), a_page(10))
    harvest = begun_anew(turned(done, a_page(7, token="t")))

    assert (harvest.begins, harvest.sent, harvest.token) == (date(2025, 12, 2), 10, None)
    assert harvest.ends == date(2025, 12, 2)


def test_the_total_is_known_when_the_counted_list_reaches_to_the_end() -> None:
    harvest = turned(begun(an_order(until=date(2025, 12, 2))), a_page(10))

    assert total(harvest, a_page(5, token="t", size=40)) == 50
    assert total(harvest, a_page(5)) is None
    assert total(begun(an_order()), a_page(5, token="t", size=40)) is None


def test_the_messages_of_a_page_have_the_same_keys_whenever_it_is_read() -> None:
    harvest = begun(an_order())
    again = begun_anew(turned(harvest, a_page(2, token="t")))

    first, second = (announced("cs", state, a_page(2)) for state in (harvest, again))
    assert [event.key for event in first] == [event.key for event in second]
    assert first[1].key == "announced:backfill:cs:2512.00001v1"
    assert [event.position for event in announced("cs", turned(harvest, a_page(2, token="t")), a_page(2))] == [2, 3]


@pytest.mark.parametrize(("version", "day"), [(1, DATES.created), (2, DATES.updated)])
def test_a_version_bears_its_own_day(version: int, day: date) -> None:
    assert submitted(a_paper(version=version), DATES) == day


@pytest.mark.parametrize("days", [{"since": None}, {"until": None}, {"since": LAST, "until": FIRST}])
def test_a_backfill_without_a_range_of_days_fails(days: dict[str, date | None]) -> None:
    with pytest.raises(OrderFailed, match="first and a last day"):
        begun(an_order(**days))


def test_every_order_has_a_key_of_its_own() -> None:
    names = ["a", "a.b", "a:b", "a-b", "a..b", ".a", "a."]
    keys = {key_of("harvest", name) for name in names}

    assert len(keys) == len(names)
    assert not any(".." in key or key.endswith(".") for key in keys)


def test_a_finished_harvest_asks_for_nothing_more() -> None:
    harvest = Harvest(since=FIRST, until=LAST, form="arXiv", reached=LAST)

    assert harvest.finished
