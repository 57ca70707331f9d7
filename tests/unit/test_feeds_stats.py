"""`paperwire feeds stats`: how selective each term is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.feeds import feeds_app
from services.scorer.days import Announcement, Outcome, judge
from services.scorer.scoring import Scorer
from services.scorer.selectivity import Selectivity, selectivity
from shared.feeds import FeedConfig, Term
from tests.builders import BATCH, DAY, a_paper, an_announcement

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "cli" / "data" / "feeds.toml"
RECORDED = ROOT / "tests" / "data" / "arxiv" / "rss" / "cs.AI+cs.CL+cs.DC+cs.LG.2025-12-10.xml"

TITLES = ("GPU and LLM", "GPU", "LLM", "A survey of GPUs", "Gardens")


def counted(feed: FeedConfig, titles: tuple[str, ...] = TITLES) -> Selectivity:
    papers = [a_paper(id=f"2512.{n:05d}", title=title, abstract="memory") for n, title in enumerate(titles)]
    announced = tuple(an_announcement(number, paper=paper) for number, paper in enumerate(papers))
    day = Announcement(BATCH, "arxiv", DAY, len(announced), announced)
    return selectivity(feed, Outcome(judge([day], [feed], Scorer([feed]))))


def test_a_term_is_counted_where_it_is_found_where_it_decides_and_where_it_was_taken() -> None:
    feed = FeedConfig(
        slug="gpu",
        title="",
        keywords=(Term("GPU", 2.0), Term("LLM"), Term("memory", 0.5), Term("FP8")),
        exclude=(Term("survey"),),
        min_score=1.75,
        max_papers=2,
    )

    found = counted(feed)

    assert (found.announced, found.looked_at, found.matched, found.taken) == (5, 5, 3, 2)
    rows = [(one.term, one.found, one.share, one.title, one.decides, one.taken) for one in found.terms]
    assert rows == [
        ("memory", 5, 1.0, 0, 1, 2),
        ("GPU", 3, 0.6, 3, 1, 2),
        ("LLM", 2, 0.4, 2, 1, 1),
        ("FP8", 0, 0.0, 0, 0, 0),
        ("survey", 1, 0.2, 1, 1, 0),
    ]


def test_only_papers_that_the_feed_looks_at_are_counted() -> None:
    feed = FeedConfig(slug="gpu", title="", keywords=(Term("GPU"),), categories=("math",))

    assert counted(feed).looked_at == 0
    assert [one.share for one in counted(feed).terms] == [0.0]


def run(*arguments: object) -> tuple[int, str, str]:
    environment = {"COLUMNS": "80", "DATABASE_URL": None}
    result = CliRunner().invoke(feeds_app, [str(argument) for argument in arguments], env=environment)
    return result.exit_code, result.stdout, result.stderr


def test_terms_that_were_never_found_are_named_below_the_table() -> None:
    code, output, _ = run("stats", EXAMPLE, RECORDED, "--feed", "agents-and-reasoning")

    lines = output.splitlines()
    assert code == 0
    assert lines[0] == "agents-and-reasoning: looks at 190 of 199 papers; 26 match, 20 are taken"
    assert any(line.startswith("never found: ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_all_feeds_are_counted_without_one_that_is_named() -> None:
    _, output, _ = run("stats", EXAMPLE, RECORDED, "--json")

    assert [one["feed"] for one in json.loads(output)] == ["efficient-llm", "agents-and-reasoning"]


@pytest.mark.parametrize("options", [(), ("--days", "3"), (RECORDED, "--feed", "none")])
def test_what_cannot_be_counted_is_told(options: tuple[object, ...]) -> None:
    code, output, errors = run("stats", EXAMPLE, *options)

    assert (code, output, len(errors.splitlines())) == (1, "", 1)
