"""Every example in docs/feeds.md is read as it stands there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from cli.feeds import feeds_app
from shared.feeds import FeedConfig, FeedsError, parse
from shared.feeds_check import FEED_KEYS, SUMMARY_KEYS
from shared.messages import Style

PAGE = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def defaults() -> dict[str, str]:
    """The default of each key, as the tables tell it."""
    tables = PAGE.partition("## Every key")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", tables, re.MULTILINE))


@pytest.mark.parametrize("example", blocks("toml"))
def test_every_example_passes_the_check(example: str, tmp_path: Path) -> None:
    file = tmp_path / "feeds.toml"
    file.write_text(example, encoding="utf-8")

    result = CliRunner().invoke(feeds_app, ["check", str(file)])

    assert (result.exit_code, result.stderr) == (0, "")


def test_the_mistakes_are_told_as_the_page_says() -> None:
    mistaken, told = blocks("text")

    with pytest.raises(FeedsError) as error:
        parse(mistaken)

    assert list(error.value.problems) == told.splitlines()


def test_every_key_has_its_row() -> None:
    assert set(defaults()) == {*FEED_KEYS, *SUMMARY_KEYS} - {"summary"}


def test_the_defaults_are_those_of_the_program() -> None:
    plain = {"like_weight", "min_likeness", "min_score", "max_papers"}
    config = {field.name: field.default for field in fields(FeedConfig)}

    assert {key: defaults()[key] for key in plain} == {key: f"`{config[key]}`" for key in plain}


def test_every_link_inside_the_page_has_its_heading() -> None:
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## ([\w ]+)$", PAGE, re.MULTILINE)}

    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= headings


def test_the_styles_are_those_of_the_program() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `style` |"))
    told = set(re.findall(r"`(\w+)`", row.split("|")[3]))

    assert told == set(get_args(Style))
