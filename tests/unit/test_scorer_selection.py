"""The best of a batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scorer.ranking import Before, name_of, number
from services.scorer.selection import Selection, select
from shared.feeds import FeedConfig, SummaryConfig
from shared.messages import PaperScored, SummaryKind
from tests.builders import BATCH, a_match, a_paper, a_scored

SECOND = f"{BATCH}.2"


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


def late(position: int, **points: float) -> PaperScored:
    """A straggler: a paper of the day's second batch."""
    return scored(position, **points).model_copy(update={"batch": SECOND})


def taken(selection: Selection) -> dict[str, list[str]]:
    """The papers that each feed took, in the order of their ranks."""
    picks = [(pick.feed, pick.rank, paper.paper_id) for paper in selection.selected for pick in paper.picks]
    return {feed: [paper for slug, _, paper in sorted(picks) if slug == feed] for feed, _, _ in picks}


def of_second(*, day: list[PaperScored], late: list[PaperScored], feeds: list[FeedConfig]) -> Selection:
    """What a supplement brings after the day's own batch."""
    before = Before(taken(select(day, feeds)))
    return select([*day, *late], feeds, batch=2, before=before)


def test_a_supplements_ranks_go_on_after_what_the_day_took_before() -> None:
    day = [scored(0, a=3), scored(1, a=2, b=1)]

    second = of_second(day=day, late=[late(5, a=9, b=9, c=9)], feeds=[a_feed("a"), a_feed("b"), a_feed("c")])

    [paper] = second.selected
    assert [(pick.feed, pick.rank, pick.candidates) for pick in paper.picks] == [("a", 3, 3), ("b", 2, 3), ("c", 1, 3)]


def test_a_straggler_is_taken_only_if_it_is_among_the_best_of_the_whole_day() -> None:
    day = [scored(0, gpu=3), scored(1, gpu=2), scored(2, gpu=1)]

    second = of_second(day=day, late=[late(7, gpu=2), late(8, gpu=2.5)], feeds=[a_feed(max_papers=2)])

    assert ranks(second) == {"2512.00008": 3}  # 2.5 points; those with 2 stand behind an equal of the day itself


def test_a_paper_that_the_day_left_out_does_not_come_with_a_supplement() -> None:
    day = [scored(0, gpu=3), scored(1, gpu=2)]
    before = Before({"gpu": ["2512.00000"]})

    second = select([*day, late(5, gpu=1)], [a_feed()], batch=2, before=before)

    assert ranks(second) == {"2512.00005": 2}


def test_a_new_version_of_a_paper_that_was_taken_is_not_taken_again() -> None:
    new = a_scored(0, paper=a_paper(id="2512.00000", version=2), batch=SECOND)

    assert of_second(day=[scored(0, gpu=3)], late=[new], feeds=[a_feed()]).selected == ()


def test_a_supplement_still_gets_its_summaries() -> None:
    before = Before({"gpu": [f"2511.{number:05}" for number in range(30)]})

    assert len(select([late(5, gpu=9)], [a_feed(summary=SummaryConfig(top=1))], before=before).requests) == 1


def of(position: int, score: float, *, authors: tuple[str, ...] = ("A B",), category: str = "cs.LG") -> PaperScored:
    paper = a_paper(id=f"2512.{position:05d}", authors=authors, categories=(category, "cs.AI"))
    return a_scored(position, paper=paper, matches=(a_match(score=score),))


def test_of_a_category_no_more_than_the_cap_are_taken_and_the_next_best_follow() -> None:
    papers = [of(0, 5), of(1, 4), of(2, 3, category="cs.CL"), of(3, 2), of(4, 1, category="cs.CL")]

    selection = select(papers, [a_feed(max_per_category=1, max_papers=3)])

    assert ranks(selection) == {"2512.00000": 1, "2512.00002": 2}


def test_of_an_author_no_more_than_the_cap_are_taken_however_the_name_is_written() -> None:
    names = ("Erich Kähler", "ERICH KAHLER", "E. Kähler", "Erich  Ka\u0308hler")
    papers = [of(place, 5 - place, authors=("X Y" + str(place), name)) for place, name in enumerate(names)]

    assert ranks(select(papers, [a_feed(max_per_author=1)])) == {"2512.00000": 1, "2512.00002": 2}


def test_papers_without_a_category_or_an_author_are_not_capped() -> None:
    papers = [a_scored(n, paper=a_paper(id=f"2512.{n:05d}", authors=(), categories=())) for n in range(3)]

    assert len(select(papers, [a_feed(max_per_category=1, max_per_author=1)]).selected) == 3


def test_what_a_named_feed_takes_is_left_out() -> None:
    papers = [scored(0, a=3, b=9), scored(1, a=2, b=8), scored(2, a=1, b=7)]

    selection = select(papers, [a_feed("a", max_papers=1), a_feed("b", seen=("a",)), a_feed("c", seen=("a", "b"))])

    assert ranks(selection, "a") == {"2512.00000": 1}
    assert ranks(selection, "b") == {"2512.00001": 1, "2512.00002": 2}


def test_what_a_named_feed_took_earlier_or_elsewhere_on_the_day_is_left_out() -> None:
    papers = [scored(place, b=5) for place in range(3)]
    before = Before(taken={"a": ["2512.00000"]}, elsewhere={"a": ["2512.00001"]})

    assert ranks(select(papers, [a_feed("a"), a_feed("b", seen=("a",))], before=before), "b") == {"2512.00002": 1}


any_points = st.dictionaries(st.sampled_from(("a", "b", "c")), st.sampled_from((1.0, 1.5, 2.0)))
any_names = st.lists(st.sampled_from(("Kähler", "kahler", "Noether", "Weyl")), max_size=2).map(tuple)


