"""The words of a paper and how rare each is among papers: what likeness is measured by.

The table is frozen (`tools/word_statistics.py` writes it): were it learnt while running, the same paper would get
another score tomorrow.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from services.scorer.text import POINT, plain, words_of

TABLE = Path(__file__).parent / "data" / "words.txt.gz"
LEAST = 30
"""Papers that a word of the table is in at least; every other word counts as if it were in as many."""
COMMON = 0.2
"""Words that a larger share of all papers have count for nothing; they cost the most and say the least."""
MOST_WORDS = 4_000
"""Of one text; what stands behind them is left out."""
MOST_KNOWN = 200_000  # different words in memory, some 30 MB


@dataclass(frozen=True, slots=True)
class Statistics:
    """In how many of so many papers each word is, and what is known of the words seen so far."""

    papers: int
    counts: Mapping[str, int]
    _known: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)

    def rarity(self, word: str) -> float:
        """`ln((N + 1) / (n + 1))`, n of N papers having the word; 0 for a common one."""
        count = max(self.counts.get(word, 0), LEAST)
        return 0.0 if count > COMMON * self.papers else math.log((self.papers + 1) / (count + 1))

    def known(self, written: str) -> tuple[str, float]:
        """The word in singular, and its rarity; as quick as a look into a dictionary."""
        found = self._known.get(written)
        if found is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            word = singular(written)
            found = self._known[written] = (word, self.rarity(word) if is_word(written) else 0.0)
        return found


def words(text: str) -> list[str]:
    """The words as they stand in the text, in lower case, and the marks between them."""
    return words_of(plain(text).lower().replace(POINT, "."))[:MOST_WORDS]


def is_word(written: str) -> bool:
    """Numbers, single letters and marks are none."""
    return len(written) > 1 and not written.replace(".", "").isdigit()


def singular(word: str) -> str:
    """`studies` as `study`, `boxes` as `box`, `models` as `model`. A key to compare by, not always a word."""
    if len(word) < 4 or word[-1] != "s" or word[-2] in "sui":
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes", "zzes")) else word[:-1]


@lru_cache(maxsize=1)
def statistics() -> Statistics:
    """The frozen table."""
    lines = gzip.decompress(TABLE.read_bytes()).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines[1:])
    return Statistics(int(lines[0]), {word: int(count) for word, _, count in pairs})
