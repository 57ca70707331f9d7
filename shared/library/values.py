"""What a library holds, and how a reader of one form hands it over."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_LIBRARY = 10 * 1024 * 1024
"""Bytes of a library; one of 20,000 entries with abstracts takes some 30 MB, so one as large is better cut."""
MAX_ENTRIES = 20_000
MAX_TITLE, MAX_ABSTRACT = 1_000, 10_000
"""Characters that count of each; what stands behind them is left out."""
MOST_TOLD = 20
"""Problems of a library that are told one by one."""


@dataclass(frozen=True, slots=True)
class LikedPaper:
    """A paper that somebody likes."""

    id: str | None
    """arXiv's identifier, perhaps with version, when the entry tells one."""
    title: str
    abstract: str = ""

    @property
    def name(self) -> str:
        """How people are told which one it is."""
        return self.id or self.title


@dataclass(frozen=True, slots=True)
class Library:
    """The papers in the order of the file, and what could not be read, for people."""

    papers: tuple[LikedPaper, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Found:
    """What a reader has found so far; a problem never costs a paper that is whole."""

    name: str
    """Of the file, for messages."""
    papers: list[LikedPaper] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _untold: int = 0

    @property
    def full(self) -> bool:
        """No further entry is read."""
        return len(self.papers) >= MAX_ENTRIES

    def add(self, paper: LikedPaper | None, entry: str) -> None:
        """Take a paper in; an entry with neither title nor id says nothing."""
        if paper is None:
            self.wrong(f"{entry} has neither a title nor an arXiv id; it is left out")
        elif not self.full:
            self.papers.append(paper)

    def wrong(self, problem: str, line: int | None = None) -> None:
        """Tell a problem: `library.bib:17: …`. Those after the first twenty are only counted."""
        if len(self.problems) < MOST_TOLD:
            place = self.name if line is None else f"{self.name}:{line}"
            self.problems.append(f"{place}: {problem}")
        else:
            self._untold += 1

    def library(self) -> Library:
        """All of it."""
        more = (f"{self.name}: and {self._untold} more problems",) if self._untold else ()
        return Library(tuple(self.papers), (*self.problems, *more))
