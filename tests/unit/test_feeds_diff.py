"""`paperwire feeds try --diff`: what a change of the configuration changes, and how the program tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.feeds import feeds_app

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "cli" / "data" / "feeds.toml"
DAY = ROOT / "tests" / "data" / "arxiv" / "rss" / "cs.AI+cs.CL+cs.DC+cs.LG.2025-12-10.xml"

OLD = """\
[[feed]]
slug = "gpu"
keywords = ["GPU", "quantization"]
[[feed]]
slug = "old"
keywords = ["chain of thought"]
[[feed]]
slug = "same"
keywords = ["LoRA"]
"""
NEW = """\
[[feed]]
slug = "gpu"
keywords = ["GPU", { term = "quantization", weight = 3.0 }, { term = "latency", weight = 1.5 }]
exclude = ["WebGPU"]
min_score = 1.5
[[feed]]
slug = "same"
keywords = ["LoRA"]
[[feed]]
slug = "new"
keywords = ["tree search"]
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(OLD, encoding="utf-8")
    new.write_text(NEW, encoding="utf-8")
    return old, new


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(feeds_app, [str(argument) for argument in arguments], env={"COLUMNS": "80"})
    return result.exit_code, result.stdout, result.stderr


def changes(files: tuple[Path, Path], *options: object) -> dict[str, Any]:
    old, new = files
    code, output, errors = run("try", new, DAY, "--diff", old, "--json", *options)
    assert code == 1, errors
    return {change["feed"]: change for change in json.loads(output)}


def ids(feeds: Path, slug: str) -> set[str]:
    _, output, _ = run("try", feeds, DAY, "--feed", slug, "--json")
    return {row["id"] for row in json.loads(output)}


def test_what_enters_and_leaves_is_the_difference_of_the_two_feeds(files: tuple[Path, Path]) -> None:
    gpu = changes(files)["gpu"]

    was, now = ids(files[0], "gpu"), ids(files[1], "gpu")
    assert {row["id"] for row in gpu["entered"]} == now - was
    assert {row["id"] for row in gpu["left"]} == was - now
    assert now - was
    assert was - now


def test_whoever_leaves_is_told_why_and_whoever_enters_why_not_before(files: tuple[Path, Path]) -> None:
    gpu = changes(files)["gpu"]

    assert "score 1 is below min_score 1.5" in {row["is_out"] for row in gpu["left"]}
    assert {row["was_out"] for row in gpu["entered"]} == {"score 0 is below min_score 1; without latency"}


def test_whoever_moves_has_the_reasons_that_changed(files: tuple[Path, Path]) -> None:
    moved = {move["id"]: move for move in changes(files)["gpu"]["moved"]}

    move = moved["2512.08524"]
    assert move["score"] == {"before": 1.5, "after": 6.0}
    assert [(one["term"], one["weight"]) for one in move["gained"]] == [("quantization", 4.5), ("latency", 1.5)]
    assert [(one["term"], one["weight"]) for one in move["lost"]] == [("quantization", 1.5)]


def test_feeds_that_are_new_gone_or_the_same_are_told(files: tuple[Path, Path]) -> None:
    found = changes(files)

    states = {slug: change["state"] for slug, change in found.items()}
    assert states == {"gpu": "changed", "same": "same", "new": "new", "old": "gone"}
    assert {row["id"] for row in found["new"]["entered"]} == ids(files[1], "new")
    assert {row["id"] for row in found["old"]["left"]} == ids(files[0], "old")


def test_one_feed_can_be_compared_alone(files: tuple[Path, Path]) -> None:
    assert list(changes(files, "--feed", "gpu")) == ["gpu"]


def test_the_table_fits_a_terminal(files: tuple[Path, Path]) -> None:
    code, output, _ = run("try", files[1], DAY, "--diff", files[0])

    assert code == 1
    assert "same: the same" in output.splitlines()
    assert max(map(len, output.splitlines())) <= 80


def test_the_exit_code_is_that_of_diff(files: tuple[Path, Path], tmp_path: Path) -> None:
    assert run("try", EXAMPLE, DAY, "--diff", EXAMPLE)[0] == 0
    assert run("try", EXAMPLE, DAY, "--diff", tmp_path / "none.toml")[0] == 2
    assert run("try", EXAMPLE, DAY, "--feed", "none", "--diff", EXAMPLE)[0] == 2


def test_a_paper_that_another_feed_or_a_cap_keeps_out_is_told_so(tmp_path: Path) -> None:
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    feed = '[[feed]]\nslug = "first"\nkeywords = ["{}"]\n[[feed]]\nslug = "second"\nkeywords = ["LLM"]\n{}\n'
    old.write_text(feed.format("tree search", 'seen = "all"'), encoding="utf-8")
    new.write_text(feed.format("LLM", 'seen = "all"'), encoding="utf-8")
    left = changes((old, new), "--feed", "second")["second"]["left"]
    assert {row["is_out"] for row in left} == {"first took it, and this feed leaves that out"}

    new.write_text(feed.format("tree search", 'seen = "all"\nmax_per_category = 1'), encoding="utf-8")
    left = changes((old, new), "--feed", "second")["second"]["left"]
    assert {row["is_out"].partition(", ")[2] for row in left} == {
        "others are before it and its category or an author has enough"
    }


def test_papers_of_a_feed_that_is_new_or_gone_have_no_reason_but_that(files: tuple[Path, Path]) -> None:
    old, new = files
    _, output, _ = run("try", new, DAY, "--diff", old)
    assert "there is no such feed" not in " ".join(output.split())
