from __future__ import annotations

from datetime import timedelta

import pytest

from services.fetcher.sources.arxiv_rss import Announcement, parse
from services.fetcher.split import Answer, halves, is_cut, join, merge
from shared.messages import Kind
from tests.announcements import ALL, announcing, recorded
from tests.builders import DAY


def part(*categories: str, papers: tuple[str | tuple[str, Kind], ...] = (), later: int = 0) -> Answer:
    announcement = announcing(*papers, day=DAY + timedelta(days=later))
    return Answer(categories, (f"{categories}".encode(),), announcement)


def papers(announcement: Announcement) -> list[tuple[str, str]]:
    return [(item.paper.versioned_id, item.kind) for item in announcement.items]


def test_an_answer_of_2000_rows_may_be_cut_off_and_one_of_1999_is_not() -> None:
    many = tuple(f"2512.{number:05d}v1" for number in range(1, 2_001))

    assert is_cut(announcing(*many))
    assert not is_cut(announcing(*many[1:]))


def test_rows_that_cannot_be_read_count_as_rows() -> None:
    full = announcing(*(f"2512.{number:05d}v1" for number in range(1, 2_000)))

    assert is_cut(Announcement(full.date, full.built, full.items, ("item 7: no guid",)))


def test_categories_are_halved_until_one_is_left() -> None:
    assert halves(("a", "b", "c")) == (("a",), ("b", "c"))
    assert halves(("a", "b")) == (("a",), ("b",))


def test_a_paper_of_two_parts_stands_where_it_came_first_and_new_is_stronger_than_cross() -> None:
    first = part("cs.AI", papers=(("2512.00001v1", "cross"), ("2512.00002v2", "replace-cross")))
    second = part("cs.CL", papers=(("2512.00003v1", "new"), ("2512.00002v2", "replace"), ("2512.00001v1", "new")))

    assert papers(join([first, second]).announcement) == [
        ("2512.00001v1", "new"),
        ("2512.00002v2", "replace"),
        ("2512.00003v1", "new"),
    ]


def test_a_part_that_still_shows_yesterday_is_left_out_and_named() -> None:
    answer = join([part("cs.AI", papers=("2512.00001v1",), later=-1), part("cs.CL", papers=("2512.00002v1",))])

    assert papers(answer.announcement) == [("2512.00002v1", "new")]
    assert (answer.behind, len(answer.documents)) == (("cs.AI",), 1)


def test_the_four_recorded_feeds_of_a_day_are_together_the_recorded_feed_of_all_four() -> None:
    singles = [parse(recorded(f"{category}.2025-12-10.xml")) for category in ALL.split("+")]
    whole = parse(recorded(f"{ALL}.2025-12-10.xml"))

    assert sorted(papers(merge(singles))) == sorted(papers(whole))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_newest_day_counts_in_whatever_order_the_parts_come(order: tuple[int, int]) -> None:
    parts = [part("a", later=-1), part("b", papers=("2512.00001v1",))]

    assert join([parts[number] for number in order]).announcement.date == DAY
