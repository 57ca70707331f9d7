"""The feeds in use while their file changes."""

from __future__ import annotations

import logging
import os
import weakref
from pathlib import Path

import pytest

from services.scorer.judge import Judge, appoint
from services.scorer.reloading import Feeds
from shared.feeds import FeedConfig, FeedsError, Term
from shared.metrics import Metrics
from tests.builders import a_paper

FEED = """
[[feed]]
slug = "gpu"
keywords = ["GPU"]
"""
LLM = FEED.replace("gpu", "llm")
BROKEN = FEED + 'max_paper = 3\nmin_score = "high"\n'


class World:
    """A file, and the feeds made of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metrics = Metrics("test")
        self.judges: list[Judge] = []
        self.write(FEED)
        self.feeds = Feeds(path, self.metrics, changed=self.judges.append)

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")

    @property
    def slugs(self) -> list[str]:
        return [feed.slug for feed in self.feeds.judge.feeds]

    @property
    def ok(self) -> float | None:
        return self.metrics.registry.get_sample_value("paperwire_feeds_reload_ok")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "feeds.toml")


async def test_a_changed_file_is_taken_over(world: World) -> None:
    world.write(LLM)

    await world.feeds.look()

    assert world.slugs == ["llm"]
    assert [[feed.slug for feed in judge.feeds] for judge in world.judges] == [["gpu"], ["llm"]]
    assert world.ok == 1


async def test_a_file_that_says_the_same_is_not_compiled_again(world: World) -> None:
    judge = world.feeds.judge
    world.write(FEED)
    os.utime(world.path, (1, 1))

    await world.feeds.look()

    assert world.feeds.judge is judge


async def test_a_change_that_leaves_date_and_size_as_they_were_is_seen(world: World) -> None:
    before = world.path.stat()
    world.write(LLM)
    os.utime(world.path, ns=(before.st_atime_ns, before.st_mtime_ns))

    await world.feeds.look()

    assert world.slugs == ["llm"]


async def test_a_swapped_link_is_a_change(tmp_path: Path) -> None:
    for name, text in (("..1", FEED), ("..2", LLM)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "feeds.toml").write_text(text, encoding="utf-8")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "feeds.toml").symlink_to("..data/feeds.toml")
    feeds = Feeds(tmp_path / "feeds.toml", Metrics("test"), changed=lambda _: None)

    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    await feeds.look()

    assert [feed.slug for feed in feeds.judge.feeds] == ["llm"]


async def test_a_broken_file_keeps_the_old_feeds_and_tells_every_problem_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    judge = world.feeds.judge
    world.write(BROKEN)

    with caplog.at_level(logging.ERROR):
        await world.feeds.look()
        await world.feeds.look()

    assert world.feeds.judge is judge
    assert world.ok == 0
    told = [record.__dict__["problem"] for record in caplog.records]
    assert len(told) == 2
    assert [line.partition(": ")[0] for line in sorted(told)] == [f"{world.path}:5", f"{world.path}:6"]
    assert world.feeds.notes() == [f"the feeds in use are older than the file: {line}" for line in told]


@pytest.mark.parametrize("text", [FEED, LLM])
async def test_a_mended_file_clears_what_was_said(world: World, text: str) -> None:
    world.write(BROKEN)
    await world.feeds.look()

    world.write(text)
    await world.feeds.look()

    assert (world.ok, world.feeds.notes()) == (1, [])
    assert world.slugs == (["gpu"] if text is FEED else ["llm"])


async def test_a_file_that_went_away_changes_nothing_until_it_is_back(world: World) -> None:
    judge = world.feeds.judge
    world.path.unlink()
    await world.feeds.look()
    assert world.ok == 0
    assert "cannot be read" in world.feeds.notes()[0]

    world.write(FEED)
    await world.feeds.look()

    assert (world.ok, world.feeds.notes()) == (1, [])
    assert world.feeds.judge is judge


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[[feed]", b"", b"[" * 5000])
async def test_whatever_the_file_holds_the_feeds_in_use_stay(world: World, data: bytes) -> None:
    judge = world.feeds.judge
    world.path.write_bytes(data)

    await world.feeds.look()

    assert world.feeds.judge is judge
    assert world.ok == 0
    assert world.feeds.notes()


def test_a_file_that_is_wrong_from_the_start_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text(BROKEN, encoding="utf-8")

    with pytest.raises(FeedsError):
        Feeds(tmp_path / "feeds.toml", Metrics("test"), changed=lambda _: None)


def test_a_judge_that_nobody_uses_any_more_takes_its_feeds_along() -> None:
    """What is compiled is frozen for the cycle collector, so nothing in it may lie in a cycle."""
    judge = appoint((FeedConfig(slug="a", title="A", keywords=(Term("LLM"),)),))
    judge.scorer.matches(a_paper(title="LLMs"), "new")
    scorer = judge.scorer
    parts = [weakref.ref(part) for part in (scorer, scorer._gates, scorer._sieve, scorer._matcher)]

    del judge, scorer

    assert [part() for part in parts] == [None] * len(parts)
