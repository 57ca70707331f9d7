"""Every kind of mistake in a feed configuration, and the whole line that tells it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from shared.feeds import FeedsError, parse

DATA = Path(__file__).parents[1] / "data" / "feeds"
MISTAKES = tomllib.loads((DATA / "each_mistake.toml").read_text(encoding="utf-8"))["mistake"]


def feed(line: str) -> str:
    """A feed whose fourth line is the one under test."""
    return f'[[feed]]\nslug = "a"\nkeywords = ["LLM"]\n{line}\n'


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake["told"].strip()[:80] for mistake in MISTAKES])
def test_a_mistake_is_told_with_file_line_key_and_remedy(mistake: dict[str, str]) -> None:
    text = mistake["file"] if "file" in mistake else feed(mistake["line"])

    with pytest.raises(FeedsError) as error:
        parse(text)

    assert error.value.problems == (mistake["told"].strip(),)


TOO_MUCH = [
    (
        feed(f'search = "{"x" * 1001}"'),
        f'[a].search: "{"x" * 39}…" is longer than 1000 characters; make two feeds of it',
    ),
    (
        feed("max_papers = 0x" + "F" * 5000),
        "[a].max_papers: this number is out of range; write a number from 1 to 1000",
    ),
]


@pytest.mark.parametrize(("text", "told"), TOO_MUCH, ids=["search", "max_papers"])
def test_a_value_that_is_too_long_is_told_in_short(text: str, told: str) -> None:
    with pytest.raises(FeedsError) as error:
        parse(text)

    assert error.value.problems == (f"feeds.toml:4: feed{told}",)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"max_papers = 1{'0' * 5000}", "has a number of thousands of digits; write a smaller one"),
        ("x = " + "[" * 5000 + "]" * 5000, "is nested too deeply; write fewer brackets"),
    ],
)
def test_what_no_reader_can_take_in_is_no_toml(line: str, told: str) -> None:
    with pytest.raises(FeedsError) as error:
        parse(feed(line))

    assert error.value.problems == (f"feeds.toml:4: is not TOML: {told}",)


def test_all_mistakes_of_a_file_are_told_each_with_its_own_line() -> None:
    told = (DATA / "mistakes.txt").read_text(encoding="utf-8").splitlines()

    with pytest.raises(FeedsError) as error:
        parse((DATA / "mistakes.toml").read_text(encoding="utf-8"), "mistakes.toml")

    assert list(error.value.problems) == told
    assert len(told) > 100


def test_ten_thousand_mistakes_are_all_told() -> None:
    text = "".join(f'[[feed]]\nslug = "feed-{number}"\nkeywords = ["x"]\nseen = ["fed"]\n' for number in range(10_000))

    with pytest.raises(FeedsError) as error:
        parse(text)

    assert len(error.value.problems) == 10_000
    assert error.value.problems[-1].startswith("feeds.toml:40000: feed[feed-9999].seen[1]: ")
