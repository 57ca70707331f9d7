"""Arguments that cannot be meant: said before anything is started, with exit code 2."""

from __future__ import annotations

import re

import pytest
import typer
from typer.testing import CliRunner

from cli import status
from cli.backfill import backfill_app
from cli.fetch import fetch_app
from cli.local.processes import LocalError

DAYS = ("--from", "2025-12-01", "--until", "2025-12-05")


def usage(app: typer.Typer, *arguments: str) -> str:
    """What a wrong usage is answered with, without the box around it."""
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "NATS_URL": "nats://127.0.0.1:9"})
    assert result.exit_code == 2, result.output
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|[│╭╮╰╯─]", "", result.output).split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say one of: ids of papers, --search QUERY, --now"),
        (("2512.08242", "--now"), "say one of: ids of papers, --search QUERY, --now"),
        (("--search", "  "), "--search: it is empty; write for example"),
        (("2512.08242", "--max", "3"), "--max: goes with --search only"),
        (("--search", "all:x", "--max", "0"), "'--max'"),
        (("abc", ""), "no arXiv id: 'abc', ''; ids look like 2512.08242"),
        (("../../etc/passwd",), "no arXiv id: '../../etc/passwd'"),
        (("--from", "a.xml"), "write --from FILE… --dry-run"),
        (("--dry-run",), "write --from FILE… --dry-run"),
        (("--from", "a.xml", "--dry-run", "--now"), "--now, --search and --max ask the fetcher"),
        (("--from", "a.xml", "--dry-run", "--search", "x"), "--now, --search and --max ask the fetcher"),
    ],
)
def test_a_mistake_in_a_fetch_is_told(arguments: tuple[str, ...], told: str) -> None:
    assert told in usage(fetch_app, *arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Missing option '--from'"),
        (("--from", "2025-12-05", "--until", "2025-12-01"), "--from: 2025-12-05 is after 2025-12-01"),
        (("--from", "2025-12-01", "--until", "9999-12-31"), "--until: 9999-12-31 is still to come"),
        (("--from", "2025-13-01", "--until", "2025-12-01"), "'2025-13-01' does not match"),
        ((*DAYS, "--set", "cs.LG"), "--set: 'cs.LG'; sets look like cs, physics:hep-th, cs:cs:LG"),
        ((*DAYS, "--set", ""), "--set: ''; sets look like"),
        ((*DAYS, "--form", "oai_dc"), "'oai_dc' is not one of"),
        ((*DAYS, "--order", "a b"), "--order: letters, digits and ._:- only"),
    ],
)
def test_a_mistake_in_a_backfill_is_told(arguments: tuple[str, ...], told: str) -> None:
    assert told in usage(backfill_app, *arguments)


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://localhost", "http://", "/status"])
def test_an_address_of_no_publisher_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)

    for given, name, code in ((url, "--url", 2), (None, "PUBLIC_URL", 78)):
        with pytest.raises(LocalError, match=f"^{name}: '.*' is not an address like http://127.0.0.1:8080$") as raised:
            status.address(given)
        assert raised.value.exit_code == code


def test_a_publisher_that_is_away_is_told_with_what_to_do() -> None:
    with pytest.raises(
        LocalError, match=r"^http://127\.0\.0\.1:9/status\.json: .*\? Start it with paperwire up"
    ) as raised:
        status.fetch("http://127.0.0.1:9")

    assert "Errno" not in str(raised.value)
