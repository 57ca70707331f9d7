"""The command `paperwire`: exit codes, and errors that are one clear line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import cli
from cli.local.postgres import Postgres
from cli.local.serving import serving

COUNTS = {"announced": 3, "scored": 3, "selected": 2, "summarised": 2, "published": 2, "waiting": 0}
BATCH = {
    "batch": "arxiv:2025-12-10",
    "date": "2025-12-10",
    "reason": None,
    "dead_papers": 0,
    "dead_entries": 0,
    **COUNTS,
}


def paperwire(*arguments: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", *arguments]
    plain = {name: value for name, value in os.environ.items() if name not in ("CONTACT", "FEEDS_FILE", "PUBLIC_URL")}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=plain | environment, cwd=folder
    )


def a_publisher(*batches: dict[str, Any], days: Sequence[dict[str, Any]] = ()) -> Starlette:
    async def answer(request: Request) -> Response:
        return JSONResponse({"complete": all(b["complete"] for b in batches), "batches": batches, "days": days})

    return Starlette(routes=[Route("/status.json", answer)])


async def ask_for_status(app: Starlette, *arguments: str) -> subprocess.CompletedProcess[str]:
    import asyncio

    async with serving(app) as url:
        return await asyncio.to_thread(paperwire, "status", "--url", url, *arguments)


def test_the_help_says_what_exit_codes_mean() -> None:
    done = paperwire("--help")

    assert done.returncode == 0
    assert "Exit codes" in done.stdout


@pytest.mark.parametrize("asked", ["version", "--version"])
def test_version_is_the_package_s(asked: str) -> None:
    done = paperwire(asked)

    assert (done.returncode, done.stdout) == (0, "0.1.0\n")


def test_ctrl_c_while_it_starts_is_silent(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(600)\n", "utf-8")
    assert interrupted("from cli.entry import main; main()", PYTHONPATH=str(tmp_path)) == (130, "")


def test_ctrl_c_before_a_command_has_begun_to_work_is_silent() -> None:
    program = "import cli.main, time; cli.main.app = lambda: (print('working', flush=True), time.sleep(600))"

    assert interrupted(f"{program}; cli.main.main()") == (130, "")


def interrupted(program: str, **environment: str) -> tuple[int, str]:
    """Exit code and standard error of a program that gets Ctrl-C when it has printed a line."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True, env=os.environ | environment
    ) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, said


def test_an_unknown_subject_is_one_line_that_names_the_known_ones() -> None:
    done = paperwire("events", "schema", "papers.eaten")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("paperwire: no message travels on 'papers.eaten'; there are papers.announced,")
    assert done.stderr.count("\n") == 1


def test_a_schema_is_printed_for_programs() -> None:
    assert json.loads(paperwire("events", "schema", "papers.published").stdout)["title"] == "PaperPublished"


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({"FEEDS_FILE": "feeds.toml"}, "CONTACT is missing"),
        ({"CONTACT": "a@example.org"}, "FEEDS_FILE is missing"),
        ({"CONTACT": "a@example.org", "FEEDS_FILE": "none.toml"}, "FEEDS_FILE: there is no file"),
    ],
)
def test_up_asks_for_what_it_needs(tmp_path: Path, environment: dict[str, str], asked: str) -> None:
    done = paperwire("up", folder=tmp_path, **environment)

    assert done.returncode == 78
    assert done.stderr.startswith(f"paperwire: {asked}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_status_without_a_publisher_says_who_does_not_answer() -> None:
    done = paperwire("status", "--url", "http://127.0.0.1:9")

    assert done.returncode == 1
    assert done.stderr.startswith("paperwire: http://127.0.0.1:9/status.json: ")


async def test_status_is_0_when_every_paper_is_accounted_for() -> None:
    done = await ask_for_status(a_publisher(BATCH | {"complete": True}))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].split() == ["arxiv:2025-12-10", "3", "3", "2", "2", "2", "0", "0", "complete"]


async def test_status_is_1_when_a_batch_is_incomplete() -> None:
    done = await ask_for_status(a_publisher(BATCH | {"complete": True}, BATCH | {"scored": 2, "complete": False}))

    assert done.returncode == 1
    assert [line.split()[-1] for line in done.stdout.splitlines()[1:]] == ["complete", "incomplete"]


FAILED = {"outcome": "failed", "reason": "unavailable: 503", "checked": "2025-12-11T06:05:00Z", "retry_at": None}


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ({"fetcher": FAILED}, "the reason: unavailable: 503"),
        ({"stale": "The database is away"}, "The database is away"),
    ],
)
async def test_status_is_1_when_something_may_hide_a_newer_announcement(trouble: dict[str, Any], says: str) -> None:
    async def answer(request: Request) -> Response:
        return JSONResponse({"complete": True, "batches": [BATCH | {"complete": True}]} | trouble)

    done = await ask_for_status(Starlette(routes=[Route("/status.json", answer)]))

    assert done.returncode == 1
    assert says in done.stdout


async def test_status_as_json_is_the_document() -> None:
    done = await ask_for_status(a_publisher(BATCH | {"complete": True}), "--json")

    assert json.loads(done.stdout)["batches"][0]["published"] == 2


async def test_status_counts_every_category_of_every_day_and_is_1_when_papers_are_missing() -> None:
    day = {"date": "2025-12-10", "complete": False, "reason": "arXiv lists more.", "source": "arxiv"}
    rows = [{"category": "cs.AI", "announced": 12, "seen": 9, "missing": 3, "late": 1, "stale": False}]
    weekend = {"date": "2025-12-13", "complete": True, "reason": "A weekend.", "categories": []}

    done = await ask_for_status(a_publisher(BATCH | {"complete": True}, days=[weekend, day | {"categories": rows}]))

    assert done.returncode == 1
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["2025-12-10", "cs.AI", "12", "9", "3", "1", "incomplete"] in lines
    assert "2025-12-13: A weekend." in done.stdout


async def test_status_of_another_program_is_refused() -> None:
    async def answer(request: Request) -> Response:
        return JSONResponse([])

    done = await ask_for_status(Starlette(routes=[Route("/status.json", answer)]))

    assert done.returncode == 1
    assert "is not Paperwire's" in done.stderr


@pytest.mark.parametrize("name", ["NATS_URL", "DATABASE_URL"])
def test_up_names_the_server_that_cannot_be_used(tmp_path: Path, nats_url: str, postgres: Postgres, name: str) -> None:
    """A closed port, and a wrong password."""
    feeds = str(Path(cli.__file__).parent / "data" / "feeds.toml")
    given = {"NATS_URL": nats_url, "DATABASE_URL": postgres.url}
    wrong = {"NATS_URL": "nats://127.0.0.1:9", "DATABASE_URL": postgres.url.replace("postgres:", "postgres:x")}

    done = paperwire(
        *("up", "--feeds", feeds, "--port", "0"),
        folder=tmp_path,
        **{"CONTACT": "a@example.org", **given, name: wrong[name]},
    )

    assert done.returncode == 1
    assert f"\npaperwire: {name}: " in f"\n{done.stderr}"
