"""What compiled feeds cost in time and memory, told by a process of its own: `python -m cli.bench.compiled FEEDS`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.bench.corpus import FIRST_DAY, recorded_papers
from cli.bench.memory import high_water_mark
from cli.bench.vocabulary import feeds_of, vocabulary
from cli.local.processes import LocalError
from services.scorer.judge import appoint
from shared.messages import Paper, PaperAnnounced

REALISTIC = 2.0  # a min_score: two terms, or three, as feeds have it
PAPERS = 500


@dataclass(frozen=True, slots=True)
class Compiled:
    """Processor time in seconds, memory in bytes."""

    build: float
    added: int
    resident: int
    peak: int


def in_own_process(feeds: int) -> Compiled:
    """So that the memory is the scorer's alone."""
    command = [sys.executable, "-m", __name__, str(feeds)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise LocalError(f"compiling {feeds} feeds failed: {told.stderr.strip()[-500:]}")
    return Compiled(**json.loads(told.stdout))


def compiled(feeds: int) -> Compiled:
    """Compile so many feeds as the scorer service does, with all that it imports, and score some papers."""
    import services.scorer.app  # noqa: F401

    papers = [announced(paper, number) for number, paper in enumerate(recorded_papers(PAPERS))]
    configs = tuple(feeds_of(vocabulary(), feeds, REALISTIC))
    before, began = resident(), time.process_time()
    judge = appoint(configs)
    build = time.process_time() - began
    judge.scorer.score_all(papers[: judge.at_once])
    return Compiled(build, resident() - before, resident(), high_water_mark(os.getpid()))


def announced(paper: Mapping[str, object], position: int) -> PaperAnnounced:
    """The paper as a fetcher would send it."""
    return PaperAnnounced(
        paper=Paper.model_validate({**paper, "version": 1}),
        batch=f"arxiv:{FIRST_DAY}",
        date=FIRST_DAY,
        kind="new",
        position=position,
    )


def resident() -> int:
    """This process's resident memory in bytes."""
    try:
        found = re.search(r"^VmRSS:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())], capture_output=True, text=True, check=True)
    return int(told.stdout) * 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(compiled(int(sys.argv[1])))))
