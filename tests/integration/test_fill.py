"""`paperwire feeds fill` on a real NATS and a real Postgres: what is sent, what stays, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner

from cli.feeds import feeds_app
from cli.orders import connected
from shared.messages import BatchClosed, Message, PaperSelected, Pick, SummaryRequested, TextRequested
from tests.archives import FIRST, SECOND, day, keep, paper, searched
from tests.builders import a_scored
from tests.conftest import run_apart
from tests.publishing import a_publisher, a_selected, a_summary

M = TypeVar("M", bound=Message)

FEEDS = """\
[[feed]]
slug = "other"
keywords = ["LLM"]
[[feed]]
slug = "gpu"
keywords = ["GPU", { term = "quantization", weight = 2.0 }]
max_papers = 2
[feed.summary]
top = 1
"""


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    path.write_text(FEEDS, encoding="utf-8")
    return path


@pytest.fixture
def archive(database_url: str) -> str:
    first = day(FIRST, paper(1, "A GPU"), paper(2, "Quantization"), paper(3, "Gardens"), paper(4, "GPUs again"))
    straggler = day(FIRST, paper(5, "GPU quantization"), supplement=2)
    second = day(SECOND, paper(6, "Gardens"), paper(2, "Quantization"))
    keep(database_url, [*first, *straggler, *second])
    return database_url


def fill(feeds: Path, *arguments: object, nats: str | None = None, database: str | None = None) -> tuple[int, str, str]:
    environment = {"COLUMNS": "80", "DATABASE_URL": database, "NATS_URL": nats, "FEEDS_FILE": str(feeds)}
    result = CliRunner().invoke(feeds_app, ["fill", *map(str, arguments)], env=environment)
    return result.exit_code, result.stdout, result.stderr


def sent(nats_url: str, message: type[M]) -> list[M]:
    """What is in the stream."""

    async def read() -> list[M]:
        async with connected(nats_url) as bus:
            return [received.event async for received in bus.read(message)]

    return run_apart(read)


async def entries(database_url: str) -> dict[str, tuple[str, int]]:
    """Day and rank of what readers see of the feed."""
    async with a_publisher(database_url, entry_deadline=0) as publisher:
        await publisher.store.reveal_due()
        shown = await publisher.library.latest("gpu", 10)
        return {entry.paper.id: (str(entry.date), entry.rank) for entry in shown}


def picks(nats_url: str) -> list[tuple[str, str, int, int]]:
    """Batch, id, rank and candidates of everything that was selected."""
    selected = sent(nats_url, PaperSelected)
    return [(one.batch, one.paper_id, pick.rank, pick.candidates) for one in selected for pick in one.picks]


def test_every_day_gives_its_best_and_the_straggler_comes_behind_them(feeds: Path, archive: str, nats_url: str) -> None:
    code, output, errors = fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)

    assert code == 0, errors
    assert output.splitlines()[-1] == "gpu: 3 papers filled from 3 announcements"
    assert picks(nats_url) == [
        ("fill:gpu:arxiv:2025-12-10", "2512.00001", 2, 4),
        ("fill:gpu:arxiv:2025-12-10", "2512.00002", 1, 4),
        ("fill:gpu:arxiv:2025-12-10.2", "2512.00005", 3, 5),
    ]
    assert [request.key for request in sent(nats_url, SummaryRequested)] == [
        "summary:2512.00002v1:structured:en",
        "summary:2512.00005v1:structured:en",
    ]
    assert sent(nats_url, BatchClosed) == []


def test_once_more_sends_nothing_new(feeds: Path, archive: str, nats_url: str) -> None:
    fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)
    first = picks(nats_url)
    before_it_is_stored = fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)
    assert picks(nats_url) == first

    keep(archive, sent(nats_url, PaperSelected))
    code, output, _ = fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)

    assert (before_it_is_stored[0], code) == (0, 0)
    assert output.splitlines()[-1] == "gpu: 0 papers filled from 3 announcements"
    assert picks(nats_url) == first


def test_what_the_feed_has_already_keeps_its_day_and_rank(feeds: Path, archive: str, nats_url: str) -> None:
    pick = Pick(feed="gpu", rank=7, candidates=9, score=0.5)
    keep(archive, [a_selected("2512.00002", pick, batch=f"arxiv:{SECOND}", date=SECOND)])

    fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)
    keep(archive, sent(nats_url, PaperSelected))

    assert run_apart(lambda: entries(archive))["2512.00002"] == ("2025-12-11", 7)
    assert "2512.00002" not in {paper_id for _, paper_id, _, _ in picks(nats_url)}


def test_an_entry_that_appeared_while_the_feed_was_filled_keeps_its_day_too(
    feeds: Path, archive: str, nats_url: str
) -> None:
    fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)
    pick = Pick(feed="gpu", rank=7, candidates=9, score=0.5)
    keep(archive, [a_selected("2512.00002", pick, batch=f"arxiv:{SECOND}", date=SECOND)])
    keep(archive, sent(nats_url, PaperSelected))

    assert run_apart(lambda: entries(archive))["2512.00002"] == ("2025-12-11", 7)


def test_no_account_is_kept_of_a_filling(feeds: Path, archive: str, nats_url: str) -> None:
    async def accounts() -> list[tuple[str, int, int]]:
        async with a_publisher(archive) as publisher:
            statuses = await publisher.library.statuses(14)
            return [(one.batch, one.announced, one.selected) for one in statuses]

    before = run_apart(accounts)
    fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)
    keep(archive, sent(nats_url, PaperSelected))

    assert run_apart(accounts) == before


def test_a_summary_that_was_made_is_not_asked_for_again(feeds: Path, archive: str, nats_url: str) -> None:
    keep(archive, [a_summary("2512.00002", made_by="extraction")])

    fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)

    assert [request.paper.id for request in sent(nats_url, SummaryRequested)] == ["2512.00005"]


def test_a_paper_that_was_replaced_since_is_summarised_as_it_is_now(feeds: Path, archive: str, nats_url: str) -> None:
    replaced = paper(2, "Quantization, revised", version=2)
    keep(archive, [a_scored(0, paper=replaced, batch=f"arxiv:{SECOND}", date=SECOND, kind="replace", matches=())])

    fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)

    assert "2512.00002v2" in {request.about for request in sent(nats_url, SummaryRequested)}
    assert "2512.00002v1" in {one.about for one in sent(nats_url, PaperSelected)}


def test_a_feed_of_full_texts_asks_for_the_texts(feeds: Path, archive: str, nats_url: str) -> None:
    feeds.write_text(f'{FEEDS}text = "full"\n', encoding="utf-8")

    fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)

    assert [text.about for text in sent(nats_url, TextRequested)] == ["2512.00002v1", "2512.00005v1"]
    assert sent(nats_url, SummaryRequested) == []


def test_what_a_search_found_is_looked_at_by_feeds_with_that_search_only(
    feeds: Path, archive: str, nats_url: str
) -> None:
    feeds.write_text(f'{FEEDS}[[feed]]\nslug = "lawns"\nsearch = "abs:lawn"\n', encoding="utf-8")
    keep(archive, searched(SECOND, "abs:lawn", paper(8, "A lawn on a GPU")))

    fill(feeds, "lawns", "--days", 2, nats=nats_url, database=archive)
    fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)

    found = [(batch, paper_id) for batch, paper_id, _, _ in picks(nats_url) if paper_id == "2512.00008"]
    assert found == [("fill:lawns:arxiv-search:2025-12-11", "2512.00008")]


@pytest.mark.parametrize("closed", [None, 5])
def test_a_day_that_is_under_way_is_left_out(feeds: Path, archive: str, nats_url: str, closed: int | None) -> None:
    third = SECOND.replace(day=12)
    keep(archive, [*day(third, paper(9, "GPU"), closed=closed), *day(third, supplement=2, closed=9)])

    code, _, errors = fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive)

    assert code == 0
    assert "arxiv:2025-12-12: left out, it is still under way" in errors
    assert "2512.00009" not in {paper_id for _, paper_id, _, _ in picks(nats_url)}


def test_only_looking_needs_no_nats_and_sends_nothing(feeds: Path, archive: str) -> None:
    code, output, _ = fill(feeds, "gpu", "--days", 2, "--dry-run", database=archive)

    assert code == 0
    assert output.splitlines()[-1] == "gpu: 3 papers would be filled from 3 announcements"
    assert max(map(len, output.splitlines())) <= 80


def test_without_a_number_of_days_it_is_what_the_archive_has_of_a_fortnight(feeds: Path, archive: str) -> None:
    code, output, _ = fill(feeds, "gpu", "--dry-run", database=archive)

    assert code == 0
    assert output.splitlines()[-1] == "gpu: 3 papers would be filled from 3 announcements"


def test_what_cannot_be_filled_is_refused_with_advice(feeds: Path, archive: str, nats_server: object) -> None:
    nats_url = str(nats_server.url)  # type: ignore[attr-defined]
    refusals = {
        "has no feed gpus; there is: other, gpu": fill(feeds, "gpus", nats=nats_url, database=archive),
        "NATS_URL is missing": fill(feeds, "gpu", database=archive),
        "set DATABASE_URL": fill(feeds, "gpu", nats=nats_url),
        "write --days 2 at most": fill(feeds, "gpu", "--days", 3, nats=nats_url, database=archive),
        "no streams of Paperwire": fill(feeds, "gpu", "--days", 2, nats=nats_url, database=archive),
    }

    for said, (code, output, errors) in refusals.items():
        assert said in errors
        assert (code, output) == (1, "")


def test_an_empty_archive_is_refused(feeds: Path, database_url: str) -> None:
    code, _, errors = fill(feeds, "gpu", "--dry-run", database=database_url)

    assert code == 1
    assert errors.startswith("the archive is empty")
