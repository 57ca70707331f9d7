"""`paperwire fetch --from … --dry-run`: papers, exit code and what is told."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
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


@pytest.mark.parametrize("missing", ["none.xml", ".", "none/none.xml"])
def test_a_file_that_cannot_be_read_costs_the_others_nothing(
    missing: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    unread = tmp_path / missing

    assert dry_run.run([unread, THREE, BROKEN], as_json=True) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 3
    assert told.err.splitlines()[0].startswith(f"{unread}: cannot be read: ")
    assert f"{BROKEN}: arXiv announcement, Atom: must not be used" in told.err


def test_standard_input_is_a_file_by_the_name_of_a_dash() -> None:
    result = CliRunner().invoke(fetch_app, ["--from", "-", "--dry-run", "--json"], input=THREE.read_bytes())

    assert result.exit_code == 0
    assert "standard input: arXiv announcement, RSS: 3 papers" in result.output


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device here")
def test_a_file_without_end_is_too_large(capsys: pytest.CaptureFixture[str]) -> None:
    assert dry_run.run([Path("/dev/zero")], as_json=True) == 4
    assert "larger than" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (gzip.compress(THREE.read_bytes()), "got a gzip file instead of an XML feed: unpack it first"),
        (lzma.compress(THREE.read_bytes()), "got an xz file instead of an XML feed: unpack it first"),
        (b"%PDF-1.5\n", "got a PDF instead of an XML feed"),
        (b"PK\x03\x04\x14\x00", "got a zip file instead of an XML feed: unpack it first"),
        (b"\x00\x01\x02", "got binary data instead of an XML feed"),
        (b"\n \n", "the document is empty"),
        (b'<!DOCTYPE rss [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><rss>&b;</rss>', "the document has a DOCTYPE"),
        (b"<rss>" + b"<a>" * 100_000, "not well-formed XML, perhaps cut off: Excessive depth"),
        (THREE.read_bytes() * 2, "not well-formed XML, perhaps cut off: Extra content"),
    ],
    ids=["gzip", "xz", "pdf", "zip", "binary", "blank", "bomb", "deep", "twice"],
)
def test_what_is_no_document_is_named(
    document: bytes, told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "given"
    file.write_bytes(document)

    assert dry_run.run([file], as_json=False) == 4
    assert f"must not be used: {told}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "written",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.removeprefix("<?xml version='1.0' encoding='UTF-8'?>").lstrip().encode("utf-16"),
    ],
    ids=["byte order mark", "lines of Windows", "UTF-16"],
)
def test_the_papers_are_the_same_however_the_document_was_saved(
    written: Callable[[str], bytes], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    dry_run.run([THREE], as_json=True)
    expected = capsys.readouterr().out
    file = tmp_path / "saved.xml"
    file.write_bytes(written(THREE.read_text(encoding="utf-8")))

    assert dry_run.run([file], as_json=True) == 0
    assert capsys.readouterr().out == expected


def test_nothing_that_is_shown_commands_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[31m.xml"
    file.write_bytes(THREE.read_bytes().replace(b"<title>", "<title>\x9b31m".encode()))

    assert dry_run.run([file], as_json=False) == 0
    told = capsys.readouterr()
    assert not {"\x1b", "\x9b"} & {*told.out, *told.err}


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
