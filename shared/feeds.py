"""The feed configuration: which papers each feed wants, how many, and how they are summarised.

`load` reads the whole file and reports every mistake at once, each as
`feeds.toml:12: feed[slug].key: what is wrong, what to write`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from shared.files import UnreadableFileError, read_bytes
from shared.messages import Kind, Place, Style
from shared.toml_syntax import NotTomlError, document_of

MatchMode = Literal["words", "arxiv_rss_bot"]
TextKind = Literal["abstract", "full"]

ARXIV = "arxiv"
"""The source that is always there; the others are `[[source]]` blocks."""
MAX_FILE = 50 * 1024 * 1024
"""Ten times the bytes of ten thousand feeds with 35 terms each."""
IN_TEXT: tuple[Place, ...] = ("title", "abstract")
KINDS_BY_MODE: dict[MatchMode, tuple[Kind, ...]] = {
    "words": ("new", "cross", "backfill"),
    "arxiv_rss_bot": ("new",),
}


class FeedsError(Exception):
    """The configuration cannot be used; its text lists every problem, one a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Term:
    """A word, a phrase or a name to look for, what it adds when found, and where it counts."""

    text: str
    weight: float = 1.0
    places: tuple[Place, ...] = IN_TEXT


@dataclass(frozen=True, slots=True)
class SummaryConfig:
    """Which summaries the feed's best papers get."""

    style: Style = "structured"
    languages: tuple[str, ...] = ("en",)
    top: int = 15
    """How many of the best get one; the others show their abstract."""
    text: TextKind = "abstract"
    """What a model reads; without a model, and without a text, it is the abstract in any case."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Something to read beside arXiv. Which options there are is the business of its type's module."""

    name: str
    type: str
    options: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where each key stands, for messages: `feeds.toml:7: source[lab].url`; the block itself under ``."""


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """One interest, and the feed that answers it."""

    slug: str
    title: str
    description: str = ""
    sources: tuple[str, ...] = (ARXIV,)
    """Whose papers are looked at: `arxiv`, or the name of a `[[source]]`."""
    categories: tuple[str, ...] = ()
    """Of arXiv's papers those with any of them are looked at; all of them when there is none."""
    announce: tuple[Kind, ...] = KINDS_BY_MODE["words"]
    keywords: tuple[Term, ...] = ()
    exclude: tuple[Term, ...] = ()
    authors: tuple[Term, ...] = ()
    require: tuple[Term, ...] = ()
    """All of these must be found. They count as keywords do."""
    any_of: tuple[tuple[Term, ...], ...] = ()
    """Groups (`any` in the file): of each at least one term must be found. They count as keywords do."""
    like: tuple[str, ...] = ()
    """Papers that one likes: arXiv identifiers, and addresses or paths of BibTeX, Zotero RDF or CSL JSON files."""
    like_weight: float = 5.0
    """What a paper gets that is exactly like them."""
    min_likeness: float = 0.15
    """Below this similarity (0 to 1) a paper gets nothing for it."""
    search: str = ""
    """A query in arXiv's language: what it finds is taken too, whatever its category and score."""
    min_score: float = 1.0
    max_papers: int = 30
    max_per_category: int | None = None
    """Of an announcement's papers with the same first category no more than these."""
    max_per_author: int | None = None
    """Of an announcement's papers by the same author no more than these."""
    seen: Sequence[str] = ()
    """Feeds before this one in the file: what they take of the same day is left out here."""
    match: MatchMode = "words"
    summary: SummaryConfig = SummaryConfig()

    @property
    def terms(self) -> tuple[Term, ...]:
        """Everything that adds to the score, in the order in which reasons of equal weight are told."""
        return (*self.keywords, *self.authors, *self.require, *(term for group in self.any_of for term in group))


@dataclass(frozen=True, slots=True)
class FeedsFile:
    """All feeds, in the order of the file."""

    feeds: tuple[FeedConfig, ...]
    sources: tuple[SourceConfig, ...] = ()

    @property
    def categories(self) -> tuple[str, ...]:
        """Every category that any feed of arXiv's papers looks at, in the order of their first mention."""
        of_arxiv = (feed for feed in self.feeds if ARXIV in feed.sources)
        return tuple(dict.fromkeys(category for feed in of_arxiv for category in feed.categories))

    @property
    def source_names(self) -> tuple[str, ...]:
        """All that is to be read; arXiv only when a feed looks at it."""
        arxiv = (ARXIV,) if any(ARXIV in feed.sources for feed in self.feeds) else ()
        return (*arxiv, *(source.name for source in self.sources))

    @property
    def searches(self) -> tuple[str, ...]:
        """Every search that any feed makes, in the order of their first mention."""
        return tuple(dict.fromkeys(feed.search for feed in self.feeds if feed.search))


def load(path: Path) -> FeedsFile:
    """The feeds in the file; `FeedsError` when it cannot be read or has any mistake."""
    return _parsed(text_of(path), str(path))


def text_of(path: Path) -> str:
    """The file's text, for `parse`; `FeedsError` when it cannot be read."""
    try:
        document = read_bytes(path, MAX_FILE)
    except UnreadableFileError as error:
        raise FeedsError([f"{path}: cannot be read: {error}"]) from None
    if len(document) > MAX_FILE:
        raise FeedsError([f"{path}: is larger than {MAX_FILE // 1024**2} MB; is it the file you mean?"])
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        raise FeedsError([f"{path}:{line}: is not UTF-8; save the file as UTF-8"]) from None


@lru_cache(maxsize=1)
def _parsed(text: str, name: str) -> FeedsFile:
    """Services look at the file again and again; as long as its text is the same, so are the feeds."""
    return parse(text, name)


def parse(text: str, name: str = "feeds.toml") -> FeedsFile:
    """The feeds in a TOML document; `name` stands in the messages."""
    from shared.feeds_check import read_file  # it needs the values above

    text = text.replace("\r\n", "\n")
    try:
        found, problems = read_file(document_of(text), text, name)
    except NotTomlError as error:
        raise FeedsError([f"{name}:{error.line}: {error}"]) from None
    if problems:
        raise FeedsError(problems)
    return found
