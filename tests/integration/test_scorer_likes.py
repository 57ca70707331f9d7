"""The running scorer with papers that feeds like: from a file, and with a model that compares meanings."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.scorer.app import build
from services.scorer.settings import Settings
from shared.messages import PaperScored, Reason
from tests.builders import a_paper, an_announcement
from tests.llm_server import Answer, LlmServer, error
from tests.scorers import a_bus, scorers, some_of

LIBRARY = "@misc{g, title = {Dwarf galaxies}, abstract = {Dark matter halos and rotation curves of dwarf galaxies.}}"
GALAXIES = a_paper(id="2512.00001", title="Halos of dwarf galaxies", abstract="Rotation curves and dark matter.")
GARDENS = a_paper(id="2512.00002", title="Roses and tulips", abstract="What grows in gardens in spring.")
FEEDS = """\
[[feed]]
slug = "mine"
like = ["mine.bib"]
like_weight = 10.0
min_score = 2.0
"""


def a_feeds_file(folder: Path, feeds: str = FEEDS) -> Path:
    (folder / "mine.bib").write_text(LIBRARY, encoding="utf-8")
    file = folder / "feeds.toml"
    file.write_text(feeds, encoding="utf-8")
    return file


async def test_papers_like_those_of_a_library_are_matched_and_the_reason_says_so(nats_url: str, tmp_path: Path) -> None:
    async with scorers(nats_url, a_feeds_file(tmp_path)), a_bus(nats_url) as bus:
        await bus.publish(an_announcement(0, paper=GALAXIES), an_announcement(1, paper=GARDENS))
        scored = await some_of(bus, PaperScored, 2)

    alike, other = sorted(scored, key=lambda paper: paper.position)
    (match,) = alike.matches
    assert match.reasons == (Reason(term="Dwarf galaxies", field="like", weight=match.score),)
    assert 2.0 <= match.score <= 10.0
    assert other.matches == ()


@pytest.mark.parametrize("fault", [None, error(503, "busy")], ids=["there", "away"])
async def test_a_model_for_meanings_has_its_say_and_holds_nothing_up(
    nats_url: str, tmp_path: Path, fault: Answer | None
) -> None:
    async with LlmServer(rule=lambda _: fault) as llm:
        settings = Settings(
            nats_url=nats_url,
            probe_port=0,
            feeds_file=a_feeds_file(tmp_path),
            embedding_model="meaning",
            embedding_base_url=llm.url,
            embedding_timeout=5,
        )
        async with build(settings), a_bus(nats_url) as bus:
            await bus.publish(an_announcement(0, paper=GALAXIES))
            (scored,) = await some_of(bus, PaperScored)

    assert [match.feed for match in scored.matches] == ["mine"]
    assert len(llm.requests) >= 1
