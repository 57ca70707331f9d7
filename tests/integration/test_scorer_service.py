"""The scorer on a real NATS server: announced, scored, closed, selected."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import nats
import pytest

from cli.local.nats import Nats
from shared.messages import BatchClosed, PaperAnnounced, PaperScored, PaperSelected, SummaryRequested, TextRequested
from shared.provision import MAX_MESSAGE
from tests.builders import BATCH, a_closing, a_paper, an_announcement
from tests.scorers import FEEDS, a_bus, all_of, announce, announcements, places, scorers, some_of, supplement
from tests.waiting import eventually


@pytest.fixture
def feeds_file(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    path.write_text(FEEDS, encoding="utf-8")
    return path


async def test_every_paper_is_scored_and_the_best_of_the_batch_are_selected(nats_url: str, feeds_file: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file):
        await announce(bus, *announcements())

        selected = await some_of(bus, PaperSelected, 2)
        requests = await some_of(bus, SummaryRequested)

        scores = [[match.score for match in paper.matches] for paper in await all_of(bus, PaperScored)]
        assert scores == [[4.5], [], [1.5], [1.5]]
        picks = [(paper.paper_id, pick.rank, pick.candidates) for paper in selected for pick in paper.picks]
        assert picks == [("2512.00000", 1, 4), ("2512.00002", 2, 4)]
        assert [request.key for request in requests] == ["summary:2512.00000v1:structured:en"]


@pytest.fixture
def full_text_feeds(feeds_file: Path) -> Path:
    feeds_file.write_text(FEEDS + 'text = "full"\n', encoding="utf-8")
    return feeds_file


async def test_a_feed_of_full_texts_asks_for_the_text_instead(nats_url: str, full_text_feeds: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, full_text_feeds):
        await announce(bus, *announcements())

        [request] = await some_of(bus, TextRequested)
        assert request.key == "text:2512.00000v1:structured/en"
        assert await all_of(bus, SummaryRequested) == []


async def test_a_batch_that_closes_before_its_papers_are_scored_is_waited_for(nats_url: str, feeds_file: Path) -> None:
    first, *rest = announcements()
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file) as service:
        await bus.publish(a_closing(4))
        await bus.publish(*rest)
        await some_of(bus, PaperScored, 3)
        assert await all_of(bus, PaperSelected) == []

        await bus.publish(first)

        assert [paper.paper_id for paper in await some_of(bus, PaperSelected, 2)] == ["2512.00000", "2512.00002"]
        assert service.metrics.registry.get_sample_value("paperwire_selections_incomplete_total") == 0


async def intrude(
    url: str, data: bytes, subject: str = PaperAnnounced.SUBJECT, headers: dict[str, str] | None = None
) -> None:
    """Publish a message that nobody can read."""
    connection = await nats.connect(url)
    try:
        await connection.jetstream().publish(subject, data, headers=headers)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "body",
    [
        '{"batch": "%s", "paper": {"id": "2512.99999", "version": 1, "title": ""}}',
        '{"batch": "%s", "paper": null}',
    ],
)
async def test_a_paper_that_died_does_not_hold_up_its_day(nats_url: str, feeds_file: Path, body: str) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file):
        await intrude(nats_url, (body % BATCH).encode())
        await announce(bus, *announcements(), closed=5)

        selected = await some_of(bus, PaperSelected, 2)

        assert [paper.picks[0].candidates for paper in selected] == [5, 5]


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"{", b"[]", b'{"batch": 5}'])
async def test_a_dead_paper_without_a_readable_body_is_known_by_its_headers(
    nats_url: str, feeds_file: Path, body: bytes
) -> None:
    headers = {"ce-id": f"announced:{BATCH}:2512.99999v1", "ce-subject": "2512.99999v1"}
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file):
        await intrude(nats_url, body, headers=headers)
        await announce(bus, *announcements(), closed=5)

        assert len(await some_of(bus, PaperSelected, 2)) == 2


async def test_what_others_put_on_our_subjects_does_not_hold_up_a_day(nats_url: str, feeds_file: Path) -> None:
    first, *rest = announcements()
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file) as service:
        await intrude(nats_url, b"no score", PaperScored.SUBJECT)
        await intrude(nats_url, b"{}", f"dead.{PaperAnnounced.SUBJECT}", {"Dead-Attempts": "many"})
        await bus.publish(a_closing(4))
        await bus.publish(*rest)
        await eventually(lambda: service.metrics.registry.get_sample_value("paperwire_papers_scored_total") == 3)
        await bus.publish(first)

        assert len(await some_of(bus, PaperSelected, 2)) == 2


async def test_a_batch_whose_papers_never_come_does_not_hold_up_the_next(nats_url: str, feeds_file: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file):
        await bus.publish(a_closing(9, batch="x:2025-12-10"))
        await announce(bus, *announcements())

        assert len(await some_of(bus, PaperSelected, 2)) == 2


async def test_what_is_there_at_the_deadline_is_selected_and_the_gap_is_counted(
    nats_url: str, feeds_file: Path
) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file, deadline=0.3) as service:
        await announce(bus, *announcements(), closed=9)

        await some_of(bus, PaperSelected, 2)

        registry = service.metrics.registry
        assert registry.get_sample_value("paperwire_selections_incomplete_total") == 1
        await eventually(lambda: registry.get_sample_value("paperwire_selection_seconds_count") == 1)


async def test_a_batch_without_papers_selects_nothing(nats_url: str, feeds_file: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file) as service:
        await bus.publish(a_closing(0, reason="weekend", first_sequence=None))

        registry = service.metrics.registry
        await eventually(lambda: registry.get_sample_value("paperwire_selection_seconds_count") == 1)
        assert await all_of(bus, PaperSelected) == []


@pytest.fixture
def searching_feeds_file(feeds_file: Path) -> Path:
    searching = '\n[[feed]]\nslug = "gardens"\nsearch = "abs:garden"\nmin_score = 5.0\n'
    feeds_file.write_text(FEEDS + searching, encoding="utf-8")
    return feeds_file


async def test_what_a_search_found_is_selected_for_its_feed_only(nats_url: str, searching_feeds_file: Path) -> None:
    batch = "arxiv-search:2025-12-10"
    found = [paper.model_copy(update={"batch": batch, "found_by": ("abs:garden",)}) for paper in announcements()[:2]]
    async with a_bus(nats_url) as bus, scorers(nats_url, searching_feeds_file):
        first, *_ = await bus.publish(*found)
        await bus.publish(a_closing(2, batch=batch, source="arxiv-search", first_sequence=first))
        selected = await some_of(bus, PaperSelected, 2)

    picks = [
        (pick.feed, reason.field, reason.term) for paper in selected for pick in paper.picks for reason in pick.reasons
    ]
    assert picks == [("gardens", "search", "abs:garden")] * 2


async def test_another_batch_between_the_papers_of_a_batch_changes_nothing(nats_url: str, feeds_file: Path) -> None:
    other = an_announcement(0, paper=a_paper(id="2512.77777", title="Quantization, LLM"), batch="arxiv:2025-12-11")
    first, *rest = announcements()
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file):
        await announce(bus, first, other, *rest, closed=4)

        selected = await some_of(bus, PaperSelected, 2)

        assert [paper.paper_id for paper in selected] == ["2512.00000", "2512.00002"]


async def test_two_scorers_side_by_side_say_everything_once(nats_url: str, feeds_file: Path) -> None:
    papers = [an_announcement(number, paper=a_paper(id=f"2512.{number:05d}", title="LLM")) for number in range(500)]
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file, count=2):
        await announce(bus, *papers)
        await some_of(bus, PaperSelected, 2)
        await some_of(bus, SummaryRequested)

    async with a_bus(nats_url) as bus:
        scored = [paper.about for paper in await all_of(bus, PaperScored)]
        assert sorted(scored) == [paper.about for paper in papers]
        assert [paper.paper_id for paper in await all_of(bus, PaperSelected)] == ["2512.00000", "2512.00001"]
        assert len(await all_of(bus, SummaryRequested)) == 1


async def test_a_scorer_that_is_killed_while_it_waits_leaves_the_batch_to_another(
    nats_server: Nats, nats_url: str, feeds_file: Path
) -> None:
    first, *rest = announcements()
    async with a_bus(nats_url) as bus:
        async with scorers(nats_url, feeds_file):
            await bus.publish(a_closing(4))
            await bus.publish(*rest)
            await some_of(bus, PaperScored, 3)

        async with scorers(nats_url, feeds_file):
            await bus.publish(first)

            assert len(await some_of(bus, PaperSelected, 2)) == 2


async def test_announcing_again_changes_nothing(nats_url: str, feeds_file: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file) as service:
        await announce(bus, *announcements())
        before = await some_of(bus, PaperSelected, 2)

        await announce(bus, *announcements())
        await asyncio.gather(some_of(bus, BatchClosed), service.bus.measure())

        assert await all_of(bus, PaperSelected) == before
        assert len(await all_of(bus, PaperScored)) == 4


def every_word(count: int, prefix: str) -> tuple[list[str], str]:
    words = [f"{prefix}{number:04}" for number in range(count)]
    return words, " ".join(words)


async def test_a_paper_whose_reasons_fit_no_message_is_scored_without_them_and_selected_with_them(
    nats_url: str, tmp_path: Path
) -> None:
    words, text = every_word(60, "word")
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(f'[[feed]]\nslug = "words"\nkeywords = {json.dumps(words)}\n', encoding="utf-8")
    full = text + " x" * ((MAX_MESSAGE - 5_500) // 2)  # 60 reasons have no room beside it
    papers = [a_paper(id=f"2512.{n:05d}", abstract=full if n == 2 else words[1]) for n in range(5)]

    async with a_bus(nats_url) as bus, scorers(nats_url, feeds) as service:
        await announce(bus, *(an_announcement(number, paper=paper) for number, paper in enumerate(papers)))

        selected = await some_of(bus, PaperSelected, 5)
        scored = {paper.paper.id: paper for paper in await all_of(bus, PaperScored)}

        [match] = scored["2512.00002"].matches
        assert (match.feed, match.score, match.reasons) == ("words", 60.0, ())
        assert [len(paper.picks[0].reasons) for paper in selected] == [1, 1, 60, 1, 1]
        assert service.metrics.registry.get_sample_value("paperwire_papers_shortened_total") == 1


async def test_a_paper_that_thousands_of_feeds_match_is_stored_and_selected_for_all_of_them(
    nats_url: str, tmp_path: Path
) -> None:
    slugs = [f"feed-{number:04}" for number in range(6_000)]
    feeds = tmp_path / "feeds.toml"
    feeds.write_text("\n".join(f'[[feed]]\nslug = "{slug}"\nkeywords = ["LLM"]' for slug in slugs), encoding="utf-8")

    async with a_bus(nats_url) as bus, scorers(nats_url, feeds):
        await announce(bus, *announcements())
        await some_of(bus, SummaryRequested)
        selected = [paper for paper in await all_of(bus, PaperSelected) if paper.paper_id == "2512.00002"]
        scored = [paper for paper in await all_of(bus, PaperScored) if paper.paper.id == "2512.00002"]
        dead = [letter async for letter in bus.read_dead(PaperAnnounced)]

    assert len(scored) == 1
    assert 4_000 < len(scored[0].matches) < 6_000
    assert [pick.feed for paper in selected for pick in paper.picks] == slugs
    assert [paper.part for paper in selected] == list(range(1, len(selected) + 1))
    assert dead == []


async def test_what_cannot_be_read_among_the_scored_does_not_hold_back_a_selection(
    nats_url: str, feeds_file: Path
) -> None:
    async with a_bus(nats_url) as bus:
        await bus.publish(a_closing(4))
        await bus.js.publish("papers.scored", b"garbage")
        async with scorers(nats_url, feeds_file, count=2):
            await announce(bus, *announcements())

            assert len(await some_of(bus, PaperSelected, 2)) == 2
            assert [letter async for letter in bus.read_dead(BatchClosed)] == []


async def test_a_supplement_ranks_after_the_days_own_papers(nats_url: str, feeds_file: Path) -> None:
    async with a_bus(nats_url) as bus, scorers(nats_url, feeds_file):
        await announce(bus, *announcements())
        await supplement(bus, "Quantization of an LLM", "Flowers")

        selected = await some_of(bus, PaperSelected, 3)

    assert places(selected) == {"2512.00000": (1, 4), "2512.00002": (2, 4), "2512.00100": (3, 6)}


async def test_a_supplement_that_is_selected_first_ranks_the_same(nats_url: str, feeds_file: Path) -> None:
    """Two batches of a day that wait for scorers together, on three replicas."""
    async with a_bus(nats_url) as bus:
        await announce(bus, *announcements())
        await supplement(bus, "Quantization of an LLM", "Flowers")
        async with scorers(nats_url, feeds_file, count=3):
            selected = await some_of(bus, PaperSelected, 3)

    assert places(selected)["2512.00100"] == (3, 6)
