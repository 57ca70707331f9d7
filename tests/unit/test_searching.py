"""What a feed's search brings on a day: what it has not found before, and no old papers the first time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from services.fetcher.searching import REMEMBERED, Findings, Plan
from services.fetcher.sources.arxiv_api import Dates, Item, Page
from tests.builders import DAY, a_paper

A, B = "abs:a", "abs:b"


def a_page(*ids: str, age: int = 0, total: int = 0) -> Page:
    """Papers submitted some days before the day."""
    submitted = datetime(2025, 12, 10, 15, tzinfo=UTC) - timedelta(days=age)
    items = tuple(Item(a_paper(id=identifier), "backfill") for identifier in ids)
    return Page(items, (Dates(submitted, submitted),) * len(items), total or len(items), 0, 200, ())


def found(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {event.paper.id: event.found_by for event in plan.papers}


def test_the_first_time_only_papers_of_the_last_week_are_new() -> None:
    findings = Findings(DAY, None)

    assert findings.add(A, a_page("1", age=7))
    assert not findings.add(A, a_page("2", age=8))
    assert found(findings.plan()) == {"1": (A,)}


def test_later_everything_is_new_that_the_search_has_not_found_before_however_late_it_appears() -> None:
    first = Findings(DAY, None)
    first.add(A, a_page("1"))
    first.add(A, a_page("2", age=30))
    second = Findings(DAY + timedelta(days=1), first.plan())

    assert second.add(A, a_page("3", "1"))
    assert second.add(A, a_page("held-back", age=40))
    assert not second.add(A, a_page("2", age=30))
    assert found(second.plan()) == {"3": (A,), "held-back": (A,)}


def test_a_paper_that_two_searches_find_goes_out_once_with_both() -> None:
    findings = Findings(DAY, None)
    findings.add(A, a_page("1", "2"))
    findings.add(B, a_page("2", "3"))
    plan = findings.plan()

    assert found(plan) == {"1": (A,), "2": (A, B), "3": (B,)}
    assert [(event.position, event.kind, event.batch) for event in plan.papers] == [
        (place, "new", "arxiv-search:2025-12-10") for place in range(3)
    ]


def test_a_new_version_is_not_found_anew() -> None:
    first = Findings(DAY, None)
    first.add(A, a_page("1"))
    second = Findings(DAY + timedelta(days=1), first.plan())
    paper = a_paper(id="1", version=2)
    page = a_page("1")

    assert not second.add(A, Page((Item(paper, "backfill"),), page.dates, 1, 0, 200, ()))


def test_a_search_that_failed_today_keeps_its_memory_and_a_memory_is_bounded() -> None:
    first = Findings(DAY, None)
    first.add(A, a_page("1"))
    first.add(B, a_page(*map(str, range(REMEMBERED + 1))))
    second = Findings(date(2025, 12, 11), first.plan())
    second.add(B, a_page("new"))
    plan = second.plan()

    assert plan.seen[A] == ("1",)
    assert len(plan.seen[B]) == REMEMBERED
    assert plan.seen[B][0] == "new"
