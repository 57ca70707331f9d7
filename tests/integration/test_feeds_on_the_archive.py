"""`paperwire feeds try` and `feeds stats` on past days, with a real Postgres."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.feeds import feeds_app
from tests.archives import FIRST, SECOND, backfilled, day, keep, paper, searched

FEEDS = """\
[[feed]]
slug = "gpu"
keywords = ["GPU", { term = "quantization", weight = 2.0 }]
exclude = [{ term = "survey", in = "title" }]
max_papers = 2
[[feed]]
slug = "gardens"
search = "abs:garden"
"""


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    path.write_text(FEEDS, encoding="utf-8")
    return path


@pytest.fixture
def archive(database_url: str) -> str:
    first = day(FIRST, paper(1, "A GPU"), paper(2, "Quantization"), paper(3, "GPU survey"), paper(4, "GPUs again"))
    straggler = day(FIRST, paper(5, "GPU quantization"), supplement=2)
    second = day(SECOND, paper(6, "Gardens"), paper(7, "GPU"))
    found = searched(SECOND, "abs:garden", paper(8, "A garden"))
    ordered = backfilled(FIRST.replace(day=1), paper(9, "GPU of old"), paper(9, "GPU of old"))
    keep(database_url, [*first, *straggler, *second, *found, *ordered])
    return database_url


def run(*arguments: object, database: str | None = None) -> tuple[int, str, str]:
    environment = {"COLUMNS": "80", "DATABASE_URL": database}
    result = CliRunner().invoke(feeds_app, [str(argument) for argument in arguments], env=environment)
    return result.exit_code, result.stdout, result.stderr


def rows(*arguments: object, database: str) -> Any:
    code, output, errors = run(*arguments, "--json", database=database)
    assert code == 0, errors
    return json.loads(output)


def test_a_day_of_the_archive_is_ranked_as_it_was_its_supplement_behind_it(feeds: Path, archive: str) -> None:
    found = rows("try", feeds, "--feed", "gpu", "--date", FIRST, database=archive)

    assert [(row["rank"], row["id"], row["score"]) for row in found] == [
        (1, "2512.00002", 3.0),
        (2, "2512.00001", 1.5),
        (3, "2512.00005", 4.5),
    ]


def test_the_newest_days_are_tried_day_by_day(feeds: Path, archive: str) -> None:
    found = rows("try", feeds, "--days", 2, database=archive)

    assert [(row["date"], row["rank"], row["id"]) for row in found["gpu"]][3:] == [("2025-12-11", 1, "2512.00007")]
    assert [row["id"] for row in found["gardens"]] == ["2512.00008"]


def test_more_days_than_there_are_is_told_and_those_are_taken(feeds: Path, archive: str) -> None:
    code, _, errors = run("try", feeds, "--feed", "gpu", "--days", 14, database=archive)

    assert (code, errors) == (0, "the archive begins on 2025-12-10: 2 days, not 14\n")


def test_a_day_without_announcement_has_what_was_backfilled(feeds: Path, archive: str) -> None:
    found = rows("try", feeds, "--feed", "gpu", "--date", "2025-12-01", database=archive)

    assert [(row["id"], row["kind"]) for row in found] == [("2512.00009", "backfill")]


def test_a_day_that_is_not_there_is_told_with_the_days_that_are(feeds: Path, archive: str) -> None:
    code, _, errors = run("try", feeds, "--feed", "gpu", "--date", "2025-11-30", database=archive)

    assert code == 1
    assert errors == "the archive has no papers of 2025-11-30; it reaches from 2025-12-10 to 2025-12-11\n"


def test_an_empty_archive_is_told(feeds: Path, database_url: str) -> None:
    code, _, errors = run("try", feeds, "--days", 3, database=database_url)

    assert (code, errors.partition(":")[0]) == (1, "the archive is empty")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "--days needs the archive, which is the publisher's Postgres: set DATABASE_URL"),
        ("mysql://here", "DATABASE_URL: must start with postgresql://"),
        ("postgresql://127.0.0.1:1/none", "DATABASE_URL: Postgres does not answer"),
    ],
)
def test_an_archive_that_cannot_be_asked_is_told(feeds: Path, url: str | None, said: str) -> None:
    code, _, errors = run("try", feeds, "--days", 3, database=url)

    assert code == 1
    assert errors.startswith(said)


def explained(feeds: Path, paper_id: str, *options: object, database: str) -> Any:
    (answer,) = rows("try", feeds, "--feed", "gpu", "--explain", paper_id, *options, database=database)
    return answer


def test_a_paper_is_explained_on_the_day_that_brought_it(feeds: Path, archive: str) -> None:
    answer = explained(feeds, "2512.00004v1", database=archive)

    assert (answer["date"], answer["taken"], answer["standing"]["place"]) == ("2025-12-10", False, 3)
    assert answer["standing"]["kept_out_by"] == "max_papers"
    assert answer["why"].endswith("To get in on this day it needed more than 1.5.")


def test_a_paper_of_another_day_is_explained_all_the_same(feeds: Path, archive: str) -> None:
    assert explained(feeds, "2512.00001", "--date", SECOND, database=archive)["date"] == "2025-12-10"


def test_a_backfilled_paper_is_explained_without_a_day_to_compare_it_with(feeds: Path, archive: str) -> None:
    answer = explained(feeds, "2512.00009", database=archive)

    assert (answer["matches"], answer["taken"], answer["standing"]) == (True, False, None)


def test_a_paper_that_the_archive_does_not_know_is_told_with_what_to_do(feeds: Path, archive: str) -> None:
    code, _, errors = run("try", feeds, "--feed", "gpu", "--explain", "2512.99999", database=archive)

    assert code == 1
    assert "2512.99999 is not in the archive; `paperwire fetch 2512.99999`" in errors


def test_terms_are_counted_over_past_days(feeds: Path, archive: str) -> None:
    counts = rows("stats", feeds, "--feed", "gpu", "--days", 2, database=archive)[0]

    assert (counts["looked_at"], counts["matched"], counts["taken"]) == (7, 5, 4)
    gpu, quantization, survey = counts["terms"]
    assert (gpu["found"], gpu["title"], gpu["decides"], gpu["taken"]) == (5, 5, 3, 3)
    assert (quantization["found"], quantization["decides"]) == (2, 1)
    assert (survey["term"], survey["found"], survey["decides"]) == ("survey", 1, 1)
