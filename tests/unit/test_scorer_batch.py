"""What a scorer remembers of what it has scored."""

from __future__ import annotations

from services.scorer.batch import MATCHES_PER_PAPER, Batch, Recent, without_matches
from shared.messages import Match, PaperScored, Reason
from tests.builders import BATCH, a_closing, a_match, a_scored

NOBODY, SOMEBODY = object(), object()


def matched(position: int, feeds: int = 1, batch: str = BATCH) -> PaperScored:
    return a_scored(position, matches=tuple(a_match(f"feed-{n}") for n in range(feeds)), batch=batch)


def test_matches_are_remembered_for_those_feeds_only_that_made_them() -> None:
    recent = Recent()
    recent.add([matched(0)], by=SOMEBODY)

    assert recent.judged(without_matches(matched(0)), by=SOMEBODY) == matched(0)
    assert recent.judged(matched(0), by=NOBODY) is None
    assert recent.judged(matched(1), by=SOMEBODY) is None


def test_who_scored_a_paper_last_counts() -> None:
    recent = Recent()
    recent.add([matched(0)], by=SOMEBODY)
    recent.add([matched(0, feeds=2)], by=NOBODY)

    assert recent.judged(matched(0), by=SOMEBODY) is None
    assert len(list(recent.of(matched(0).batch))) == 1


def test_the_oldest_batch_makes_room_for_a_new_one() -> None:
    recent = Recent(limit=3 * (MATCHES_PER_PAPER + 1))
    recent.add([matched(0, batch="a:1"), matched(1, batch="a:1"), matched(0, batch="b:1")])

    recent.add([matched(1, batch="b:1")])

    assert not recent.of("a:1")
    assert len(list(recent.of("b:1"))) == 2


def test_a_batch_with_more_matches_than_there_is_room_for_is_remembered_without_them() -> None:
    recent = Recent(limit=100)

    recent.add([matched(0, feeds=80), matched(1, feeds=80)], by=SOMEBODY)

    assert recent.judged(matched(0), by=SOMEBODY) == matched(0, feeds=80)
    assert recent.judged(matched(1), by=SOMEBODY) is None
    assert [paper.about for paper in recent.of(matched(0).batch)] == ["2512.00000v1", "2512.00001v1"]


def test_what_is_forgotten_makes_room() -> None:
    recent = Recent(limit=100)
    for _ in range(5):
        recent.add([matched(0, feeds=80)], by=SOMEBODY)
        assert recent.judged(matched(0), by=SOMEBODY)
        recent.forget(matched(0).batch)


def test_a_batch_keeps_all_its_papers_once_and_none_of_another() -> None:
    batch = Batch(a_closing(3))

    for paper in (matched(0), matched(1, feeds=0), matched(0), matched(2, batch="arxiv:2025-12-11")):
        batch.add(paper)

    assert list(batch.papers) == ["2512.00000v1", "2512.00001v1"]
    assert batch.missing == 1


def test_a_message_of_an_earlier_version_tells_by_its_reasons_which_searches_found_the_paper() -> None:
    reasons = (Reason(term="GPU", field="title", weight=1.5), Reason(term="abs:gpu", field="search", weight=1.0))
    old = a_scored(matches=(Match(feed="gpu", score=2.5, reasons=reasons),))

    assert without_matches(old).found_by == ("abs:gpu",)
    assert without_matches(old.model_copy(update={"found_by": ("all:gpu",)})).found_by == ("all:gpu",)
