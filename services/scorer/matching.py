"""Which terms stand where in a paper: one automaton over the terms of all feeds.

A term becomes its spellings in singular and plural, a paper one spaced text, and the automaton finds all
spellings in one pass: a paper costs what its text and its finds cost, however many feeds ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ahocorasick import Automaton

from services.scorer.text import CLAUSE_END, SECTION, acronym, spaced, spaced_names, spellings
from shared.messages import Paper

A = TypeVar("A")

TITLE, ABSTRACT, AUTHORS = 1, 2, 4
"""The places of a paper, as bits."""

Found = list[tuple[Sequence[A], int]]
"""Those who asked for something that is there, and the places where it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked(Generic[A]):
    """Spellings that mean the same, and everybody who asked for them."""

    exact: frozenset[str] | None
    """How it must be written in the paper, if its case matters."""
    askers: list[A] = field(default_factory=list)


class Index(Generic[A]):
    """Spellings and who asked for them; add everything, then `compile`, then `find`."""

    def __init__(self) -> None:
        self._asked: dict[tuple[frozenset[str], frozenset[str] | None], Asked[A]] = {}
        self._automaton = Automaton()

    def __bool__(self) -> bool:
        return bool(self._asked)

    def add(self, spelled: frozenset[str], asker: A, *, exact: frozenset[str] | None = None) -> None:
        """Look for any of the spellings; with `exact`, only where the paper writes it in one of these ways."""
        asked = self._asked.get((spelled, exact))
        if asked is None:
            asked = self._asked[spelled, exact] = Asked(exact)
            for text in spelled:
                _, others = self._automaton.get(text, (0, ()))
                self._automaton.add_word(text, (len(text), (*others, asked)))
        asked.askers.append(asker)

    def compile(self) -> None:
        """Make the automaton; nothing can be added afterwards."""
        self._automaton.make_automaton()

    def find(self, haystack: str, written: str, title_ends: int) -> Found[A]:
        """`written` is title and abstract in their own case; what the haystack has beyond it are the authors."""
        found: dict[Asked[A], int] = {}
        text_ends = len(written)
        for last, (length, meanings) in self._automaton.iter(haystack):
            place = TITLE if last < title_ends else ABSTRACT if last < text_ends else AUTHORS
            for asked in meanings:
                if asked.exact is None or written[last + 1 - length : last + 1] in asked.exact:
                    found[asked] = found.get(asked, 0) | place
        return [(asked.askers, places) for asked, places in found.items()]


class WordMatcher(Generic[A]):
    """Finds whole words and phrases, whatever their case, number, hyphens and accents."""

    def __init__(self) -> None:
        self._index = Index[A]()
        self._names = False

    def add_term(self, term: str, asker: A) -> None:
        """A term of the text. One in capitals, of up to five letters, is found in capitals only."""
        bare = acronym(term.strip())
        if bare is None:
            self._index.add(spellings(term), asker)
        else:
            low = bare.lower()
            exact = frozenset({f" {bare} ", f" {bare}s "})
            self._index.add(frozenset({f" {low} ", f" {low}s "}), asker, exact=exact)

    def add_name(self, name: str, asker: A) -> None:
        """An author by the full name: `Tri Dao` is neither `T. Dao` nor `Tri Dao Nguyen`."""
        self._names = True
        self._index.add(frozenset({spaced_names([name])}), asker)

    def add_name_part(self, words: str, asker: A) -> None:
        """Words of an author's name; `Williams` is no plural there."""
        self._names = True
        self._index.add(frozenset({spaced_names([words]).strip(CLAUSE_END)}), asker)

    def compile(self) -> None:
        """Nothing can be added afterwards."""
        self._index.compile()

    def find(self, paper: Paper) -> Found[A]:
        """Who asked for something that this paper has."""
        if not self._index:
            return []
        written = spaced(f"{paper.title}|{SECTION}|{paper.abstract}")
        names = spaced_names(paper.authors) if self._names else ""
        return self._index.find(f"{written.lower()}{names}", written, written.index(SECTION))


class SubstringMatcher(Generic[A]):
    """Finds runs of letters, also inside longer words, in the title and the abstract's first line."""

    def __init__(self) -> None:
        self._index = Index[A]()

    def add_term(self, term: str, asker: A) -> None:
        """Case does not matter."""
        self._index.add(frozenset({term.lower()}), asker)

    def compile(self) -> None:
        """Nothing can be added afterwards."""
        self._index.compile()

    def find(self, paper: Paper) -> Found[A]:
        """Who asked for something that this paper has."""
        if not self._index:
            return []
        title = paper.title.lower()
        text = f"{title} {paper.abstract.partition(chr(10))[0].lower()}"
        return self._index.find(text, text, len(title))
