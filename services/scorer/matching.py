"""Which terms stand where in a paper: one trie over the terms of all feeds.

A term becomes its spellings in singular and plural, papers become words, and one walk through a trie of all
spellings finds them: a paper costs what its text and its finds cost, however many feeds ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import count

import numpy as np

from services.scorer.letters import Letters
from services.scorer.phrases import Phrases
from services.scorer.rows import NONE, Ints
from services.scorer.spelling import acronym, is_unspaced, spellings, with_borders
from services.scorer.text import SECTION, plain, plain_names, words_of
from services.scorer.vocabulary import LONGEST, cut
from shared.messages import Paper, Place

PLACES: tuple[Place, ...] = ("title", "abstract", "comment", "authors", "categories")
"""The parts of a paper; a find's place is its number here, the title's first."""
NUMBER = {place: number for number, place in enumerate(PLACES)}
WORDY: tuple[Place, ...] = ("title", "abstract", "comment")
PLACE_BITS, MEANING_BITS = 3, 30
PAPER_BIT = PLACE_BITS + MEANING_BITS
LAST_PLACE, LAST_MEANING = (1 << PLACE_BITS) - 1, (1 << MEANING_BITS) - 1


@dataclass(frozen=True, slots=True)
class Found:
    """The meanings (numbers of terms) that stand in each part of a paper."""

    by_place: Mapping[Place, AbstractSet[int]]
    anywhere: AbstractSet[int]

    def at(self, place: Place) -> AbstractSet[int]:
        """Those in one part."""
        return self.by_place[place]


@dataclass(frozen=True, slots=True)
class Finds:
    """What was found in several papers: ascending numbers of papers, meanings and places, nothing twice."""

    papers: Ints
    meanings: Ints
    places: Ints

    def of(self, paper: int) -> Found:
        """What was found in one of them."""
        start, end = np.searchsorted(self.papers, (paper, paper + 1)).tolist()
        by_place: dict[Place, set[int]] = {place: set() for place in PLACES}
        for meaning, place in zip(self.meanings[start:end].tolist(), self.places[start:end].tolist(), strict=True):
            by_place[PLACES[place]].add(meaning)
        return Found(by_place, frozenset().union(*by_place.values()))


class Matcher:
    """Finds whole words and phrases, whatever their case, number, hyphens and accents; names; and categories.

    Add everything, then `compile`, then `find`.
    """

    def __init__(self) -> None:
        self._numbers = count()
        self._phrases = Phrases(self._numbers)
        self._letters = Letters(self._numbers)
        self._names = Phrases(self._numbers)
        self._substrings = Letters(self._numbers)
        self._terms: dict[str, int] = {}
        self._categories: dict[str, int] = {}
        self._comments = False
        self.meanings = 0
        """How many there are, when compiled."""

    def add_term(self, term: str, *, in_comments: bool = False) -> int:
        """A term of the text. One in capitals, of up to five letters, is found in capitals only."""
        self._comments = self._comments or in_comments
        if term not in self._terms:
            self._terms[term] = self._add_term(term)
        return self._terms[term]

    def _add_term(self, term: str) -> int:
        bare = acronym(term.strip())
        if bare is not None:
            low = bare.lower()
            return self._phrases.add(frozenset({low, f"{low}s"}), frozenset({bare, f"{bare}s"}))
        spelled = spellings(term)
        if is_unspaced(term) or any(len(word.encode()) > LONGEST for text in spelled for word in text.split()):
            return self._letters.add(frozenset(map(with_borders, spelled)))
        return self._phrases.add(spelled)

    def add_name(self, name: str) -> int:
        """An author by the full name: `Tri Dao` is neither `T. Dao` nor `Tri Dao Nguyen`."""
        return self._names.add(frozenset({" ".join(words_of(plain_names([name])))}))

    def add_name_part(self, part: str) -> int:
        """Words of an author's name; `Williams` is no plural there."""
        return self._names.add(frozenset({" ".join(words_of(plain_names([part]))[1:-1])}))

    def add_category(self, category: str) -> int:
        """`cs.LG`, or the archive `cs` with all that is below it."""
        low = category.strip().lower()
        if low not in self._categories:
            self._categories[low] = next(self._numbers)
        return self._categories[low]

    def add_substring(self, term: str) -> int:
        """A run of letters, also inside longer words, in the title and the abstract's first line."""
        return self._substrings.add(frozenset({term.lower()}))

    def compile(self) -> None:
        """Nothing can be added afterwards."""
        for part in (self._phrases, self._letters, self._names, self._substrings):
            part.compile()
        self._terms = {}
        self.meanings = next(self._numbers)

    def find(self, papers: Sequence[Paper]) -> Finds:
        """What these papers have of all that is looked for."""
        keys = list(self._found(papers))
        found = np.sort(np.concatenate(keys)) if keys else NONE
        unique = found[np.diff(found, prepend=-1) != 0]
        return Finds(unique >> PAPER_BIT, unique >> PLACE_BITS & LAST_MEANING, unique & LAST_PLACE)

    def _found(self, papers: Sequence[Paper]) -> Iterable[Ints]:
        """Papers, meanings and places in one number, kind by kind."""
        if self._phrases or self._letters:
            yield from self._in_texts(papers)
        if self._substrings:
            texts, meanings = self._substrings.find([line.lower() for paper in papers for line in _lines(paper)])
            yield _keys(len(papers), ("title", "abstract"), texts, meanings)
        if self._names:
            yield self._in_names(papers)
        if self._categories:
            rows = [(number, meaning) for number, paper in enumerate(papers) for meaning in self._in_categories(paper)]
            table = np.array(rows, np.int64).reshape(-1, 2)
            yield _keys(len(papers), ("categories",), table[:, 0], table[:, 1])

    def _in_texts(self, papers: Sequence[Paper]) -> Iterable[Ints]:
        """All texts as one, with a mark between them: what is done once for many words costs little for each."""
        written = SECTION.join(plain(SECTION.join(self._texts(paper))) for paper in papers)
        low = written.lower()
        parts = written.split(SECTION)
        texts, meanings = self._phrases.find(cut(low), lambda text: words_of(parts[text]))
        yield _keys(len(papers), WORDY, texts, meanings)
        if self._letters:
            texts, meanings = self._letters.find([f" {' '.join(words_of(part))} " for part in low.split(SECTION)])
            yield _keys(len(papers), WORDY, texts, meanings)

    def _texts(self, paper: Paper) -> Iterable[str]:
        texts = paper.title, paper.abstract, (paper.comment or "") if self._comments else ""
        return (text.replace(SECTION, " ") if SECTION in text else text for text in texts)

    def _in_names(self, papers: Sequence[Paper]) -> Ints:
        names = [plain_names(paper.authors) for paper in papers]
        numbers, meanings = self._names.find(cut(SECTION.join(names)), lambda number: words_of(names[number]))
        return _keys(len(papers), ("authors",), numbers, meanings)

    def _in_categories(self, paper: Paper) -> Iterable[int]:
        low = [category.lower() for category in paper.categories]
        both = {*low, *(category.partition(".")[0] for category in low)}
        return [self._categories[category] for category in sorted(both & self._categories.keys())]


def _keys(papers: int, places: Sequence[Place], texts: Ints, meanings: Ints) -> Ints:
    """Finds as numbers that are in order of paper, meaning and place; each paper has a text for each of the places."""
    numbers = [NUMBER[place] for place in places]
    of_text = np.array([paper << PAPER_BIT | place for paper in range(papers) for place in numbers], np.int64)
    return of_text.take(texts) | meanings << PLACE_BITS


def _lines(paper: Paper) -> tuple[str, str]:
    """What the compatibility mode looks at: the title, and the abstract's first line after it."""
    return paper.title, f"{paper.title} {paper.abstract.partition(chr(10))[0]}"
