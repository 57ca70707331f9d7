"""The points of a paper, the reasons for them, and what a feed does not look at."""

from __future__ import annotations

from typing import Any

import pytest

from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig, Term
from shared.messages import Kind, Match, Paper, Reason
from tests.builders import a_paper, an_announcement

PAPER = a_paper(title="Faster LLMs", abstract="LLMs need memory. A survey of memory.", authors=("Tri Dao", "Di Wu"))


def a_feed(*keywords: str | Term, **changes: Any) -> FeedConfig:
    terms = tuple(Term(keyword) if isinstance(keyword, str) else keyword for keyword in keywords)
    return FeedConfig(**{"slug": "a", "title": "A", "keywords": terms} | changes)


def match(feed: FeedConfig, paper: Paper = PAPER, kind: Kind = "new") -> Match | None:
    return next(iter(Scorer([feed]).matches(paper, kind)), None)


def points(feed: FeedConfig, paper: Paper = PAPER) -> list[tuple[str, str, float]]:
    found = match(feed, paper)
    return [(reason.term, reason.field, reason.weight) for reason in found.reasons] if found else []


def test_a_term_in_the_abstract_adds_its_weight_once() -> None:
    assert match(a_feed(Term("memory", 2.0))) == Match(
        feed="a", score=2.0, reasons=(Reason(term="memory", field="abstract", weight=2.0),)
    )


def test_a_term_in_the_title_adds_half_as_much_again() -> None:
    assert points(a_feed(Term("LLM", 2.0))) == [("LLM", "title", 3.0)]


def test_a_term_looked_for_in_titles_only_adds_half_as_much_again() -> None:
    assert points(a_feed(Term("LLM", 2.0, ("title",)))) == [("LLM", "title", 3.0)]


def test_a_term_looked_for_in_titles_only_is_not_found_in_the_abstract() -> None:
    assert match(a_feed(Term("memory", places=("title",)))) is None


def test_a_term_looked_for_in_abstracts_only_gets_nothing_for_the_title() -> None:
    assert points(a_feed(Term("LLM", places=("abstract",)))) == [("LLM", "abstract", 1.0)]


def test_a_term_looked_for_among_authors_is_part_of_a_name() -> None:
    assert points(a_feed(Term("Dao", places=("authors",)))) == [("Dao", "authors", 1.0)]


def test_a_term_looked_for_everywhere_counts_once_where_it_counts_most() -> None:
    paper = a_paper(title="On Dao", abstract="Dao.", authors=("Tri Dao",))

    assert points(a_feed(Term("Dao", places=("title", "abstract", "authors"))), paper) == [("Dao", "title", 1.5)]


def test_an_author_adds_points_by_the_full_name() -> None:
    assert points(a_feed(authors=(Term("Tri Dao", 3.0, ("authors",)),))) == [("Tri Dao", "authors", 3.0)]
    assert match(a_feed(authors=(Term("T. Dao", 3.0, ("authors",)),))) is None


def test_reasons_come_by_points_and_then_as_configured() -> None:
    feed = a_feed("survey", "memory", Term("need", 2.0), "LLM", min_score=0)

    assert points(feed) == [
        ("need", "abstract", 2.0),
        ("LLM", "title", 1.5),
        ("survey", "abstract", 1.0),
        ("memory", "abstract", 1.0),
    ]


def test_sums_are_as_written_not_as_computers_add() -> None:
    found = match(a_feed(Term("LLM", 0.1), Term("memory", 0.2), min_score=0.35))

    assert found is not None
    assert (found.score, found.reasons[1].weight) == (0.35, 0.15)


def test_a_feed_matches_from_its_least_score_on() -> None:
    assert match(a_feed("memory", min_score=1.0)) is not None
    assert match(a_feed("memory", min_score=1.1)) is None


@pytest.mark.parametrize("places", [("abstract",), ("title", "abstract")])
def test_an_excluded_term_keeps_the_paper_out(places: Any) -> None:
    assert match(a_feed("LLM", exclude=(Term("surveys", places=places),))) is None


def test_an_exclusion_counts_only_where_it_is_looked_for() -> None:
    assert match(a_feed("LLM", exclude=(Term("survey", places=("title",)),))) is not None


@pytest.mark.parametrize(("kind", "taken"), [("new", True), ("cross", True), ("replace", False), ("backfill", True)])
def test_a_feed_that_says_nothing_takes_papers_that_are_new_to_it(kind: Kind, taken: bool) -> None:
    assert (match(a_feed("LLM"), kind=kind) is not None) is taken


def test_a_feed_takes_only_the_kinds_it_names() -> None:
    assert match(a_feed("LLM", announce=("replace",))) is None
    assert match(a_feed("LLM", announce=("replace",)), kind="replace") is not None


