"""`paperwire feeds try --explain`: why a paper is in or out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.feeds import feeds_app
from services.scorer.explaining import Check, explain
from shared.feeds import FeedConfig, Term
from tests.builders import a_paper, an_announcement

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
EXAMPLE = ROOT / "cli" / "data" / "feeds.toml"
DAY = DATA / "arxiv" / "rss" / "cs.AI+cs.CL+cs.DC+cs.LG.2025-12-10.xml"
FOUR = [DATA / "arxiv" / "rss" / f"{category}.2025-12-10.xml" for category in ("cs.AI", "cs.CL", "cs.DC", "cs.LG")]
BOT = DATA / "feeds" / "arxiv_rss_bot.toml"

PAPER = a_paper(
    title="Chopper: a survey of GPUs",
    abstract="Training of LLMs needs memory.",
    authors=("Tri Dao", "Di Wu"),
    categories=("cs.DC", "cs.LG"),
)


def a_feed(**changes: Any) -> FeedConfig:
    return FeedConfig(**{"slug": "gpu", "title": "GPU", "keywords": (Term("GPU"), Term("LLM", 0.5))} | changes)


def failed(feed: FeedConfig, **changes: Any) -> list[tuple[str, str]]:
    checks: tuple[Check, ...] = explain(an_announcement(paper=PAPER, **changes), feed).checks
    return [(check.about, check.text) for check in checks if not check.passed]


def test_every_term_is_told_with_where_it_was_found_and_its_points() -> None:
    feed = a_feed(
        keywords=(Term("GPU"), Term("LLM", 0.5), Term("quantization", 2.0)),
        authors=(Term("Tri Dao", 3.0, ("authors",)),),
        exclude=(Term("tutorial"),),
    )

    found = explain(an_announcement(paper=PAPER), feed)

    terms = [(one.term, one.role, one.reason.field if one.reason else None) for one in found.findings]
    assert terms == [
        ("GPU", "keyword", "title"),
        ("LLM", "keyword", "abstract"),
        ("quantization", "keyword", None),
        ("Tri Dao", "author", "authors"),
        ("tutorial", "exclude", None),
    ]
    assert [one.reason.weight for one in found.findings if one.reason] == [1.5, 0.5, 3.0]
    assert (found.score, found.matches) == (5.0, True)


def test_a_paper_that_nothing_keeps_out_but_its_score_is_below_it() -> None:
    assert failed(a_feed(min_score=3.0)) == [("score", "score 2 is below min_score 3")]


def test_an_exclusion_keeps_its_paper_out_whatever_the_score() -> None:
    feed = a_feed(exclude=(Term("survey", places=("title",)),))

    assert failed(feed) == [("exclude", "excluded term 'survey' stands in the title")]
    assert explain(an_announcement(paper=PAPER), feed).score == 2.0


def test_conditions_are_told_term_by_term_and_group_by_group() -> None:
    feed = a_feed(
        require=(Term("memory"), Term("latency")),
        any_of=((Term("CUDA"), Term("training")), (Term("FP8"), Term("FP4"))),
    )

    assert failed(feed) == [
        ("require", "required term 'latency' not found"),
        ("any", "any of group 2: none found of: FP8, FP4"),
    ]


def test_kind_source_and_categories_that_the_feed_does_not_look_at_are_told() -> None:
    feed = a_feed(announce=("new",), categories=("math",), sources=("arxiv", "lab"))

    assert failed(feed, kind="cross") == [
        ("announce", "announced as cross; the feed takes new"),
        ("categories", "in cs.DC, cs.LG; the feed looks at math"),
    ]
    assert failed(a_feed(sources=("lab",))) == [("source", "from arxiv; the feed looks at lab")]


def test_a_whole_archive_is_a_category() -> None:
    assert failed(a_feed(categories=("cs",))) == []


def test_what_a_search_found_is_looked_at_by_feeds_with_that_search_only() -> None:
    assert failed(a_feed(search="abs:gpu", min_score=9.0), found_by=("abs:gpu",)) == []
    assert [about for about, _ in failed(a_feed(), found_by=("abs:gpu",))] == ["search"]
    wanting = a_feed(search="abs:gpu", require=(Term("latency"),))
    assert [about for about, _ in failed(wanting, found_by=("abs:gpu",))] == ["require"]


# ---- on the command line


def run(*arguments: object) -> tuple[int, str, str]:
    environment = {"COLUMNS": "80", "DATABASE_URL": None}
    result = CliRunner().invoke(feeds_app, [str(argument) for argument in arguments], env=environment)
    return result.exit_code, result.stdout, result.stderr


def answer(paper_id: str, feeds: Path, slug: str, *documents: Path) -> Any:
    code, output, errors = run("try", feeds, *documents, "--feed", slug, "--explain", paper_id, "--json")
    assert code == 0, errors
    (found,) = json.loads(output)
    return found


def test_a_taken_paper_has_its_rank() -> None:
    found = answer("2512.08524v1", EXAMPLE, "efficient-llm", DAY)

    assert found["taken"]
    assert found["why"] == "rank 2 with 5; of 23 that match 23 are taken."
    assert found["standing"]["needed"] is None


def test_a_paper_below_the_minimum_is_told_what_it_would_have_needed_on_a_full_day() -> None:
    found = answer("2512.08242", EXAMPLE, "agents-and-reasoning", DAY)

    assert not found["taken"]
    last = found["standing"]["last"]
    assert last > found["min_score"]
    assert found["standing"]["needed"] == {"score": last, "enough": True}
    assert found["why"].endswith(f"To get in on this day it needed at least {last:g}.")


def ranking(limit: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The bot's papers with their usual limit and with this one."""
    _, output, _ = run("try", BOT, *FOUR, "--feed", "arxiv-rss-bot", "--json")
    return json.loads(output), json.loads(output)[:limit]


