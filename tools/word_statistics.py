"""Writes the table of how many papers have each word, services/scorer/data/words.txt.gz, from recorded papers.

    python -m tools.word_statistics PAPERS.jsonl.gz…

Each line of the files is a JSON object with `id`, `title` and `abstract`. The same papers in any order give the same
bytes. A new table changes every likeness: say so in the changelog.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from services.scorer.words import LEAST, TABLE, is_word, singular, words


def texts(paths: Iterable[Path]) -> Iterator[str]:
    """Title and abstract of every paper, each paper once."""
    seen = set()
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                paper = json.loads(line)
                if paper["id"] not in seen:
                    seen.add(paper["id"])
                    yield f"{paper['title']}|{paper['abstract']}"


def table(papers: Iterable[str]) -> bytes:
    """The number of papers, then a line `word count` for every word in at least 30 of them; as gzip."""
    number, counts = 0, Counter[str]()
    for text in papers:
        number += 1
        counts.update({singular(word) for word in words(text) if is_word(word)})
    lines = [f"{word} {count}\n" for word, count in sorted(counts.items()) if count >= LEAST]
    return gzip.compress(f"{number}\n{''.join(lines)}".encode(), 9, mtime=0)


def main(paths: list[str]) -> None:
    """Write it and say what it holds."""
    written = table(texts(map(Path, paths)))
    TABLE.write_bytes(written)
    lines = gzip.decompress(written).splitlines()
    print(f"{TABLE.name}: {len(written):,} bytes, {len(lines) - 1:,} words of {int(lines[0]):,} papers")


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit(__doc__))
