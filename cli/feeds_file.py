"""What all commands about feeds share: reading the configuration, and telling what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from shared.feeds import FeedConfig, FeedsError, FeedsFile, load

FAILED = 1


class Trouble(Exception):  # noqa: N818 - it need not be an error
    """The command cannot do what was asked; its lines are for people."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@contextmanager
def told(code: int = FAILED) -> Iterator[None]:
    """Trouble inside ends the command with its lines and this exit code."""
    try:
        yield
    except Trouble as trouble:
        for line in trouble.lines:
            typer.echo(line, err=True)
        raise typer.Exit(code) from None


def read(file: Path) -> FeedsFile:
    """The configuration, or every mistake in it."""
    try:
        return load(file)
    except FeedsError as error:
        raise Trouble(*error.problems) from None


def feed_of(feeds: Sequence[FeedConfig], slug: str, file: Path) -> FeedConfig:
    """The feed of that name."""
    found = {feed.slug: feed for feed in feeds}
    if slug not in found:
        raise Trouble(f"{file}: has no feed {slug}; there is: {', '.join(found)}")
    return found[slug]


def count(number: int, what: str) -> str:
    """`1 paper`, `2 papers`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