def test_a_paper_that_there_was_no_room_for_has_its_place_and_the_score_to_pass(tmp_path: Path) -> None:
    everything, first = ranking(10)
    narrow = tmp_path / "feeds.toml"
    narrow.write_text(BOT.read_text(encoding="utf-8").replace("max_papers = 30", "max_papers = 10"), encoding="utf-8")

    found = answer(everything[12]["id"], narrow, "arxiv-rss-bot", *FOUR)

    place = found["standing"]
    assert (place["place"], place["taken"], place["kept_out_by"]) == (13, 10, "max_papers")
    assert place["last"] == first[-1]["score"]
    assert place["needed"] == {"score": place["last"], "enough": True}  # it stands before the last one in the day


def test_the_explanation_fits_a_terminal_and_begins_with_the_verdict() -> None:
    code, output, _ = run("try", EXAMPLE, DAY, "--feed", "efficient-llm", "--explain", "2512.08524")

    lines = output.splitlines()
    assert code == 0
    assert "In: rank 2 with 5; of 23 that match 23 are taken." in lines
    assert max(map(len, lines)) <= 80


def test_a_term_that_was_found_is_shown_in_its_words() -> None:
    _, output, _ = run("try", EXAMPLE, DAY, "--feed", "agents-and-reasoning", "--explain", "2512.08300")

    assert "title: rSIM: Incentivizing Reasoning" in " ".join(output.split())


def test_an_exclusion_is_shown_with_the_text_that_hit_it() -> None:
    code, output, _ = run("try", BOT, *FOUR, "--feed", "arxiv-rss-bot", "--explain", excluded(), "--json")
    (found,) = json.loads(output)

    terms = [term for term in found["terms"] if term["role"] == "exclude" and term["found"]]
    assert code == 0
    assert terms
    assert all(term["spans"] and term["points"] == 0 for term in terms)
    assert found["why"].startswith(f"excluded term '{terms[0]['term']}' stands in the ")


def excluded() -> str:
    """A paper of the day with `survey` in its title."""
    items = [item for file in FOUR for item in file.read_text(encoding="utf-8").split("<item>")[1:]]
    survey = next(item for item in items if "urvey" in item.partition("</title>")[0])
    return survey.partition("arxiv.org/abs/")[2].partition("<")[0]


def test_without_a_feed_all_feeds_are_explained() -> None:
    _, output, _ = run("try", EXAMPLE, DAY, "--explain", "2512.08524", "--json")

    assert [found["feed"] for found in json.loads(output)] == ["efficient-llm", "agents-and-reasoning"]


def test_a_paper_that_is_not_among_them_is_told_with_what_to_do() -> None:
    code, _, errors = run("try", EXAMPLE, DAY, "--feed", "efficient-llm", "--explain", "2401.00001")

    assert code == 1
    assert errors.startswith("2401.00001 is not among these 199 papers; ")


@pytest.mark.parametrize("options", [("--explain", "2512.08524", "--diff", EXAMPLE), ("--days", "3")])
def test_two_questions_at_once_are_refused(options: tuple[object, ...]) -> None:
    code, output, errors = run("try", EXAMPLE, DAY, *options)

    assert code > 0
    assert output == ""
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    "paper_id", ["arXiv:2512.08524", "https://arxiv.org/abs/2512.08524", "https://arxiv.org/pdf/2512.08524v2"]
)
def test_a_paper_can_be_named_by_the_address_of_its_page(paper_id: str) -> None:
    assert answer(paper_id, EXAMPLE, "efficient-llm", DAY)["id"] == "2512.08524"


def test_no_paper_is_named_by_nothing() -> None:
    assert run("try", EXAMPLE, DAY, "--explain", "")[0] == 1
