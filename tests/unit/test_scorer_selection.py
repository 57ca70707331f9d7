"""The best of a batch."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scorer.selection import Selection, select, taken
from services.scorer.supplement import number
from shared.feeds import FeedConfig, SummaryConfig
from shared.messages import PaperScored, SummaryKind
from tests.builders import a_match, a_paper, a_scored


def a_feed(slug: str = "gpu", **changes: Any) -> FeedConfig:
    return FeedConfig(**{"slug": slug, "title": slug} | changes)


def scored(position: int, **points: float) -> PaperScored:
    return a_scored(position, matches=tuple(a_match(feed, score) for feed, score in points.items()))


def ranks(selection: Selection, feed: str = "gpu") -> dict[str, int]:
    return {paper.paper_id: pick.rank for paper in selection.selected for pick in paper.picks if pick.feed == feed}


def test_the_best_come_first_and_equals_in_the_order_of_the_announcement() -> None:
    papers = [scored(2, gpu=1), scored(1, gpu=1), scored(3, gpu=5)]

    assert ranks(select(papers, [a_feed()])) == {"2512.00003": 1, "2512.00001": 2, "2512.00002": 3}


def test_a_feed_takes_at_most_what_it_says() -> None:
    papers = [scored(number, gpu=number + 1) for number in range(5)]

    assert ranks(select(papers, [a_feed(max_papers=2)])) == {"2512.00004": 1, "2512.00003": 2}


def test_papers_come_out_in_the_order_of_the_announcement_with_the_picks_of_all_feeds() -> None:
    papers = [scored(1, b=1), scored(0, a=1, b=9)]

    selected = select(papers, [a_feed("b"), a_feed("a")]).selected

    assert [(paper.paper_id, [(pick.feed, pick.rank) for pick in paper.picks]) for paper in selected] == [
        ("2512.00000", [("b", 1), ("a", 1)]),
        ("2512.00001", [("b", 2)]),
    ]


def test_only_the_best_wait_for_summaries() -> None:
    feed = a_feed(summary=SummaryConfig(top=1, languages=("en", "de")))

    selection = select([scored(0, gpu=1), scored(1, gpu=2)], [feed])

    assert {paper.paper_id: paper.picks[0].waits_for for paper in selection.selected} == {
        "2512.00000": (),
        "2512.00001": (SummaryKind(language="en"), SummaryKind(language="de")),
    }
    assert [(request.paper.id, request.language) for request in selection.requests] == [
        ("2512.00001", "en"),
        ("2512.00001", "de"),
    ]


def test_a_summary_is_asked_for_once_for_all_feeds_and_the_best_papers_first() -> None:
    papers = [scored(0, a=1, b=1), scored(1, a=9, b=9)]
    feeds = [a_feed("a"), a_feed("b", summary=SummaryConfig(languages=("de", "en")))]

    requests = select(papers, feeds).requests

    assert [(request.paper.id, request.language) for request in requests] == [
        ("2512.00001", "en"),
        ("2512.00001", "de"),
        ("2512.00000", "en"),
        ("2512.00000", "de"),
    ]


def test_every_pick_says_among_how_many_papers() -> None:
    papers = [scored(0, gpu=1), a_scored(1, matches=())]

    assert select(papers, [a_feed()]).selected[0].picks[0].candidates == 2
    assert select(papers, [a_feed()], candidates=412).selected[0].picks[0].candidates == 412


def test_of_two_versions_of_a_paper_the_newer_is_taken() -> None:
    old = a_scored(0, paper=a_paper(version=1))
    new = a_scored(1, paper=a_paper(version=2))

    assert [paper.version for paper in select([new, old], [a_feed()]).selected] == [2]


def test_a_full_text_is_asked_for_instead_of_the_summary_and_wins_over_the_abstract() -> None:
    papers = [scored(0, a=1, b=1), scored(1, a=9)]
    feeds = [
        a_feed("a", summary=SummaryConfig(languages=("en", "de"))),
        a_feed("b", summary=SummaryConfig(languages=("en", "fr"), text="full")),
    ]

    selection = select(papers, feeds)

    assert [(text.paper.id, [kind.language for kind in text.summaries]) for text in selection.texts] == [
        ("2512.00000", ["en", "fr"])
    ]
    assert [(request.paper.id, request.language) for request in selection.requests] == [
        ("2512.00000", "de"),
        ("2512.00001", "en"),
        ("2512.00001", "de"),
    ]


def test_a_batch_without_papers_selects_nothing() -> None:
    assert select([], [a_feed()]) == Selection((), ())


def test_a_match_of_a_feed_that_is_gone_is_passed_over() -> None:
    assert select([scored(0, gone=1)], [a_feed()]) == Selection((), ())


points = st.dictionaries(st.sampled_from(("a", "b", "c")), st.sampled_from((1.0, 1.5, 2.0)))


@given(st.lists(points, max_size=8), st.randoms(use_true_random=False))
def test_order_and_repetition_of_the_papers_change_nothing(points: list[dict[str, float]], random: Any) -> None:
    papers = [scored(number, **found) for number, found in enumerate(points)]
    feeds = [a_feed(slug, max_papers=3, summary=SummaryConfig(top=2)) for slug in "abc"]
    shuffled = papers + papers[:2]
    random.shuffle(shuffled)

    assert select(shuffled, feeds) == select(papers, feeds)


def test_a_supplements_ranks_go_on_after_what_the_day_took_before() -> None:
    first = select([scored(0, a=3), scored(1, a=2, b=1)], [a_feed("a"), a_feed("b"), a_feed("c")])
    feeds = [a_feed("a", max_papers=1), a_feed("b"), a_feed("c")]

    second = select([scored(5, a=9, b=9, c=9), scored(6, a=1)], feeds, candidates=4, taken_before=taken([first]))

    assert taken([first]) == {"a": 2, "b": 1}
    assert [(pick.feed, pick.rank, pick.candidates) for pick in second.selected[0].picks] == [
        ("a", 3, 4),
        ("b", 2, 4),
        ("c", 1, 4),
    ]
    assert len(second.selected) == 1


def test_a_supplement_still_gets_its_summaries() -> None:
    selection = select([scored(5, gpu=9)], [a_feed(summary=SummaryConfig(top=1))], taken_before={"gpu": 30})

    assert len(selection.requests) == 1


def test_a_batchs_name_tells_whether_it_is_a_supplement() -> None:
    names = ("arxiv:2025-12-10", "arxiv:2025-12-10.2", "arxiv:2025-12-10.13", "backfill:a.b", "biorxiv:2025-12-10")

    assert [number(name) for name in names] == [1, 2, 13, 1, 1]