@st.composite
def any_days(draw: st.DrawFn) -> list[PaperScored]:
    """Papers of a day and of its supplement, of which some come in two versions."""
    papers = []
    for position in range(draw(st.integers(0, 12))):
        paper = a_paper(
            id=f"2512.{draw(st.integers(0, 9)):05d}",
            version=draw(st.sampled_from((1, 1, 1, 2))),
            authors=draw(any_names),
            categories=draw(st.sampled_from((("cs.LG",), ("cs.CL", "cs.LG"), ()))),
        )
        points = draw(any_points)
        matches = tuple(a_match(feed, score) for feed, score in points.items())
        batch = draw(st.sampled_from((BATCH, BATCH, SECOND)))
        papers.append(a_scored(position, paper=paper, matches=matches, batch=batch))
    return list({(paper.batch, paper.about): paper for paper in papers}.values())


any_caps = st.none() | st.integers(1, 2)


@st.composite
def any_feeds(draw: st.DrawFn) -> list[FeedConfig]:
    slugs = ("a", "b", "c")
    return [
        a_feed(
            slug,
            max_papers=draw(st.integers(1, 4)),
            max_per_category=draw(any_caps),
            max_per_author=draw(any_caps),
            seen=tuple(earlier for earlier in slugs[:place] if draw(st.booleans())),
        )
        for place, slug in enumerate(slugs)
    ]


def picked(selection: Selection, slug: str) -> list[tuple[int, str]]:
    return sorted((pick.rank, paper.about) for paper in selection.selected for pick in paper.picks if pick.feed == slug)


@given(any_days(), any_feeds(), st.randoms(use_true_random=False))
def test_whatever_the_feeds_say_the_order_of_the_papers_changes_nothing(
    papers: list[PaperScored], feeds: list[FeedConfig], random: Any
) -> None:
    shuffled = papers + papers[:3]
    random.shuffle(shuffled)

    assert select(shuffled, feeds) == select(papers, feeds)


@given(any_days(), any_feeds())
def test_a_further_feed_changes_the_picks_only_of_those_that_name_it(
    papers: list[PaperScored], feeds: list[FeedConfig]
) -> None:
    whole, *rest = select(papers, feeds), *(select(papers, [f for f in feeds if f.slug != gone]) for gone in "abc")

    for gone, without in zip("abc", rest, strict=True):
        for feed in feeds:
            named = {name for other in feeds if other.slug in feed.seen for name in (other.slug, *other.seen)}
            if feed.slug != gone and gone not in named:
                assert picked(without, feed.slug) == picked(whole, feed.slug)


@given(any_days(), any_feeds())
def test_caps_hold_and_ranks_have_no_holes_and_no_paper_is_taken_after_a_feed_that_was_named(
    papers: list[PaperScored], feeds: list[FeedConfig]
) -> None:
    by_id = {(paper.batch, paper.about): paper.paper for paper in papers}
    selection = select(papers, feeds)

    for feed in feeds:
        mine = [
            (pick.rank, by_id[paper.batch, paper.about])
            for paper in selection.selected
            for pick in paper.picks
            if pick.feed == feed.slug
        ]
        assert sorted(rank for rank, _ in mine) == list(range(1, len(mine) + 1))
        assert len(mine) == len({paper.id for _, paper in mine}) <= feed.max_papers
        firsts = Counter(paper.categories[0] for _, paper in mine if paper.categories)
        assert not feed.max_per_category or all(count <= feed.max_per_category for count in firsts.values())
        writers = Counter(name for _, paper in mine for name in {name_of(author) for author in paper.authors})
        assert not feed.max_per_author or all(count <= feed.max_per_author for count in writers.values())
        others = {about.partition("v")[0] for slug in feed.seen for _, about in picked(selection, slug)}
        assert others.isdisjoint(paper.id for _, paper in mine)


@given(any_days(), any_feeds())
def test_a_day_and_its_supplement_take_no_paper_twice_and_their_ranks_go_on(
    papers: list[PaperScored], feeds: list[FeedConfig]
) -> None:
    day = [paper for paper in papers if paper.batch == BATCH]
    first = select(day, feeds)
    second = select(papers, feeds, batch=2, before=Before(taken(first)))

    for feed in feeds:
        both = picked(first, feed.slug) + picked(second, feed.slug)
        assert [rank for rank, _ in both] == list(range(1, len(both) + 1))
        assert len({about.partition("v")[0] for _, about in both}) == len(both)
    best = select(papers, [replace(feed, seen=()) for feed in feeds])
    alone = select(papers, [replace(feed, seen=()) for feed in feeds], batch=2, before=Before(taken(first)))
    for feed in feeds:
        of_all = {about for _, about in picked(best, feed.slug)}
        assert {about for _, about in picked(alone, feed.slug)} <= of_all


def test_a_feed_that_thousands_of_papers_match_takes_the_best_of_all_of_them() -> None:
    papers = [scored(place, gpu=1 + place * 7919 % 3000) for place in range(3000)]
    new = a_scored(0, paper=a_paper(id="2512.00001", version=2), matches=(a_match("gpu", 9_000),))

    best = sorted(papers, key=lambda paper: -paper.matches[0].score)[:4]

    taken = ranks(select([*papers, new], [a_feed(max_papers=5)]))
    assert sorted(taken, key=lambda one: taken[one]) == ["2512.00001", *(paper.paper.id for paper in best)]


def test_a_batchs_name_tells_whether_it_is_a_supplement() -> None:
    names = ("arxiv:2025-12-10", "arxiv:2025-12-10.2", "arxiv:2025-12-10.13", "backfill:a.b", "biorxiv:2025-12-10")

    assert [number(name) for name in names] == [1, 2, 13, 1, 1]