@pytest.mark.parametrize(
    ("categories", "taken"), [((), True), (("cs.LG",), True), (("stat.ML", "cs.DC"), True), (("math.AG",), False)]
)
def test_a_paper_counts_by_any_of_its_categories(categories: tuple[str, ...], taken: bool) -> None:
    paper = a_paper(title="LLMs", categories=("cs.DC", "cs.LG"))

    assert (match(a_feed("LLM", categories=categories), paper) is not None) is taken


def test_an_archive_stands_for_all_its_categories() -> None:
    assert match(a_feed("LLM", categories=("cs",)), a_paper(title="LLMs", categories=("cs.DC",))) is not None


@pytest.mark.parametrize(
    ("sources", "source", "taken"),
    [
        (("arxiv",), "arxiv", True),
        (("arxiv",), "lab", False),
        (("lab",), "arxiv", False),
        (("arxiv", "lab"), "lab", True),
    ],
)
def test_a_feed_looks_at_the_sources_it_lists(sources: tuple[str, ...], source: str, taken: bool) -> None:
    feed = a_feed("GPU", sources=sources)

    assert (match(feed, a_paper(source=source)) is not None) == taken


def test_categories_choose_among_arxivs_papers_only() -> None:
    feed = a_feed("GPU", sources=("arxiv", "lab"), categories=("hep-th",))

    assert match(feed) is None
    assert match(feed, a_paper(source="lab", categories=("neuroscience",)))


def test_matches_come_in_the_order_of_the_feeds() -> None:
    scorer = Scorer([a_feed("memory", slug="b"), a_feed("hopper", slug="c"), a_feed("LLM", slug="a")])

    assert [match.feed for match in scorer.matches(PAPER, "new")] == ["b", "a"]


def test_a_scored_paper_is_the_announced_one_with_its_matches() -> None:
    announced = an_announcement(7, paper=PAPER, kind="cross", found_by=("abs:hopper",))

    scored = Scorer([a_feed("hopper")]).score(announced)

    assert scored.model_dump() == announced.model_dump() | {"matches": ()}


def bot(*keywords: str, **changes: Any) -> FeedConfig:
    return a_feed(*keywords, match="arxiv_rss_bot", announce=("new",), **changes)


def test_the_bot_mode_counts_parts_of_words() -> None:
    paper = a_paper(title="World models", abstract="A breakfast.")

    assert points(bot("RL", "Fast"), paper) == [("RL", "title", 1.5), ("Fast", "abstract", 1.0)]


def test_the_bot_mode_counts_a_keyword_twice_that_is_written_twice() -> None:
    found = match(bot("LLM", "llm"))

    assert found is not None
    assert found.score == 3.0


def test_the_bot_mode_reads_only_the_first_line_of_the_abstract() -> None:
    assert match(bot("memory"), a_paper(abstract="First.\nmemory")) is None


def test_the_bot_mode_drops_a_paper_with_an_excluded_part_of_a_word() -> None:
    assert match(bot("LLM", exclude=(Term("urve"),))) is None


def test_the_bot_mode_takes_new_papers_only() -> None:
    assert match(bot("LLM"), kind="cross") is None


SEARCH = "abs:pruning"


def found(*feeds: FeedConfig, paper: Paper = PAPER, searches: tuple[str, ...] = (SEARCH,)) -> list[Match]:
    announced = an_announcement(paper=paper, batch="arxiv-search:2025-12-10", found_by=searches)
    return list(Scorer(feeds).score(announced).matches)


def test_a_paper_that_the_search_found_is_taken_whatever_its_category_and_score() -> None:
    (match,) = found(a_feed(categories=("math.AG",), min_score=9.0, search=SEARCH))

    assert match.score == 1.0
    assert match.reasons == (Reason(term=SEARCH, field="search", weight=1.0),)


def test_the_terms_add_to_a_search() -> None:
    (match,) = found(a_feed("LLM", "memory", categories=("math.AG",), search=SEARCH))

    assert match.score == 3.5
    assert [reason.field for reason in match.reasons] == ["title", "abstract", "search"]


def test_only_feeds_with_the_search_look_at_what_it_found() -> None:
    assert found(a_feed("LLM"), a_feed("LLM", search="abs:other")) == []


def test_what_the_announcement_gives_the_feed_anyway_is_not_given_twice() -> None:
    assert found(a_feed("LLM", categories=("cs.DC",), search=SEARCH)) == []


def test_a_category_that_no_feed_reads_is_not_given_by_the_announcement() -> None:
    assert len(found(a_feed("LLM", search=SEARCH), a_feed("LLM", slug="b", categories=("math.AG",)))) == 1
    assert found(a_feed("LLM", search=SEARCH), a_feed("LLM", slug="b", categories=("cs.DC",))) == []


def test_an_excluded_word_keeps_out_what_the_search_found() -> None:
    assert found(a_feed(exclude=(Term("survey"),), search=SEARCH)) == []
