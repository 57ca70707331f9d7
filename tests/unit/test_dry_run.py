"""`paperwire fetch --from … --dry-run`: papers, exit code and what is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import dry_run
from cli.fetch import fetch_app

DATA = Path(__file__).parents[1] / "data"
WEEKEND = DATA / "arxiv/rss/cs.CL.2026-08-01.empty-weekend.xml"
THREE = DATA / "arxiv/rss/cs.AI.2026-04-27.three-items.xml"
BROKEN = DATA / "arxiv/rss/cs.AI.2025-08-20.truncated.atom.xml"
PREPRINTS = DATA / "sources/biorxiv.page1.json"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([THREE], 0),
        ([WEEKEND], 3),
        ([BROKEN], 4),
        ([WEEKEND, THREE], 0),
        ([THREE, BROKEN, WEEKEND], 4),
        ([DATA / "sources/biorxiv.empty.json"], 3),
        ([DATA / "arxiv/error_429_rate_exceeded_body.txt"], 4),
    ],
)
def test_the_exit_code_says_what_was_found(files: list[Path], code: int) -> None:
    assert dry_run.run(files, as_json=True) == code


def command(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(fetch_app, list(map(str, arguments)))
    return result.exit_code, result.output


def test_the_command_takes_several_files_after_one_option() -> None:
    assert command("--from", THREE, WEEKEND, "--dry-run", "--json")[0] == 0
    assert command("--from", WEEKEND, "--dry-run")[0] == 3
    assert command("--from", THREE, BROKEN, "--dry-run")[0] == 4


def test_recorded_documents_are_never_published() -> None:
    code, told = command("--from", THREE)

    assert code == 2
    assert "--dry-run" in told


def test_a_paper_is_a_line_of_json_with_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    dry_run.run([PREPRINTS], as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert len(lines) == 3
    assert lines[1] == {
        "id": "10.1101/2024.12.31.630000",
        "version": 2,
        "title": "Persistent methylation of Kcnq2 in CO2-exposed neurons",
        "authors": ["D. D. Gomez Cantor", "A. R. Rossi", "The Sleep Consortium"],
        "abstract": "Methylation persists (p < 0.05 & n > 3).",
        "categories": ["neuroscience"],
        "doi": "10.1101/2024.12.31.630000",
        "journal_ref": None,
        "comment": "Published as doi:10.1182/example.2025016511",
        "license": None,
        "source": "biorxiv",
        "url": "https://www.biorxiv.org/content/10.1101/2024.12.31.630000v2",
        "posted": "2026-08-01",
        "kind": "replace",
        "dates": {"published": "2026-08-01"},
        "form": "bioRxiv or medRxiv API, JSON",
    }


def test_the_form_and_what_was_left_out_are_told_beside_the_papers(capsys: pytest.CaptureFixture[str]) -> None:
    dry_run.run([PREPRINTS, BROKEN, WEEKEND], as_json=False)
    told = capsys.readouterr()

    assert told.out.splitlines()[0].startswith("10.64898/2026.07.31.742000v1  new  2026-08-01  ")
    form, left_out, broken, empty = told.err.splitlines()
    assert form == f"{PREPRINTS}: bioRxiv or medRxiv API, JSON: 3 papers"
    assert left_out == f"{PREPRINTS}: left out: record 4: title: String should have at least 1 character"
    assert broken.startswith(f"{BROKEN}: arXiv announcement, Atom: must not be used: not well-formed XML")
    assert empty == f"{WEEKEND}: arXiv announcement, RSS: no papers"
