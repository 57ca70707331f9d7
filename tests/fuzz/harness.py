"""Coverage-guided fuzzing of a parser: `python -m tests.fuzz.harness arxiv_rss -max_total_time=600`.

Any bytes must give papers or the parser's own refusal, in time, and papers that can be sent on. What libFuzzer
finds otherwise it writes to a file `crash-…`, `timeout-…` or `oom-…`: put it into tests/fuzz/corpus/<parser>/found.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import atheris

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
DICTIONARY = Path(__file__).parent / "xml.dict"
OPTIONS = (
    f"-dict={DICTIONARY}",
    "-max_len=20000",
    "-timeout=10",
    "-rss_limit_mb=2048",
    "-use_value_profile=1",
)


def main() -> None:
    """The parser's name, then libFuzzer's own options; new inputs go to a folder beside the corpus."""
    name, *options = sys.argv[1:]
    if name not in TARGETS:
        sys.exit(f"there is no parser {name}; there are {', '.join(TARGETS)}")
    work = Path(".fuzz") / name
    work.mkdir(parents=True, exist_ok=True)
    atheris.Setup(
        [sys.argv[0], *OPTIONS, f"-artifact_prefix={work}-", *options, str(work), *corpora(name)], fuzzed(name)
    )
    atheris.Fuzz()


def corpora(name: str) -> list[str]:
    """Recorded documents, and what fuzzing has found."""
    return [str(folder) for folder in (CORPUS / name, CORPUS / name / "found") if folder.is_dir()]


def fuzzed(name: str) -> Callable[[bytes], None]:
    """The target, with all modules telling the fuzzer which branches they take."""
    atheris.instrument_all()
    return TARGETS[name]


if __name__ == "__main__":
    main()
