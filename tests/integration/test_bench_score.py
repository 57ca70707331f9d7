"""`paperwire bench score` measures real scorers beside its floors."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cli.bench.vocabulary import TERMS_PER_FEED, feeds_of, in_use, vocabulary
from cli.main import app


def test_every_number_of_feeds_has_its_rates_ratios_and_memory() -> None:
    told = CliRunner().invoke(app, ["bench", "score", "--papers", "10", "--rounds", "1", "--feeds", "1,20"])

    assert told.exit_code == 0, told.output
    for line in ("1 feed", "20 feeds", "naive loop", "bare automaton", "matching and scoring", "build", "memory"):
        assert line in told.output


@pytest.mark.parametrize("feeds", ["", "0", "1,", "many", "-3", "1,200000"])
def test_numbers_of_feeds_that_are_none_are_refused(feeds: str) -> None:
    told = CliRunner().invoke(app, ["bench", "score", "--feeds", feeds])

    assert told.exit_code == 2
    assert "write numbers from 1 to 100,000" in told.output


def test_vocabulary_and_feeds_are_the_same_in_every_run() -> None:
    terms = vocabulary(500)

    assert len(set(terms)) == 500
    assert terms == vocabulary(500)
    assert feeds_of(terms, 3, 1.0) == feeds_of(terms, 3, 1.0)
    assert len(in_use(feeds_of(terms, 1, 1.0))) == TERMS_PER_FEED
