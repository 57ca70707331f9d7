"""Scorers whose feeds change while they work, on a real NATS server."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from pathlib import Path

import httpx
import pytest

from services.scorer.batch import Recent
from services.scorer.judge import Judge, appoint
from services.scorer.measures import Measures
from services.scorer.records import Record, Records
from services.scorer.selecting import Selector
from shared.bus import Bus, Received
from shared.errors import Unavailable
from shared.feeds import FeedConfig, Term
from shared.messages import BatchClosed, PaperAnnounced, PaperScored, PaperSelected, SummaryRequested
from shared.metrics import Metrics
from shared.provision import PAPERS, provision
from shared.service import Service
from tests.builders import BATCH, a_closing, a_paper, an_announcement
from tests.scorers import FEEDS, a_bus, all_of, announce, announcements, places, scorers, some_of, supplement
from tests.waiting import eventually

GARDENS = FEEDS.replace('"llm"', '"gardens"').replace('"LLM"', '"Gardens"').replace('"quantization"', '"An LLM"')
"""Gardens, and what is called "An LLM"."""


@pytest.fixture
def feeds_file(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    path.write_text(FEEDS, encoding="utf-8")
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def value(service: Service, name: str, **labels: str) -> float | None:
    return service.metrics.registry.get_sample_value(name, labels)


async def uses(service: Service, feed: str) -> None:
    """Wait until the scorer goes by the file that has this feed."""
    await eventually(lambda: value(service, "paperwire_papers_matched_total", feed=feed) is not None)


def picks(selected: list[PaperSelected]) -> list[tuple[str, str, int]]:
    return sorted((pick.feed, paper.paper_id, pick.rank) for paper in selected for pick in paper.picks)


BY_LLM = [("llm", "2512.00000", 1), ("llm", "2512.00002", 2)]
BY_GARDENS = [("gardens", "2512.00001", 2), ("gardens", "2512.00003", 1)]


async def test_feeds_that_change_within_a_batch_lose_and_double_nothing_and_the_new_ones_select(
    nats_url: str, feeds_file: Path
) -> None:
    papers = announcements()
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file) as service:
        await bus.publish(*papers[:2])
        await some_of(bus, PaperScored, 2)

        write(feeds_file, GARDENS)
        await uses(service, "gardens")
        await bus.publish(*papers[2:])
        await bus.publish(a_closing(4))

        selected = await some_of(bus, PaperSelected, 2)
        scored = await all_of(bus, PaperScored)
        assert [paper.paper.id for paper in scored] == [paper.paper.id for paper in papers]
        assert [[match.feed for match in paper.matches] for paper in scored] == [["llm"], [], [], ["gardens"]]
        assert picks(selected) == BY_GARDENS
        assert value(service, "paperwire_papers_matched_total", feed="llm") is None


async def readyz(service: Service) -> tuple[int, list[str]]:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{service.probe_port}/readyz")
        return answer.status_code, answer.json()["notes"]


async def test_a_broken_file_changes_nothing_but_is_told_until_it_is_mended(nats_url: str, feeds_file: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file) as service:
        write(feeds_file, GARDENS + "\n[[feed]]\nslug = 5\n")
        await eventually(lambda: value(service, "paperwire_feeds_reload_ok") == 0)
        await announce(bus, *announcements())

        assert picks(await some_of(bus, PaperSelected, 2)) == BY_LLM
        status, notes = await readyz(service)
        assert status == 200
        assert any(f"{feeds_file}:9: " in note for note in notes)

        write(feeds_file, GARDENS)
        await eventually(lambda: value(service, "paperwire_feeds_reload_ok") == 1)
        assert await readyz(service) == (200, [])


async def test_a_mounted_file_is_swapped_under_its_link(nats_url: str, tmp_path: Path) -> None:
    """As a ConfigMap is: `feeds.toml` -> `..data/feeds.toml`, and `..data` is put in its place by a rename."""
    for name, text in (("..2025_1", FEEDS), ("..2025_2", GARDENS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "feeds.toml").write_text(text, encoding="utf-8")
    (tmp_path / "..data").symlink_to("..2025_1")
    (tmp_path / "feeds.toml").symlink_to("..data/feeds.toml")
    async with a_bus(nats_url) as bus, scorers(nats_url, tmp_path / "feeds.toml") as service:
        (tmp_path / "..data_tmp").symlink_to("..2025_2")
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")
        await uses(service, "gardens")
        await announce(bus, *announcements())

        assert picks(await some_of(bus, PaperSelected, 2)) == BY_GARDENS


def unread(pipe: int) -> int:
    """How many bytes in it nobody has taken yet."""
    answer = fcntl.ioctl(pipe, termios.FIONREAD, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])


async def test_while_a_file_takes_long_to_read_scoring_goes_on(nats_url: str, feeds_file: Path, tmp_path: Path) -> None:
    slow, new = tmp_path / "slow", tmp_path / "new"
    os.mkfifo(slow)
    write(new, GARDENS)
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file) as service:
        writer = os.open(slow, os.O_RDWR)
        os.write(writer, GARDENS.encode()[:10])
        slow.replace(feeds_file)
        await eventually(lambda: unread(writer) == 0)
        await announce(bus, *announcements())

        assert picks(await some_of(bus, PaperSelected, 2)) == BY_LLM

        new.replace(feeds_file)
        os.write(writer, GARDENS.encode()[10:])
        os.close(writer)
        await uses(service, "gardens")


async def test_two_scorers_of_different_feeds_say_everything_once_and_one_of_them_selects(
    nats_url: str, feeds_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(GARDENS, encoding="utf-8")
    papers = announcements()
    more = [an_announcement(n, paper=a_paper(id=f"2512.{n:05}", title="On trees", abstract="")) for n in range(4, 900)]
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file), scorers(nats_url, other):
        await announce(bus, *papers, *more)
        await some_of(bus, SummaryRequested)
        await eventually(lambda: settled(bus))

        scored = [paper.about for paper in await all_of(bus, PaperScored)]
        assert sorted(scored) == [paper.about for paper in (*papers, *more)]
        assert picks(await all_of(bus, PaperSelected)) in (BY_LLM, BY_GARDENS)


async def settled(bus: Bus) -> bool:
    info = await bus.js.consumer_info(PAPERS, "selector")
    return (info.num_pending, info.num_ack_pending) == (0, 0)


async def again(url: str, bus: Bus) -> None:
    """Everything is delivered to the selectors once more."""
    await bus.js.delete_consumer(PAPERS, "selector")
    await provision(url)


async def test_a_selection_at_the_deadline_stays_what_it_was_with_all_papers_there_and_other_feeds(
    nats_url: str, feeds_file: Path
) -> None:
    first, *rest = announcements()
    async with a_bus(nats_url) as bus:
        async with scorers(nats_url, feeds_file, deadline=0.3):
            await announce(bus, *rest, closed=4)
            before = await some_of(bus, PaperSelected, 2)
            await eventually(lambda: settled(bus))
        await bus.publish(first)
        write(feeds_file, GARDENS)
        await again(nats_url, bus)

        async with scorers(nats_url, feeds_file):
            await some_of(bus, PaperScored, 4)
            await eventually(lambda: settled(bus))

        assert picks(await all_of(bus, PaperSelected)) == picks(before)


async def test_what_a_dead_selector_has_written_down_is_what_is_published(nats_url: str, feeds_file: Path) -> None:
    [_, second, *_] = announcements()
    decided = PaperSelected(
        paper_id=second.paper.id, version=1, batch=BATCH, date=second.date, kind="new", picks=()
    )  # by feeds that nobody has any longer
    async with a_bus(nats_url) as bus:
        await Records(bus).keep(BATCH, Record.of([decided]))
        async with scorers(nats_url, feeds_file):
            await announce(bus, *announcements())

            assert await some_of(bus, PaperSelected) == [decided]


async def test_the_first_record_of_a_batch_stays_and_is_what_everybody_reads(nats_url: str) -> None:
    one, other = (Record.of([a_text(text)]) for text in ("x" * 10, "y" * 10))
    async with a_bus(nats_url) as bus:
        records = Records(bus)
        name = "a b~c:2025-12-10.2*>%é"
        assert await records.read(name) is None

        kept = [await records.keep(name, record) for record in (one, other, one)]

        assert [record.data for record in kept] == [one.data] * 3
        found = await records.read(name)
        assert found is not None
        assert found.data == one.data
        assert await records.read("a b~c:2025-12-10.2*>%") is None


def a_text(text: str) -> PaperSelected:
    return PaperSelected(paper_id=text, version=1, batch=BATCH, date=a_closing().date, kind="new", picks=())


async def test_without_its_bucket_a_selection_is_held_not_lost(nats_url: str) -> None:
    async with a_bus(nats_url) as bus:
        await bus.js.delete_key_value("SELECTIONS")

        with pytest.raises(Unavailable, match="selections"):
            await Records(bus).read(BATCH)


async def test_a_supplement_goes_on_after_what_was_taken_although_the_feeds_have_changed(
    nats_url: str, feeds_file: Path
) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file) as service:
        await announce(bus, *announcements())
        await some_of(bus, PaperSelected, 2)
        write(feeds_file, FEEDS.replace('"LLM"', '"flowers"') + '[[feed]]\nslug = "x"\nkeywords = ["x"]\n')
        await uses(service, "x")
        await supplement(bus, "Quantization and flowers", "Trees")

        selected = await some_of(bus, PaperSelected, 3)

    assert places(selected) == {"2512.00000": (1, 4), "2512.00002": (2, 4), "2512.00100": (3, 6)}


async def test_a_straggler_that_is_not_among_the_best_of_its_day_is_not_taken(nats_url: str, feeds_file: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file):
        await announce(bus, *announcements())
        await supplement(bus, "An LLM", "Quantization")
        selected = await some_of(bus, PaperSelected, 3)
        await eventually(lambda: settled(bus))

        assert len(await all_of(bus, PaperSelected)) == 3
    assert places(selected)["2512.00101"] == (3, 6)


async def closes(bus: Bus, selector: Selector, judge: Judge, papers: list[PaperAnnounced], closed: BatchClosed) -> None:
    """These papers are scored and their batch is closed."""
    await bus.publish(*await judge.score_all(papers))
    await bus.publish(closed)
    await selector.choose(Received(closed, 0, 1, ""))


async def test_what_a_named_feed_took_of_the_announcement_is_left_out_of_what_a_search_finds(nats_url: str) -> None:
    words = (Term("LLM"), Term("quantization", 2.0))
    judge = appoint(
        (
            FeedConfig("llm", "LLM", keywords=words, max_papers=2),
            FeedConfig("searching", "Searching", search="abs:llm", seen=("llm",)),
        )
    )
    batch, source = "arxiv-search:2025-12-10", "arxiv-search"
    found = [paper.model_copy(update={"batch": batch, "found_by": ("abs:llm",)}) for paper in announcements()]
    async with a_bus(nats_url) as bus:
        selector = Selector(bus, lambda: judge, Recent(), Measures(Metrics("test")), deadline=10)
        await closes(bus, selector, judge, announcements(), a_closing(4))
        await closes(bus, selector, judge, found, a_closing(4, batch=batch, source=source))

        assert picks(await all_of(bus, PaperSelected)) == [
            *BY_LLM,
            ("searching", "2512.00001", 1),
            ("searching", "2512.00003", 2),
        ]


async def test_batches_without_papers_lead_to_nothing(nats_url: str, feeds_file: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file):
        await bus.publish(a_closing(0, reason="weekend", first_sequence=None))
        await some_of(bus, BatchClosed)
        await eventually(lambda: settled(bus))

        assert await all_of(bus, PaperSelected) == []
