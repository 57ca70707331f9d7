"""The frozen table of words is the same however it is made."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from services.scorer.words import LEAST
from tools.word_statistics import table, texts


def written(path: Path, *titles: str) -> Path:
    lines = [json.dumps({"id": title, "title": title, "abstract": "Routers and experts."}) for title in titles]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_papers_in_any_order_and_papers_twice_give_the_same_bytes(tmp_path: Path) -> None:
    one = written(tmp_path / "1.gz", *(f"Galaxies {n}" for n in range(40)))
    two = written(tmp_path / "2.gz", *(f"A galaxy {n}" for n in range(35)))

    assert table(texts([one, two])) == table(texts([two, one, two]))


def test_it_counts_papers_and_leaves_out_rare_words_and_numbers(tmp_path: Path) -> None:
    many = written(tmp_path / "1.gz", *(f"Galaxies galaxy {n}" for n in range(LEAST)), "Tulips")

    assert gzip.decompress(table(texts([many]))).decode().splitlines() == [
        str(LEAST + 1), f"and {LEAST + 1}", f"expert {LEAST + 1}", f"galaxy {LEAST}", f"router {LEAST + 1}",
    ]  # fmt: skip
