"""Files that people name are read, whatever they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.scorer.liking import resolve
from shared.feeds import FeedConfig, FeedsError, text_of
from shared.files import UnreadableFileError, read_bytes


def test_no_more_is_read_than_was_asked_for_and_one_byte_that_says_so(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345678")
    assert (read_bytes(file, 8), read_bytes(file, 3)) == (b"12345678", b"1234")
    assert len(read_bytes(Path("/dev/zero"), 3_000_000)) == 3_000_001


def test_a_pipe_that_nobody_writes_to_is_told_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "feeds.toml"
    os.mkfifo(pipe)
    with pytest.raises(UnreadableFileError, match="a pipe, and nobody writes to it"):
        read_bytes(pipe, 100)
    with pytest.raises(FeedsError, match=r"feeds.toml: cannot be read: it is a pipe"):
        text_of(pipe)


def test_what_another_command_writes_is_read(tmp_path: Path) -> None:
    """As in `--diff <(git show HEAD:feeds.toml)`."""
    reading, writing = os.pipe()
    os.write(writing, b"[[feed]]")
    os.close(writing)
    assert read_bytes(Path(f"/dev/fd/{reading}"), 100) == b"[[feed]]"
    os.close(reading)


def test_an_endless_feeds_file_is_told() -> None:
    with pytest.raises(FeedsError, match="/dev/zero: is larger than 50 MB"):
        text_of(Path("/dev/zero"))


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "missing"])
def test_a_library_that_is_no_file_costs_nothing_beside_it(tmp_path: Path, kind: str) -> None:
    library = tmp_path / "papers.bib"
    if kind == "pipe":
        os.mkfifo(library)
    elif kind == "folder":
        library.mkdir()
    elif kind == "loop":
        library.symlink_to(library)
    (tmp_path / "good.bib").write_text("@article{a, title={Good}, abstract={Good}}")
    feed = FeedConfig(slug="a", title="A", like=("papers.bib", "good.bib"))
    resolved = resolve([feed], tmp_path / "feeds.toml", {}, {})
    assert [paper.title for paper in resolved.liked["a"]] == ["Good"]
    assert "feed[a].like: " in resolved.problems[0]
    assert "papers.bib: cannot be read: " in resolved.problems[0]
