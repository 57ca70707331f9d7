"""What a person sees while the pipeline works: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

STAGES = ("announced", "scored", "selected", "summarised", "published")
LINE_SECONDS = 1.0


class Display(Protocol):
    """Somewhere to tell about progress."""

    def say(self, line: str) -> None:
        """Tell one thing."""

    def show(self, counts: Mapping[str, int]) -> None:
        """The stages' counts, as they are now."""


class Lines:
    """For logs and pipes: a line when the counts have changed, at most one a second."""

    def __init__(self) -> None:
        self._shown: Mapping[str, int] = {}
        self._at = 0.0

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def show(self, counts: Mapping[str, int]) -> None:
        if counts != self._shown and time.monotonic() >= self._at + LINE_SECONDS:
            self._shown, self._at = dict(counts), time.monotonic()
            self.say(" · ".join(f"{stage} {counts.get(stage, 0)}" for stage in STAGES))


class Bars:
    """For a terminal: a bar per stage, against the count of the stage it takes from."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)

    def show(self, counts: Mapping[str, int]) -> None:
        for stage in STAGES:
            if stage not in self._tasks:
                self._tasks[stage] = self._progress.add_task(stage, total=None)
            total = self._total(stage, counts)
            self._progress.update(self._tasks[stage], completed=counts.get(stage, 0), total=total)

    @staticmethod
    def _total(stage: str, counts: Mapping[str, int]) -> int | None:
        source = {"announced": "announced", "scored": "announced", "published": "selected"}.get(stage, stage)
        return counts.get(source) or None


@contextmanager
def display() -> Iterator[Display]:
    """What fits the standard error stream."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bars(progress)


def printable(text: str) -> str:
    """Without what a terminal would take for a command."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
