"""The rules of `seen`: what other feeds take of the same day is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, overload

from shared.toml_lines import Path
from shared.toml_reader import Reader, shown

ALL = "all"


class Before(Sequence[str]):
    """The first of a file's slugs. All feeds of a file share the slugs: 10,000 lists of them would take 400 MB."""

    __slots__ = ("_count", "_slugs")

    def __init__(self, slugs: Sequence[str], count: int) -> None:
        self._slugs = slugs
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self._slugs[at] for at in range(self._count)[index])
        return self._slugs[range(self._count)[index]]

    def __iter__(self) -> Iterator[str]:
        return islice(iter(self._slugs), self._count)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, tuple | Before) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


class Slugs:
    """The slugs of a file in its order, and the rules that depend on it."""

    def __init__(self, slugs: Sequence[str]) -> None:
        self._slugs = tuple(slugs)
        self._at = {slug: number for number, slug in reversed(list(enumerate(slugs)))}

    def seen(self, reader: Reader, path: Path, value: Any) -> Sequence[str]:
        """The feeds whose papers the feed of this path leaves out.

        Only feeds that stand before it: else two feeds could each wait for the other.
        """
        if value is None:
            return ()
        if value == ALL:
            return Before(self._slugs, int(path[1]))
        if isinstance(value, str):
            how = f'write [{shown(value)}], or "all" for every feed before this one'
            reader.wrong(path, f"{shown(value)} is no list; {how}")
            return ()
        if value == []:
            reader.wrong(path, "is empty, so nothing is left out; write the slug of a feed before this one")
        return tuple(dict.fromkeys(reader.items(path, value, lambda at, item: self._feed(reader, at, item))))

    def _feed(self, reader: Reader, path: Path, value: Any) -> str | None:
        problem = self._problem(reader, value, int(path[1]))
        if problem:
            reader.wrong(path, f"{shown(value)} {problem}")
            return None
        return str(value)

    def _problem(self, reader: Reader, value: Any, number: int) -> str:
        if value == ALL:
            return 'stands for every feed before this one; write seen = "all", without brackets'
        at = self._at.get(value) if isinstance(value, str) else None
        if at is None:
            close = reader.closest(value, self._slugs[:number])
            return (
                f'is no feed; write "{close[0]}"' if close else "is no feed; write the slug of a feed before this one"
            )
        if at == number:
            return "is this feed itself; write the slug of a feed before it"
        return "comes later in the file; move its [[feed]] before this one" if at > number else ""
