"""The tables of docs/precision.md: who finds which papers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from tools.precision import OURS, SUBSTRING, TERMS, WORD, cases, counts, read, sample, table

PAPERS = [
    {"id": "1", "title": "The world", "abstract": "of LLMs", "listed": "2025-10-01"},
    {"id": "2", "title": "RL", "abstract": "for networks", "listed": "2025-11-03"},
]


def test_each_way_finds_its_own() -> None:
    found = {(case.term, case.paper): case for case in cases(PAPERS)}

    assert found["RL", "1"].found_by == (SUBSTRING,)
    assert found["RL", "1"].passage == "The wo**rl**d of LLMs"
    assert found["RL", "2"].found_by == (SUBSTRING, WORD, OURS)
    assert found["LLM", "1"].found_by == (SUBSTRING, OURS)
    assert found["LLM", "1"].passage == "of **LLMs**"
    assert found["Network", "2"].found_by == (SUBSTRING, OURS)


def test_a_table_has_every_term_and_what_one_finds_and_another_does_not() -> None:
    lines = table(list(cases(PAPERS)), PAPERS)

    assert "2 papers, 2025-10 to 2025-11." in lines
    assert "| RL | 2 | 1 | 1 | 1 | 0 | 0 |" in lines
    assert "| LLM | 1 | 0 | 1 | 0 | 0 | 1 |" in lines
    assert all(f"| {term} |" in lines for term in TERMS)


def test_a_sample_is_the_same_every_time_and_holds_disagreements_only() -> None:
    found = list(cases(PAPERS))

    assert sample(found, 3) == sample(list(cases(PAPERS)), 3)
    assert all(len(case.found_by) < 3 for case in sample(found, 50))
    assert len(sample(found, 2)) == 2
    assert counts(sample(found, 50))[0] == 3


def test_a_paper_in_two_files_counts_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with gzip.open(tmp_path / name, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(paper) + "\n" for paper in PAPERS)

    assert read([tmp_path / "a", tmp_path / "b"]) == PAPERS
