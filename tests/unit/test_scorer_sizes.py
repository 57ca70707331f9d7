"""Papers that thousands of feeds match, in messages of a limited size."""

from __future__ import annotations

from services.scorer.sizes import fitted, parts
from shared.messages import Match, PaperScored, PaperSelected, Pick, Reason, Span
from tests.builders import BATCH, DAY, a_match, a_paper, a_scored

REASON = Reason(term="GPU", field="title", weight=1.5)


def matches(count: int) -> tuple[Match, ...]:
    return tuple(a_match(f"feed-{number:04}", score=1 + number % 3) for number in range(count))


def selected(count: int) -> PaperSelected:
    picks = (Pick(feed=f"feed-{n:04}", rank=1, candidates=9, score=1.5, reasons=(REASON,)) for n in range(count))
    return PaperSelected(paper_id="2512.08242", version=1, batch=BATCH, date=DAY, kind="new", picks=tuple(picks))


def size(message: PaperScored | PaperSelected) -> int:
    return len(message.model_dump_json().encode())


def test_a_paper_that_fits_stays_as_it_is() -> None:
    scored = a_scored(matches=matches(3))

    assert fitted(scored) is scored
    assert fitted(scored, size(scored)) is scored


def test_reasons_go_before_matches_do() -> None:
    scored = a_scored(matches=matches(100))

    found = fitted(scored, size(scored) - 1)

    assert [(match.feed, match.score) for match in found.matches] == [
        (match.feed, match.score) for match in scored.matches
    ]
    assert all(match.reasons == () for match in found.matches)


def test_of_too_many_matches_the_best_stay_in_their_order() -> None:
    bare = a_scored(matches=tuple(match.model_copy(update={"reasons": ()}) for match in matches(9)))

    found = fitted(bare, size(bare) - 1)

    assert [match.feed[-1] for match in found.matches] == [*"01234578"]  # 0, 3 and 6 score lowest
    assert size(found) <= size(bare) - 1


def test_a_paper_that_is_too_large_by_itself_has_no_matches() -> None:
    scored = a_scored(paper=a_paper(abstract="é" * 600), matches=matches(3))

    assert fitted(scored, 1_000).matches == ()


def test_a_selection_that_fits_is_one_message_with_the_key_it_always_had() -> None:
    [part] = parts(selected(3))

    assert part.key == f"selected:{BATCH}:2512.08242v1"


def test_a_selection_by_thousands_of_feeds_goes_in_parts_that_lose_and_double_nothing() -> None:
    whole = selected(500)

    divided = parts(whole, 10_000)

    assert all(size(part) <= 10_000 for part in divided)
    assert tuple(pick for part in divided for pick in part.picks) == whole.picks
    assert [part.key for part in divided[:2]] == [
        f"selected:{BATCH}:2512.08242v1",
        f"selected.2:{BATCH}:2512.08242v1",
    ]
    assert len({part.key for part in divided}) == len(divided)
    assert parts(whole, 10_000) == divided


def test_a_pick_that_is_too_large_by_itself_loses_its_places_and_no_other_pick() -> None:
    spans = tuple(Span(field="abstract", start=n, end=n + 1) for n in range(1_000))
    small, large = (Pick(feed=slug, rank=1, candidates=9, score=1.5, reasons=(REASON,)) for slug in ("small", "large"))
    large = large.model_copy(update={"reasons": (REASON.model_copy(update={"spans": spans}),)})

    divided = parts(selected(0).model_copy(update={"picks": (small, large)}), 2_000)

    picks = {pick.feed: pick for part in divided for pick in part.picks}
    assert picks == {"small": small, "large": large.model_copy(update={"reasons": (REASON,)})}
    assert all(size(part) <= 2_000 for part in divided)
