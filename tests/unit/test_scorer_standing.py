"""Where a paper stands among those of its day, under every limit that a feed can have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from services.scorer.days import Announcement, judge, with_seen
from services.scorer.scoring import Scorer
from services.scorer.standing import Needed, Standing, standing
from shared.feeds import FeedConfig, Term
from tests.builders import a_paper, an_announcement

DAY = date(2025, 12, 10)
TERMS = (Term("GPU", 2.0), Term("LLM"), Term("FP8", 0.5))


def a_feed(slug: str = "gpu", **changes: Any) -> FeedConfig:
    values: dict[str, Any] = {"slug": slug, "title": "", "keywords": TERMS, "max_papers": 2}
    return FeedConfig(**values | changes)


def a_day(*papers: tuple[str, str, str], supplement: int = 1) -> Announcement:
    """Papers of these titles, first categories and authors."""
    batch = f"arxiv:{DAY}" + (f".{supplement}" if supplement > 1 else "")
    announced = tuple(
        an_announcement(
            place,
            paper=a_paper(
                id=f"2512.{supplement}{place:04d}", title=title, abstract="", categories=(category,), authors=(author,)
            ),
            batch=batch,
        )
        for place, (title, category, author) in enumerate(papers)
    )
    return Announcement(batch, "arxiv", DAY, len(announced), announced)


def stand(days: Sequence[Announcement], paper: int, feed: FeedConfig, *others: FeedConfig) -> Standing:
    """The standing of the paper with this place in the last batch."""
    members = with_seen(feed, (*others, feed))
    one = days[-1].announced[paper]
    return standing(judge(days, members, Scorer(members)), one.batch, one.paper, feed, members)


FOUR = a_day(("GPU LLM", "cs.DC", "A"), ("LLM", "cs.LG", "B"), ("GPU", "cs.DC", "A"), ("FP8", "cs.LG", "B"))


def test_a_paper_that_was_taken_has_its_rank_and_needs_nothing() -> None:
    assert stand([FOUR], 2, a_feed()) == Standing(2, 2, 3, 2, 3.0, None, (), None)


def test_a_paper_behind_the_last_one_needs_to_pass_it_or_stand_before_it() -> None:
    feed = a_feed(max_papers=1)

    assert stand([FOUR], 2, feed) == Standing(None, 2, 3, 1, 4.5, "max_papers", (), Needed(4.5, False))
    assert stand([FOUR], 1, a_feed()) == Standing(None, 3, 3, 2, 3.0, "max_papers", (), Needed(3.0, True))


def test_a_paper_below_the_minimum_needs_that_as_long_as_there_is_room() -> None:
    assert stand([FOUR], 3, a_feed(max_papers=9)).needed == Needed(1.0, True)
    assert stand([FOUR], 3, a_feed()).needed == Needed(3.0, False)


def test_a_cap_is_named_with_the_score_to_pass_the_paper_that_has_the_place() -> None:
    by_category = stand([FOUR], 2, a_feed(max_per_category=1))
    by_author = stand([FOUR], 2, a_feed(max_per_author=1))

    assert (by_category.kept_out_by, by_category.needed) == ("max_per_category", Needed(4.5, False))
    assert (by_author.kept_out_by, by_author.needed) == ("max_per_author", Needed(4.5, False))


def test_the_feed_that_took_it_before_is_named_and_no_score_would_do() -> None:
    first = a_feed("first", max_papers=1)

    found = stand([FOUR], 0, a_feed(seen=("first",)), first)

    assert (found.kept_out_by, found.seen_in, found.needed) == ("seen", ("first",), None)


def test_a_straggler_stands_in_the_whole_day() -> None:
    late = a_day(("LLM FP8", "cs.LG", "C"), ("GPU LLM FP8", "cs.LG", "C"), supplement=2)

    assert stand([FOUR, late], 1, a_feed()).rank == 3
    found = stand([FOUR, late], 0, replace(a_feed(), max_papers=2))
    assert (found.place, found.matched, found.kept_out_by) == (4, 5, "max_papers")
