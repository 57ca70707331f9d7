"""The table of `paperwire feeds check`."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from cli.feeds_table import table_of
from shared.feeds import load, parse

ROOT = Path(__file__).parents[2]
FEEDS = """\
[[feed]]
slug = "efficient-llm"
keywords = ["LLM"]

[[feed]]
slug = "mixture-of-experts"
categories = ["cs.AI", "cond-mat.dis-nn"]
require = ["LLM", "inference"]
any = [["quantization", "pruning", "distillation"], ["GPU", "TPU"]]
exclude = ["survey"]
like = ["2401.01234", "papers.bib"]
search = "abs:LLM"
max_per_category = 5
max_per_author = 2
seen = ["efficient-llm"]

[[feed]]
slug = "the-rest"
keywords = ["agent"]
seen = "all"
[feed.summary]
top = 0
"""


def printed(text: str, width: int) -> list[str]:
    """The lines of the table, without the frame round its cells."""
    console = Console(width=width, file=io.StringIO(), highlight=False)
    console.print(table_of(parse(text).feeds))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def column(number: int, lines: list[str]) -> list[str]:
    """What stands in the cells of a column, line by line."""
    rows = [line.split("│")[1:-1] for line in lines if line.startswith("│")]
    return [cell for row in rows if (cell := row[number].strip())]


def test_conditions_likes_caps_and_seen_feeds_are_shown() -> None:
    lines = printed(FEEDS, 120)

    conditions = ["all of 2", "any of 3", "any of 2", "like 2: +5", "a search", "none of 1"]
    assert column(2, lines) == ["1 term", "score 1+", *conditions, "score 1+", "1 term", "score 1+"]
    assert column(3, lines) == [
        "30",
        "30",
        "5 a category",
        "2 an author",
        "unseen in efficient-llm",
        "30",
        "unseen in 2 feeds",
    ]


def test_in_80_columns_slugs_and_numbers_stay_in_one_piece() -> None:
    lines = printed(FEEDS, 80)

    assert column(0, lines) == ["efficient-llm", "mixture-of-experts", "the-rest"]
    assert {"all of 2", "any of 3", "like 2: +5", "a search", "none of 1"} <= set(column(2, lines))
    assert all(len(line) <= 80 and line.endswith(tuple("┓┩┃│┘")) for line in lines)


def test_the_longest_slug_leaves_room_for_the_rest() -> None:
    slug = "-".join(["long"] * 12)

    lines = printed(FEEDS.replace("mixture-of-experts", slug), 80)

    assert slug in "".join(column(0, lines))
    assert all(line.endswith(tuple("┓┩┃│┘")) for line in lines)


def test_the_example_feeds_are_shown_in_80_columns() -> None:
    feeds = load(ROOT / "cli" / "data" / "feeds.toml").feeds
    console = Console(width=80, file=io.StringIO())

    with console.capture() as capture:
        console.print(table_of(feeds))

    assert "agents-and-reasoning" in capture.get()
    assert "structured" in capture.get()
