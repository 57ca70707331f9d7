"""`paperwire demo` from end to end, as a person runs it, and however it ends."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import feedparser
import psutil
import pytest

from tests.waiting import eventually_sync

ANNOUNCED = 199  # papers in the recorded announcement
SECONDS = 30  # that one run may take, with warm caches, on two cores
MARK = "PAPERWIRE_TEST_MARK"

pytestmark = pytest.mark.timeout(300)


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running demo in a working folder, and the mark that its processes carry."""
    mark = uuid.uuid4().hex
    with (
        (folder / f"{mark}.txt").open("w+") as output,
        subprocess.Popen(
            [sys.executable, "-m", "cli.main", "demo", *arguments],
            stdout=output,
            stderr=output,
            text=True,
            cwd=folder,
            env={**os.environ, MARK: mark, "TMPDIR": str(folder)},
        ) as process,
    ):
        try:
            yield process, mark
        finally:
            process.kill()


def told(folder: Path, mark: str) -> str:
    return (folder / f"{mark}.txt").read_text()


def carrying(mark: str) -> list[psutil.Process]:
    """Every living process that inherited the mark."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    left = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                left.append(process)
    return left


@contextmanager
def passable() -> Iterator[Path]:
    """A temporary folder that a user other than root can pass through, as Postgres runs as one."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A working folder, which is also the demo's temporary folder."""
    with passable() as made:
        yield made


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    """The same for a run that several tests look at."""
    with passable() as made:
        yield made


@pytest.fixture(scope="module")
def files(module_folder: Path) -> Path:
    """What `demo --once --out` wrote."""
    folder = module_folder
    started = time.monotonic()
    with demo(folder, "--once", "--out", "out") as (process, mark):
        assert process.wait(120) == 0, told(folder, mark)
        assert time.monotonic() - started < SECONDS
        assert carrying(mark) == []
    assert list(folder.glob("paperwire-*")) == []
    return folder / "out"


@pytest.fixture(scope="module")
def status(files: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files / "status.json").read_text())
    return found


def test_the_whole_announcement_is_accounted_for(status: dict[str, Any]) -> None:
    (batch,) = status["batches"]

    assert status["complete"] is True
    assert (batch["batch"], batch["announced"], batch["scored"]) == ("arxiv:2025-12-10", ANNOUNCED, ANNOUNCED)
    assert batch["published"] == batch["selected"] > 0
    assert (batch["waiting"], batch["dead_papers"], batch["dead_entries"]) == (0, 0, 0)


def test_arxivs_bad_days_change_nothing_that_a_reader_sees(files: Path, folder: Path) -> None:
    faults = ("--fault", "429=0", "--fault", "cut", "--fault", "html")
    with demo(folder, "--once", "--out", "out", *faults) as (process, mark):
        assert process.wait(120) == 0, told(folder, mark)

    for name in ("efficient-llm.rss", "efficient-llm.atom", "agents-and-reasoning.json"):
        assert anywhere(folder / "out" / name) == anywhere(files / name)


def anywhere(path: Path) -> bytes:
    """The file without the port that the publisher happened to have."""
    return re.sub(rb"127[.]0[.]0[.]1:\d+", b"", path.read_bytes())


def test_every_feed_can_be_read_and_every_item_is_whole(files: Path, status: dict[str, Any]) -> None:
    found = [*files.glob("*.rss"), *files.glob("*.atom")]
    feeds = [feedparser.parse(path.read_bytes()) for path in found]
    entries = [entry for feed in feeds for entry in feed.entries]

    assert len(found) == 4
    assert not any(feed.bozo for feed in feeds)
    assert len(entries) == 2 * status["batches"][0]["published"]
    needed = {"title", "link", "id", "published", "summary"}
    assert not [entry.link for entry in entries if not all(entry.get(name) for name in needed)]


def test_all_forms_of_a_feed_hold_the_same_papers_in_the_same_order(files: Path) -> None:
    for rss in files.glob("*.rss"):
        links = [entry.link for entry in feedparser.parse(rss.read_bytes()).entries]
        atom = feedparser.parse(rss.with_suffix(".atom").read_bytes())
        as_json = json.loads(rss.with_suffix(".json").read_text())

        assert links
        assert [entry.link for entry in atom.entries] == links
        assert [item["url"] for item in as_json["items"]] == links


def test_pages_and_digests_are_written_too_with_the_files_they_need(files: Path) -> None:
    names = {path.name for path in files.iterdir()}
    page = (files / "index.html").read_text()

    assert {f"{path.stem}{suffix}" for path in files.glob("*.rss") for suffix in (".html", ".md")} <= names
    assert '="/static/' not in page
    assert all((files / name).is_file() for name in re.findall(r'="(static/[^"]+)"', page))


def test_ctrl_c_ends_a_serving_demo_in_order(folder: Path) -> None:
    with demo(folder) as (process, mark):
        eventually_sync(lambda: "Serving until Ctrl-C" in told(folder, mark), timeout=90)
        processes = family(process)

        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 0, told(folder, mark)
    assert living(processes) == []
    assert carrying(mark) == []
    assert list(folder.glob("paperwire-*")) == []


def test_a_termination_before_the_end_is_told_by_the_exit_code(folder: Path) -> None:
    with demo(folder, "--once") as (process, mark):
        eventually_sync(lambda: "starting" in told(folder, mark))

        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 128 + signal.SIGTERM
    assert "paperwire: ended by SIGTERM" in told(folder, mark)
    assert carrying(mark) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_demo_killed_at_any_moment_leaves_no_process_and_good_data(folder: Path, seed: int) -> None:
    moment = random.Random(seed).uniform(0.3, 6)
    with demo(folder, "--data", "data") as (process, mark):
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        processes = family(process)

        process.kill()
        process.wait()

    eventually_sync(lambda: living(processes) == [] and carrying(mark) == [], timeout=20)
    with demo(folder, "--data", "data", "--once", "--out", "out") as (process, mark):
        assert process.wait(90) == 0, told(folder, mark)
    batch = json.loads((folder / "out" / "status.json").read_text())["batches"][0]
    assert (batch["announced"], batch["complete"]) == (ANNOUNCED, True)


def test_two_demos_run_side_by_side_but_not_in_one_folder(folder: Path) -> None:
    with demo(folder, "--data", "one") as (first, first_mark):
        eventually_sync(lambda: (folder / "one" / "logs" / "nats.log").exists())

        with demo(folder, "--data", "one", "--once") as (process, mark):
            assert process.wait(30) == 1
            assert "is in use by another paperwire" in told(folder, mark)

        with demo(folder, "--data", "two", "--once") as (process, mark):
            assert process.wait(120) == 0, told(folder, mark)
        eventually_sync(lambda: "Serving until Ctrl-C" in told(folder, first_mark), timeout=60)
        first.send_signal(signal.SIGINT)
        assert first.wait(30) == 0
