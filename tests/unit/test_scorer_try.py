"""`paperwire feeds check|try`, on recorded announcements."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.feeds import feeds_app

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
BOT = DATA / "feeds" / "arxiv_rss_bot.toml"
EXAMPLE = ROOT / "cli" / "data" / "feeds.toml"
DAY = DATA / "arxiv" / "rss" / "cs.AI+cs.CL+cs.DC+cs.LG.2025-12-10.xml"
FOUR = [DATA / "arxiv" / "rss" / f"{category}.2025-12-10.xml" for category in ("cs.AI", "cs.CL", "cs.DC", "cs.LG")]


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(feeds_app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})
    return result.exit_code, result.stdout, result.stderr


def test_the_bot_mode_gives_the_published_ranking_of_2025_12_10() -> None:
    published = json.loads((DATA / "seeds" / "ranked" / "2025-12-10.json").read_text(encoding="utf-8"))["papers"]

    _, output, _ = run("try", BOT, *FOUR, "--feed", "arxiv-rss-bot", "--json")

    ranking = [{key: row[key] for key in ("rank", "id", "score")} for row in json.loads(output)]
    assert len(ranking) == 30
    assert ranking == published


@pytest.mark.parametrize(("feed", "papers"), [("efficient-llm", 23), ("agents-and-reasoning", 20)])
def test_the_example_feeds_take_a_good_handful_of_a_day(feed: str, papers: int) -> None:
    code, output, _ = run("try", EXAMPLE, DAY, "--feed", feed)

    assert code == 0
    assert output.splitlines()[-1] == f"{feed} takes {papers} of 199 papers"


def test_a_ranking_tells_rank_paper_score_and_reasons() -> None:
    _, output, _ = run("try", EXAMPLE, DAY, "--feed", "efficient-llm", "--json", "--limit", 2)

    row = json.loads(output)[1]
    spans = [reason.pop("spans") for reason in row["reasons"]]
    found = next(span for span in spans[0] if span["field"] == "title")
    assert row["title"][found["start"] : found["end"]] == "Quantization"
    assert {span["field"] for found in spans for span in found} == {"title", "abstract"}
    assert row == {
        "rank": 2,
        "id": "2512.08524",
        "version": 1,
        "title": "Beyond Real Weights: Hypercomplex Representations for Stable Quantization",
        "kind": "cross",
        "date": "2025-12-10",
        "score": 5.0,
        "reasons": [
            {"term": "quantization", "field": "title", "weight": 3.0},
            {"term": "distillation", "field": "abstract", "weight": 1.0},
            {"term": "latency", "field": "abstract", "weight": 1.0},
        ],
    }


def kinds(feeds: Path, slug: str, *documents: Path) -> dict[str, str]:
    _, output, _ = run("try", feeds, *documents, "--feed", slug, "--json")
    return {row["id"]: row["kind"] for row in json.loads(output)}


def test_a_paper_that_is_new_in_any_document_is_new(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text('[[feed]]\nslug = "new"\nannounce = ["new"]\nkeywords = ["learning"]\nmax_papers = 1000\n')

    together = kinds(feeds, "new", *FOUR)

    assert together.items() >= kinds(feeds, "new", FOUR[3]).items()
    assert set(together.values()) == {"new"}


def test_a_good_configuration_is_shown() -> None:
    code, output, _ = run("check", EXAMPLE)

    assert code == 0
    assert "agents-and-reasoning" in output
    assert output.splitlines()[-1].endswith("feeds.toml: 2 feeds, no problems")


def test_a_bad_configuration_is_told_with_its_lines(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text('[[feed]]\nslug = "a"\nkeyword = ["LLM"]\n')

    code, _, errors = run("check", feeds)

    assert code == 1
    assert errors.splitlines() == [
        f'{feeds}:1: feed[a]: has nothing to look for, so it stays empty; write keywords = ["..."]',
        f"{feeds}:3: feed[a].keyword: there is no such key; write `keywords`",
    ]


def test_a_feed_that_is_not_there_is_told() -> None:
    assert run("try", EXAMPLE, DAY, "--feed", "efficient")[::2] == (
        1,
        f"{EXAMPLE}: has no feed efficient; there is: efficient-llm, agents-and-reasoning\n",
    )


def test_a_document_that_is_no_announcement_is_told() -> None:
    code, _, errors = run("try", EXAMPLE, EXAMPLE, "--feed", "efficient-llm")

    assert code == 1
    assert errors.startswith(f"{EXAMPLE}: is no announcement: ")


def test_a_document_that_is_not_there_is_told(tmp_path: Path) -> None:
    code, _, errors = run("try", EXAMPLE, tmp_path / "none.xml", "--feed", "efficient-llm")

    assert (code, errors) == (1, f"{tmp_path / 'none.xml'}: cannot be read: No such file or directory\n")


GENERAL = """
[[source]]
name = "lab"
type = "rss"
url = "https://lab.example.org/feed.xml"
[[feed]]
slug = "everything"
sources = ["lab"]
announce = ["new", "cross", "replace", "replace-cross", "backfill"]
keywords = ["the", "of", "a", "and", "in"]
max_papers = 1000
"""


@pytest.mark.parametrize(
    ("document", "papers"),
    [
        ("arxiv/api/q_testing_start10_max10.xml", 10),
        ("arxiv/oai/getrecord_arXiv_mixed_12.xml", 12),
        ("sources/biorxiv.page1.json", 3),
        ("sources/rss.wordpress.xml", 2),
    ],
)
def test_a_document_of_any_known_form_can_be_tried(tmp_path: Path, document: str, papers: int) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(GENERAL, encoding="utf-8")

    code, output, errors = run("try", feeds, DATA / document, "--feed", "everything", "--source", "lab")

    assert code == 0, errors
    takes, of = output.splitlines()[-1].removeprefix("everything takes ").removesuffix(" papers").split(" of ")
    assert int(of) == papers
    assert int(takes) > papers / 2


def test_announcements_of_several_days_are_tried_day_by_day() -> None:
    days = [DAY.with_name(DAY.name.replace("10.xml", f"{day:02}.xml")) for day in (9, 10)]

    _, output, _ = run("try", EXAMPLE, *days, "--feed", "efficient-llm", "--json", "--limit", 2)

    assert [(row["date"], row["rank"]) for row in json.loads(output)] == [
        ("2025-12-09", 1),
        ("2025-12-09", 2),
        ("2025-12-10", 1),
        ("2025-12-10", 2),
    ]


def test_without_a_feed_all_of_the_file_are_tried_shortly() -> None:
    _, output, _ = run("try", EXAMPLE, DAY)

    lines = output.splitlines()
    assert [line for line in lines if " takes " in line] == [
        "efficient-llm takes 23 of 199 papers",
        "agents-and-reasoning takes 20 of 199 papers",
    ]
    assert sum(line.lstrip()[:2] in ("1 ", "2 ", "3 ", "4 ", "5 ") for line in lines) == 10


def test_nothing_to_try_it_on_is_told_with_what_there_could_be() -> None:
    code, _, errors = run("try", EXAMPLE, "--feed", "efficient-llm")

    assert (code, errors.partition(":")[0]) == (1, "say what to try it on")


def test_a_title_is_no_command_to_the_terminal(tmp_path: Path) -> None:
    document = tmp_path / "day.xml"
    text = DAY.read_text(encoding="utf-8").replace("<title>Chopper:", "<title>[red]Chopper[/red]\u009b2J:")
    document.write_text(text, encoding="utf-8")

    _, output, _ = run("try", EXAMPLE, document, "--feed", "efficient-llm")

    assert "[red]Chopper[/red]" in output
    assert "\u009b" not in output


def test_a_search_that_recorded_documents_cannot_answer_is_told(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text('[[feed]]\nslug = "searched"\nsearch = "abs:gpu"\n[[feed]]\nslug = "b"\nkeywords = ["GPU"]\n')
    told = "recorded documents do not have what a search finds: searched\n"

    assert run("try", feeds, DAY)[2] == told
    assert run("try", feeds, DAY, "--feed", "b")[2] == ""
    assert run("stats", feeds, DAY, "--feed", "searched")[2] == told
    assert run("try", feeds, DAY, "--feed", "searched", "--explain", "2512.08524")[2] == told


def test_thousands_of_feeds_are_checked_and_only_the_first_shown(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text("".join(f'[[feed]]\nslug = "f{number}"\nkeywords = ["GPU"]\n' for number in range(1_600)))

    code, output, _ = run("check", feeds)

    assert code == 0
    assert output.splitlines()[-2:] == ["and 1,100 feeds more", f"{feeds}: 1,600 feeds, no problems"]


def test_letters_that_the_terminal_does_not_have_are_no_reason_to_stop() -> None:
    command = [sys.executable, "-c", "from cli.entry import main; main()", "feeds", "try", str(EXAMPLE), str(DAY)]
    ascii_only = {"PYTHONIOENCODING": "ascii", "PATH": "", "COLUMNS": "80"}
    done = subprocess.run(
        [*command, "--feed", "efficient-llm", "--explain", "2512.08524"], capture_output=True, cwd=ROOT, env=ascii_only
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"In: rank 2 with 5" in done.stdout
