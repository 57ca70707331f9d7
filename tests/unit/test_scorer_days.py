"""Past announcements held against feeds once more: as the running scorer chooses, and a feed filled from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.scorer.days import Announcement, Outcome, judge, with_seen
from services.scorer.filling import fill
from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig, SummaryConfig, Term
from tests.builders import a_paper, an_announcement

FIRST, SECOND = date(2025, 12, 10), date(2025, 12, 11)
GPU = FeedConfig(slug="gpu", title="", keywords=(Term("GPU"), Term("LLM")), max_papers=2)


def a_day(on: date, *titles: str, first: int = 0, supplement: int = 1, papers: int | None = None) -> Announcement:
    """An announcement of papers with these titles, numbered from `first`."""
    batch = f"arxiv:{on}" + (f".{supplement}" if supplement > 1 else "")
    announced = tuple(
        an_announcement(
            place, paper=a_paper(id=f"2512.{first + place:05d}", title=title, abstract=""), batch=batch, date=on
        )
        for place, title in enumerate(titles)
    )
    return Announcement(batch, "arxiv", on, len(titles) if papers is None else papers, announced)


def taken(days: list[Announcement], feed: FeedConfig = GPU) -> list[tuple[str, str, int, int]]:
    """Day, id, rank and candidates."""
    found = Outcome(judge(days, [feed], Scorer([feed]))).taken(feed.slug)
    return [(str(one.scored.date), one.scored.paper.id, one.pick.rank, one.pick.candidates) for one in found]


def test_each_announcement_gives_its_best_whatever_order_they_come_in() -> None:
    days = [a_day(FIRST, "LLM", "GPU LLM", "GPU"), a_day(SECOND, "Gardens", "GPU", first=10)]

    expected = [
        ("2025-12-10", "2512.00001", 1, 3),
        ("2025-12-10", "2512.00000", 2, 3),
        ("2025-12-11", "2512.00011", 1, 2),
    ]
    assert taken(days) == taken(days[::-1]) == expected


def test_a_supplement_counts_the_whole_day_and_comes_behind_it() -> None:
    days = [a_day(FIRST, "GPU LLM", first=10, supplement=2), a_day(FIRST, "LLM", "Gardens", papers=5)]

    assert taken(days) == [("2025-12-10", "2512.00000", 1, 5), ("2025-12-10", "2512.00010", 2, 6)]


def test_a_paper_of_two_days_stands_where_it_appeared_first() -> None:
    assert taken([a_day(FIRST, "GPU"), a_day(SECOND, "GPU")]) == [("2025-12-10", "2512.00000", 1, 1)]


def test_a_feed_comes_with_those_whose_choices_it_looks_at() -> None:
    feeds = [replace(GPU, slug="a"), replace(GPU, slug="b", seen=("a",)), replace(GPU, slug="c", seen=("b",)), GPU]

    assert [feed.slug for feed in with_seen(feeds[2], feeds)] == ["a", "b", "c"]
    assert [feed.slug for feed in with_seen(GPU, feeds)] == ["gpu"]


def test_what_a_feed_has_is_not_filled_and_changes_no_rank() -> None:
    feed = replace(GPU, summary=SummaryConfig(top=1))
    days = [a_day(FIRST, "LLM", "GPU LLM", "GPU")]
    newest = {paper.paper.id: paper.paper for paper in days[0].announced}

    (filled,) = fill(Outcome(judge(days, [feed], Scorer([feed]))), feed, newest, there={"2512.00001"}, answered=set())

    assert (filled.taken, [one.picks[0].rank for one in filled.selected], filled.requests) == (2, [2], ())
    assert filled.selected[0].batch == "fill:gpu:arxiv:2025-12-10"
