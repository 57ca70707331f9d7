"""Which papers each feed likes: its items resolved, from files and from what the fetcher has brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.scorer.likeness import Profiles
from shared.feeds import FeedConfig
from shared.files import UnreadableFileError, read_bytes
from shared.library import MAX_LIBRARY, Library, LikedPaper, bare_id, read_library, unversioned


@dataclass(frozen=True, slots=True)
class Resolved:
    """What is liked, as far as it is there."""

    liked: Mapping[str, tuple[LikedPaper, ...]]
    """By feed."""
    ids: tuple[str, ...] = ()
    """arXiv ids, without version, whose texts are wanted and only arXiv has."""
    addresses: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Items of `like` that stand for no paper (yet), and liked papers of which only the title is known."""
    problems: tuple[str, ...] = ()
    """What a person has to mend, each with the file, and the line or the feed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Profiles, and what they lack."""

    profiles: Profiles
    resolved: Resolved

    @property
    def missing(self) -> tuple[str, ...]:
        """See `Resolved.missing`."""
        return self.resolved.missing


def load_profiles(
    feeds: Sequence[FeedConfig],
    feeds_file: Path,
    known: Mapping[str, LikedPaper],
    libraries: Mapping[str, Library] | None = None,
    *,
    keep_texts: bool = False,
) -> Loaded:
    """Profiles without any server: `known` holds papers by arXiv id without version, `libraries` those of addresses.

    Files are read, relative to the folder of `feeds_file`. Whatever is missing or broken costs nothing beside it.
    """
    resolved = resolve(feeds, feeds_file, known, libraries or {})
    return Loaded(Profiles.of(feeds, resolved.liked, keep_texts=keep_texts), resolved)


def resolve(
    feeds: Iterable[FeedConfig], feeds_file: Path, known: Mapping[str, LikedPaper], libraries: Mapping[str, Library]
) -> Resolved:
    """The papers behind all items. Reads files, each once."""
    found = _Resolving(feeds_file, known, dict(libraries))
    liked = {feed.slug: tuple(dict.fromkeys(found.papers(feed))) for feed in feeds if feed.like}
    return Resolved(liked, *(tuple(items) for items in (found.ids, found.addresses, found.missing, found.problems)))


def identifier(item: str) -> str | None:
    """The arXiv id, without version, when the item is one; `arXiv:2401.01234v2` is."""
    return None if is_address(item) else unversioned(bare_id(item) or "") or None


def is_address(item: str) -> bool:
    """Whether the item is to be downloaded."""
    return item.lower().startswith(("http://", "https://"))


@dataclass(slots=True)
class _Resolving:
    """All items of one file; the dictionaries are ordered sets."""

    feeds_file: Path
    known: Mapping[str, LikedPaper]
    libraries: dict[str, Library]
    ids: dict[str, None] = field(default_factory=dict)
    addresses: dict[str, None] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)
    problems: dict[str, None] = field(default_factory=dict)

    def papers(self, feed: FeedConfig) -> Iterable[LikedPaper]:
        """What the feed likes, as far as it is there."""
        for item in feed.like:
            name = identifier(item)
            if name:
                yield from self._by_id(name)
            elif is_address(item):
                self.addresses[item] = None
                yield from self._from(self.libraries.get(item), item)
            else:
                yield from self._from(self._file(item, feed), item)

    def _by_id(self, name: str) -> Iterable[LikedPaper]:
        self.ids[name] = None
        paper = self.known.get(name)
        if paper:
            yield paper
        else:
            self.missing[name] = None

    def _from(self, library: Library | None, item: str) -> Iterable[LikedPaper]:
        if library is None:
            self.missing[item] = None
            return
        self.problems |= dict.fromkeys(library.problems)
        for paper in library.papers:
            yield self._completed(paper)

    def _completed(self, paper: LikedPaper) -> LikedPaper:
        """An entry without abstract gets arXiv's, if it says which paper it is."""
        if paper.abstract or not paper.id:
            return paper
        name = unversioned(paper.id)
        self.ids[name] = None
        if name not in self.known:
            self.missing[name] = None
        return self.known.get(name, paper)

    def _file(self, item: str, feed: FeedConfig) -> Library | None:
        """The library in a file; a file that cannot be read is one more problem, not the feed's end."""
        path = self.feeds_file.parent / item
        if item not in self.libraries:
            try:
                self.libraries[item] = read_library(read_bytes(path, MAX_LIBRARY), str(path))
            except UnreadableFileError as error:
                self.problems[f"{self.feeds_file}: feed[{feed.slug}].like: {path}: cannot be read: {error}"] = None
                return None
        return self.libraries[item]
